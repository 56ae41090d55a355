// Counts what must be there once, and reads what every element reads.
// Implements: RFC 3261 §8.1.1, §8.1.1.7, §8.2, §16.3, §20.14, §20.22
#include "sip/check_message.h"

#include <array>

namespace signalbox::sip {

namespace {

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
    if (view.first(HeaderId::Via) == nullptr) return fail(ErrorCode::missing_via);
    for (const FieldRule& rule : kExactlyOnce) {
        if (view.first(rule.id) == nullptr) return fail(rule.missing);
        if (view.is_repeated(rule.id)) return fail(rule.duplicate);
    }
    if (view.is_repeated(HeaderId::MaxForwards)) return fail(ErrorCode::duplicate_max_forwards);
    if (view.is_repeated(HeaderId::ContentLength)) {
        return fail(ErrorCode::duplicate_content_length);
    }
    return {};
}

/// One address and no second one behind a comma. Whom a response is from and to, its request has
/// said: only their tags are of use, and a URI that cannot be read is no reason to lose it.
Result<void> read_address(const MessageView& view, HeaderId id, ErrorCode bad, NameAddr& address) {
    const HeaderField* field = view.first(id);
    std::string_view rest;
    const auto read = view.is_request() ? read_name_addr : read_around_uri;
    if (read(view.value(*field), address, &rest) && rest.empty()) return {};
    return fail(bad, field->value_begin);
}

Result<void> read_cseq(const MessageView& view, CSeq& cseq) {
    const HeaderField* field = view.first(HeaderId::CSeq);
    if (!view.cseq()) return fail(ErrorCode::malformed_cseq, field->value_begin);
    cseq = *view.cseq();
    if (view.is_request() && cseq.method_text != view.method_text())
        return fail(ErrorCode::cseq_method_mismatch, field->value_begin);
    return {};
}

Result<void> read_max_forwards(const MessageView& view, KeyFields& fields) {
    const HeaderField* field = view.first(HeaderId::MaxForwards);
    if (field == nullptr) return {};
    const auto hops = parse_max_forwards(view.value(*field));
    if (!hops) return fail(ErrorCode::malformed_max_forwards, field->value_begin);
    fields.max_forwards = *hops;
    return {};
}

}  // namespace

Result<void> check_top_via(const MessageView& view, KeyFields& fields) {
    TRY(check_counts(view));
    // Only the top Via: those below it are another element's business (RFC 3261 §16.3 step 1).
    const HeaderField* top = view.first(HeaderId::Via);
    if (!read_via(view.value(*top), fields.via, &fields.more_vias))
        return fail(ErrorCode::malformed_via, top->value_begin);
    if (!fields.via.is_sip_2) return fail(ErrorCode::unsupported_via_protocol, top->value_begin);
    return {};
}

Result<void> check_below_via(const MessageView& view, KeyFields& fields) {
    TRY(read_address(view, HeaderId::From, ErrorCode::malformed_from, fields.from));
    TRY(read_address(view, HeaderId::To, ErrorCode::malformed_to, fields.to));
    const HeaderField* call_id = view.first(HeaderId::CallId);
    if (!parse_call_id(view.value(*call_id))) {
        return fail(ErrorCode::malformed_call_id, call_id->value_begin);
    }
    TRY(read_cseq(view, fields.cseq));
    return read_max_forwards(view, fields);
}

Result<KeyFields> check_message(const MessageView& view) {
    Result<KeyFields> result;
    auto read = check_top_via(view, *result);
    if (read) read = check_below_via(view, *result);
    if (!read) result = tl::unexpected(read.error());
    return result;
}

}  // namespace signalbox::sip
