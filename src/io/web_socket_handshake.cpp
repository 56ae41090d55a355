// The server's side of the WebSocket handshake. Implements: RFC 6455 §4.2, §10.2; RFC 7118 §4
#include "io/web_socket_handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "base/text.h"

namespace signalbox::io {

namespace {

namespace http = boost::beast::http;

using Parser = http::request_parser<http::empty_body>;
using Request = http::request<http::empty_body>;

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kVersion = "13";
constexpr std::string_view kSubprotocol = "sip";
constexpr size_t kKeyText = 24;     // 16 octets in base64
constexpr size_t kAcceptText = 28;  // 20 octets in base64

enum class Case : uint8_t { Counts, Ignored };

/// Only field names and values: lists of tokens that may come in several fields.
bool lists(const Request& request, http::field field, std::string_view wanted,
           Case letters = Case::Ignored) {
    const auto range = request.equal_range(field);
    return std::any_of(range.first, range.second, [&](const auto& entry) {
        const http::token_list tokens(entry.value());
        return std::any_of(tokens.begin(), tokens.end(), [&](const auto& token) {
            const std::string_view one(token.data(), token.size());
            return letters == Case::Counts ? one == wanted : text::iequals(one, wanted);
        });
    });
}

/// The value of a field that must come exactly once; empty otherwise.
std::string_view single(const Request& request, http::field field) {
    if (request.count(field) != 1) return {};
    const auto value = request[field];
    return {value.data(), value.size()};
}

/// RFC 6455 §4.2.1 item 5: base64 of 16 octets.
bool is_key(std::string_view key) {
    if (key.size() != kKeyText || !key.ends_with("==")) return false;
    return std::all_of(key.begin(), key.end() - 2, [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || c == '+' || c == '/';
    });
}

std::string accept_value(std::string_view key) {
    const std::string text = std::string(key).append(kGuid);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
    std::array<unsigned char, kAcceptText + 1> out{};
    ::EVP_EncodeBlock(out.data(), digest.data(), static_cast<int>(size));
    return {reinterpret_cast<const char*>(out.data()), kAcceptText};
}

std::string response(std::string_view status, std::string_view fields) {
    std::string text = "HTTP/1.1 ";
    text.append(status).append("\r\n").append(fields);
    return text.append("Connection: close\r\nContent-Length: 0\r\n\r\n");
}

UpgradeAnswer refuse(std::string_view status, std::string_view fields = {}) {
    return {false, response(status, fields)};
}

bool is_origin_allowed(const Request& request, std::span<const std::string> origins) {
    if (origins.empty()) return true;
    const std::string_view origin = single(request, http::field::origin);
    return std::any_of(origins.begin(), origins.end(), [origin](const std::string& allowed) {
        return text::iequals(allowed, origin);
    });
}

}  // namespace

UpgradeAnswer answer_upgrade(std::string_view head, std::span<const std::string> origins) {
    Parser parser;
    parser.header_limit(static_cast<uint32_t>(kUpgradeBytesMax));
    parser.eager(false);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(head.data(), head.size()), error);
    if (error || !parser.is_header_done()) return refuse("400 Bad Request");
    const Request& request = parser.get();
    const bool has_body = parser.chunked() || parser.content_length().value_or(0) != 0;
    if (has_body || request.version() != 11 || request.count(http::field::host) != 1) {
        return refuse("400 Bad Request");
    }
    constexpr std::string_view kUpgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    const bool is_asked_for = lists(request, http::field::upgrade, "websocket") &&
                              lists(request, http::field::connection, "upgrade");
    if (!is_asked_for) return refuse("426 Upgrade Required", kUpgrade);
    if (request.method() != http::verb::get) return refuse("400 Bad Request");
    const std::string_view version = single(request, http::field::sec_websocket_version);
    if (version != kVersion) return refuse("426 Upgrade Required", kUpgrade);
    const std::string_view key = single(request, http::field::sec_websocket_key);
    if (!is_key(key)) return refuse("400 Bad Request");
    if (!is_origin_allowed(request, origins)) return refuse("403 Forbidden");
    // What is answered must be one of those that were offered, letter by letter (RFC 6455 §4.1).
    if (!lists(request, http::field::sec_websocket_protocol, kSubprotocol, Case::Counts)) {
        return refuse("400 Bad Request");
    }
    std::string accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";
    accepted.append("Connection: Upgrade\r\nSec-WebSocket-Accept: ").append(accept_value(key));
    accepted.append("\r\nSec-WebSocket-Protocol: sip\r\n\r\n");
    return {true, std::move(accepted)};
}

std::string refuse_upgrade() {
    return response("400 Bad Request", {});
}

}  // namespace signalbox::io
