// Counts what must be there once, and reads what every element reads.
// Implements: RFC 3261 §8.1.1, §8.1.1.7, §8.2, §16.3, §20.14, §20.22
#include "sip/check_message.h"

#include <array>

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
Result<NameAddr> read_address(const MessageView& view, HeaderId id, ErrorCode bad) {
    const HeaderField* field = view.first(id);
    std::string_view rest;
    auto address = parse_name_addr(view.value(*field), bad, &rest);
    if (!address || !rest.empty()) return fail(bad, field->value_begin);
    return address;
}

Result<CSeq> read_cseq(const MessageView& view) {
    const HeaderField* field = view.first(HeaderId::CSeq);
    auto cseq = parse_cseq(view.value(*field));
    if (!cseq) return fail(cseq.error().code, field->value_begin);
    if (view.is_request() && cseq->method_text != view.method_text())
        return fail(ErrorCode::cseq_method_mismatch, field->value_begin);
    return cseq;
}

}  // namespace

Result<KeyFields> check_message(const MessageView& view) {
    TRY(check_counts(view));
    // Only the top Via: those below it are another element's business (RFC 3261 §16.3 step 1).
    const HeaderField* top = view.first(HeaderId::Via);
    std::string_view more_vias;
    const auto via = parse_via(view.value(*top), &more_vias);
    if (!via) return fail(ErrorCode::malformed_via, top->value_begin);
    if (!via->is_sip_2) return fail(ErrorCode::unsupported_via_protocol, top->value_begin);
    const auto from = read_address(view, HeaderId::From, ErrorCode::malformed_from);
    if (!from) return tl::unexpected(from.error());
    const auto to = read_address(view, HeaderId::To, ErrorCode::malformed_to);
    if (!to) return tl::unexpected(to.error());
    const HeaderField* call_id = view.first(HeaderId::CallId);
    if (!parse_call_id(view.value(*call_id))) {
        return fail(ErrorCode::malformed_call_id, call_id->value_begin);
    }
    const auto cseq = read_cseq(view);
    if (!cseq) return tl::unexpected(cseq.error());
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
    return KeyFields{*via, more_vias, *from, *to, *cseq};
}

}  // namespace signalbox::sip
