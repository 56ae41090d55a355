// The client's half of WebSocket: the upgrade, masked frames out, plain frames in.
// Implements: RFC 6455 §4.1, §5.2, §5.3; RFC 7118 §4
#include "net/web_socket.h"

#include <openssl/evp.h>
#include <strings.h>

#include <array>
#include <cstring>

#include "net/sip_framing.h"

namespace bench {
namespace {

// The nonce of the upgrade protects caches between a browser and a server. There are none here.
constexpr std::string_view kKey = "c2lnbmFsYm94LWxvYWQtMQ==";
constexpr std::string_view kKeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string accept_value() {
    std::string text(kKey);
    text.append(kKeySuffix);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr);
    std::array<unsigned char, 64> encoded{};
    const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(length));
    return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

/// The value of a header of the response, empty when it is absent.
std::string_view header_value(std::string_view response, std::string_view name) {
    for (std::size_t at = response.find("\r\n"); at != std::string_view::npos;
         at = response.find("\r\n", at)) {
        at += 2;
        const std::string_view line = response.substr(at, response.find("\r\n", at) - at);
        if (line.size() <= name.size() || line[name.size()] != ':') continue;
        if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
        std::string_view value = line.substr(name.size() + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        return value;
    }
    return {};
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

std::string upgrade_request(std::string_view host) {
    std::string text = "GET / HTTP/1.1\r\nHost: ";
    text.append(host).append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
    text.append("Sec-WebSocket-Key: ").append(kKey).append("\r\n");
    text.append("Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n");
    return text;
}

bool is_upgraded(std::string_view response) {
    return response.starts_with("HTTP/1.1 101") &&
           header_value(response, "Sec-WebSocket-Accept") == accept_value() &&
           header_value(response, "Sec-WebSocket-Protocol") == "sip";
}

void append_masked_frame(std::string& out, Opcode opcode, std::string_view payload,
                         std::uint32_t key) {
    constexpr unsigned kFinal = 0x80;
    constexpr unsigned kMasked = 0x80;
    out.push_back(static_cast<char>(kFinal | static_cast<unsigned>(opcode)));
    if (payload.size() < 126) {
        out.push_back(static_cast<char>(kMasked | payload.size()));
    } else if (payload.size() < 65536) {
        out.push_back(static_cast<char>(kMasked | 126));
        append_big_endian(out, payload.size(), 2);
    } else {
        out.push_back(static_cast<char>(kMasked | 127));
        append_big_endian(out, payload.size(), 8);
    }
    std::array<char, 4> mask;
    std::memcpy(mask.data(), &key, mask.size());
    out.append(mask.data(), mask.size());
    const std::size_t begin = out.size();
    out.append(payload);
    char* const at = out.data() + begin;
    const std::uint64_t wide_key = static_cast<std::uint64_t>(key) << 32 | key;
    std::size_t i = 0;
    for (; i + sizeof wide_key <= payload.size(); i += sizeof wide_key) {
        std::uint64_t word;
        std::memcpy(&word, at + i, sizeof word);
        word ^= wide_key;
        std::memcpy(at + i, &word, sizeof word);
    }
    for (; i < payload.size(); ++i) at[i] = static_cast<char>(at[i] ^ mask[i % mask.size()]);
}

WebSocketFrame read_frame(std::string_view bytes) {
    WebSocketFrame frame;
    if (bytes.size() < 2) return frame;
    const auto first = static_cast<unsigned char>(bytes[0]);
    const auto second = static_cast<unsigned char>(bytes[1]);
    frame.opcode = static_cast<Opcode>(first & 0x0f);
    const bool is_final_and_plain = (first & 0xf0) == 0x80;
    if (!is_final_and_plain || frame.opcode == Opcode::Continuation || (second & 0x80) != 0) {
        frame.kind = WebSocketFrame::Kind::Broken;
        return frame;
    }
    const std::size_t extra = second == 127 ? 8 : second == 126 ? 2 : 0;
    frame.header = 2 + extra;
    if (bytes.size() < frame.header) return frame;
    frame.size = extra == 0 ? second : big_endian(bytes.substr(2, extra));
    if (frame.size > kStreamMessageBytesMax) {
        frame.kind = WebSocketFrame::Kind::Broken;
    } else if (bytes.size() - frame.header >= frame.size) {
        frame.kind = WebSocketFrame::Kind::Whole;
    }
    return frame;
}

}  // namespace bench
