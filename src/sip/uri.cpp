// SIP, SIPS and tel URIs, and the outer form of all others.
// Implements: RFC 3261 §19.1.1, §25.1; RFC 3966 §3
#include "sip/uri.h"

#include "base/text.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

size_t offset_in(std::string_view whole, const char* position) {
    return static_cast<size_t>(position - whole.data());
}

/// Takes *( name [ "=" value ] ) with `;` between, up to '?' or the end. False when malformed.
bool take_params(lexer::Cursor& cursor, Uri& uri) {
    const char* begin = cursor.position();
    do {
        if (cursor.escaped_run(lexer::kUriParam).empty()) return false;
        if (cursor.take('=')) cursor.escaped_run(lexer::kUriParam);
    } while (cursor.take(';'));
    uri.params = cursor.since(begin);
    return true;
}

/// user [ ":" password ], all of `userinfo`.
bool read_userinfo(std::string_view userinfo, Uri& uri) {
    lexer::Cursor cursor(userinfo);
    uri.user = cursor.escaped_run(lexer::kUser);
    uri.has_user = true;
    if (uri.user.empty()) return false;
    if (cursor.take(':')) uri.password = cursor.escaped_run(lexer::kPassword);
    return cursor.at_end();
}

/// Behind "sip:" or "sips:".
Result<void> read_sip(std::string_view rest, Uri& uri) {
    const size_t at = rest.find('@');
    if (at != std::string_view::npos) {
        if (!read_userinfo(rest.substr(0, at), uri)) return fail(ErrorCode::malformed_uri);
        rest.remove_prefix(at + 1);
    }
    lexer::Cursor cursor(rest);
    uri.host = cursor.host();
    if (uri.host.empty()) {
        return fail(ErrorCode::malformed_host, offset_in(uri.text, cursor.position()));
    }
    if (cursor.take(':')) {
        uri.port = lexer::port(cursor.run(lexer::kToken));
        if (!uri.port) {
            return fail(ErrorCode::malformed_port, offset_in(uri.text, cursor.position()));
        }
    }
    if (cursor.take(';') && !take_params(cursor, uri)) {
        return fail(ErrorCode::malformed_uri, offset_in(uri.text, cursor.position()));
    }
    if (cursor.take('?')) {
        uri.headers = cursor.escaped_run(lexer::kUriHeader);
        if (uri.headers.empty()) {
            return fail(ErrorCode::malformed_uri, offset_in(uri.text, cursor.position()));
        }
    }
    if (!cursor.at_end()) {
        return fail(ErrorCode::malformed_uri, offset_in(uri.text, cursor.position()));
    }
    return {};
}

/// Behind "tel:". A local number without its phone-context passes: telephones send them.
Result<void> read_tel(std::string_view rest, Uri& uri) {
    lexer::Cursor cursor(rest);
    uri.user = cursor.run(lexer::kPhone);
    uri.has_user = true;
    bool good = false;
    for (const char c : uri.user) good = good || text::is_digit(c) || c == '*' || c == '#';
    if (uri.user.find('+', 1) != std::string_view::npos) good = false;
    if (good && cursor.take(';')) good = take_params(cursor, uri);
    if (!good || !cursor.at_end()) {
        return fail(ErrorCode::malformed_uri, offset_in(uri.text, cursor.position()));
    }
    return {};
}

Scheme scheme_of(std::string_view scheme) {
    if (lexer::is_name(scheme, "sip")) return Scheme::Sip;
    if (lexer::is_name(scheme, "sips")) return Scheme::Sips;
    if (lexer::is_name(scheme, "tel")) return Scheme::Tel;
    return Scheme::Other;
}

}  // namespace

Result<void> read_uri(std::string_view text, Uri& uri) {
    lexer::Cursor cursor(text);
    uri.text = text;
    if (cursor.skip("sip:")) {  // as nearly all write it
        uri.scheme_text = text.substr(0, 3);
        uri.scheme = Scheme::Sip;
        return read_sip(cursor.rest(), uri);
    }
    uri.scheme_text = cursor.run(lexer::kScheme);
    if (uri.scheme_text.empty() || !text::is_alpha(uri.scheme_text.front()) || !cursor.take(':')) {
        return fail(ErrorCode::malformed_uri);
    }
    uri.scheme = scheme_of(uri.scheme_text);
    switch (uri.scheme) {
        case Scheme::Sip:
        case Scheme::Sips:
            return read_sip(cursor.rest(), uri);
        case Scheme::Tel:
            return read_tel(cursor.rest(), uri);
        case Scheme::Other:
            break;
    }
    if (!lexer::all_of(cursor.rest(), lexer::kOpaque)) return fail(ErrorCode::malformed_uri);
    return {};
}

Result<Uri> parse_uri(std::string_view text) {
    Result<Uri> result;
    if (const auto read = read_uri(text, *result); !read) result = tl::unexpected(read.error());
    return result;
}

uint16_t Uri::port_or_default() const {
    if (port) return *port;
    return scheme == Scheme::Sips ? 5061 : 5060;
}

}  // namespace signalbox::sip
