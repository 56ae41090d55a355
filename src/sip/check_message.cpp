// What makes a message fit to be acted on.
// Implements: RFC 3261 §8.1.1, §8.2, §16.3, §20.14, §20.22
#include <array>

#include "sip/header_values.h"
#include "sip/message_view.h"

namespace signalbox::sip {

namespace {

using Counts = std::array<uint8_t, static_cast<size_t>(HeaderId::kCount)>;

struct FieldRule {
    HeaderId id;
    ErrorCode missing;
    ErrorCode duplicate;
};

constexpr std::array<FieldRule, 4> kExactlyOnce = {{
    {HeaderId::From, ErrorCode::missing_from, ErrorCode::duplicate_from},
    {HeaderId::To, ErrorCode::missing_to, ErrorCode::duplicate_to},
    {HeaderId::CallId, ErrorCode::missing_call_id, ErrorCode::duplicate_call_id},
    {HeaderId::CSeq, ErrorCode::missing_cseq, ErrorCode::duplicate_cseq},
}};

Result<void> check_counts(const MessageView& view) {
    Counts counts{};
    for (const HeaderField& field : view.headers()) ++counts[static_cast<size_t>(field.id)];
    const auto count = [&counts](HeaderId id) { return counts[static_cast<size_t>(id)]; };
    if (count(HeaderId::Via) == 0) return fail(ErrorCode::missing_via);
    for (const FieldRule& rule : kExactlyOnce) {
        if (count(rule.id) == 0) return fail(rule.missing);
        if (count(rule.id) > 1) return fail(rule.duplicate);
    }
    if (count(HeaderId::MaxForwards) > 1) return fail(ErrorCode::duplicate_max_forwards);
    if (count(HeaderId::ContentLength) > 1) return fail(ErrorCode::duplicate_content_length);
    return {};
}

/// One address and no second one behind a comma.
Result<void> check_address(std::string_view value, ErrorCode bad) {
    std::string_view rest;
    TRY(parse_name_addr(value, bad, &rest));
    if (!rest.empty()) return fail(bad);
    return {};
}

Result<void> check_cseq(const MessageView& view) {
    TRY_ASSIGN(cseq, parse_cseq(view.value(HeaderId::CSeq)));
    if (view.is_request() && cseq.method_text != view.method_text()) {
        return fail(ErrorCode::cseq_method_mismatch);
    }
    return {};
}

/// The error with the place of the field in it.
Result<void> placed(Result<void> result, const HeaderField* field) {
    if (result || field == nullptr) return result;
    return fail(result.error().code, field->value_begin);
}

}  // namespace

Result<void> check_message(const MessageView& view) {
    TRY(check_counts(view));
    // Only the top Via: those below it are another element's business (RFC 3261 §16.3 step 1).
    const HeaderField* via = view.first(HeaderId::Via);
    if (!parse_via(view.value(*via))) return fail(ErrorCode::malformed_via, via->value_begin);
    TRY(placed(check_address(view.value(HeaderId::From), ErrorCode::malformed_from),
               view.first(HeaderId::From)));
    TRY(placed(check_address(view.value(HeaderId::To), ErrorCode::malformed_to),
               view.first(HeaderId::To)));
    const HeaderField* call_id = view.first(HeaderId::CallId);
    if (!parse_call_id(view.value(*call_id))) {
        return fail(ErrorCode::malformed_call_id, call_id->value_begin);
    }
    TRY(placed(check_cseq(view), view.first(HeaderId::CSeq)));
    if (const HeaderField* field = view.first(HeaderId::MaxForwards)) {
        if (!parse_max_forwards(view.value(*field))) {
            return fail(ErrorCode::malformed_max_forwards, field->value_begin);
        }
    }
    if (const HeaderField* field = view.first(HeaderId::ContentLength)) {
        if (!parse_content_length(view.value(*field))) {
            return fail(ErrorCode::malformed_content_length, field->value_begin);
        }
    }
    return {};
}

}  // namespace signalbox::sip
