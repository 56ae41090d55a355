// Fuzz target: a message is indexed and checked, and every value is parsed with every parser.
#include <array>
#include <string>

#include "fuzz/input.h"
#include "sip/check_message.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "sip/params.h"
#include "sip/response_builder.h"

namespace signalbox::sip {
namespace {

using fuzz::is_within;

void use_via(std::string_view value) {
    // Each round takes a comma away, so that the list ends.
    for (std::string_view rest = value; !rest.empty();) {
        const Result<Via> via = parse_via(rest, &rest);
        if (!via) break;
        CHECK(is_within(value, via->text));
        CHECK(is_within(via->text, via->host));
        CHECK(is_within(via->text, via->params));
        CHECK(is_within(via->params, via->branch));
        CHECK(is_within(via->params, via->rport_text));
        CHECK(is_within(via->params, via->received_text));
        CHECK(via->port_or_default() != 0);
        const Result<Via> again = parse_via(via->text);
        CHECK(again.has_value());
        CHECK(again->text == via->text);
        CHECK(again->branch == via->branch);
        static_cast<void>(via->has_magic_cookie());
    }
}

void use_addresses(std::string_view value) {
    for (std::string_view rest = value; !rest.empty();) {
        const Result<NameAddr> address = parse_name_addr(rest, ErrorCode::malformed, &rest);
        if (!address) break;
        CHECK(is_within(value, address->text));
        CHECK(is_within(address->text, address->uri_text));
        CHECK(is_within(address->params, address->tag));
        CHECK(uris_equal(address->uri, address->uri));
        const Result<NameAddr> again = parse_name_addr(address->text, ErrorCode::malformed);
        CHECK(again.has_value());
        CHECK(again->tag == address->tag);
        CHECK(again->uri_text == address->uri_text);
    }
    for (std::string_view rest = value; !rest.empty();) {
        const Result<Contact> contact = parse_contact(rest, &rest);
        if (!contact) break;
        CHECK(contact->q <= 1000);
    }
}

void use_numbers(std::string_view value) {
    const Result<CSeq> cseq = parse_cseq(value);
    if (cseq) CHECK(cseq->number < 0x80000000U);
    const Result<uint32_t> hops = parse_max_forwards(value);
    if (hops) CHECK(*hops <= 255);
    static_cast<void>(parse_expires(value));
    static_cast<void>(parse_content_length(value));
    static_cast<void>(parse_q(value));
    static_cast<void>(parse_call_id(value));
    const Result<WallTime> date = parse_date(value);
    if (date) CHECK(parse_date(format_date(*date)) == *date);
}

void use_others(std::string_view value) {
    static_cast<void>(parse_retry_after(value));
    static_cast<void>(parse_timestamp(value));
    static_cast<void>(parse_media_type(value));
    static_cast<void>(parse_warning(value));
    static_cast<void>(parse_challenge(value));
    const Result<Credentials> credentials = parse_credentials(value);
    if (credentials) static_cast<void>(unquote(credentials->username));
    ListWalker list(value);
    while (const auto item = list.next()) {
        CHECK(!item->empty());
        CHECK(is_within(value, *item));
    }
    ParamWalker params(value);
    while (const auto param = params.next()) CHECK(is_within(value, param->name));
    static_cast<void>(find_param(value, "x"));
}

void use(std::string_view value) {
    std::array<char, 256> scratch;
    static_cast<void>(unfold(value, scratch));
    use_via(value);
    use_addresses(value);
    use_numbers(value);
    use_others(value);
}

/// A response that was built from a request which passed its checks passes them too.
void respond(const MessageView& view, bool was_good) {
    std::string out;
    ResponseBuilder builder(view, 400, {}, "tag", out);
    builder.finish();
    MessageView response;
    CHECK(parse_message(out, response).has_value());
    if (was_good) CHECK(check_message(response).has_value());
}

}  // namespace
}  // namespace signalbox::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace signalbox::sip;
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    MessageView view;
    const bool parsed = parse_message(bytes, view).has_value();
    const bool good = parsed && check_message(view).has_value();
    CHECK(signalbox::fuzz::is_within(bytes, view.bytes()));
    CHECK(signalbox::fuzz::is_within(view.bytes(), view.body()));
    CHECK(view.headers_end() <= view.bytes().size());
    for (const HeaderField& field : view.headers()) {
        CHECK(field.end <= view.headers_end());
        CHECK(parse_header_name(view.name(field)) == field.id);
        use(view.value(field));
    }
    if (view.is_request()) respond(view, good);
    return 0;
}
