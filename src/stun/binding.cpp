// STUN Binding requests as keep-alives.
#include "stun/binding.h"

#include <cstdint>
#include <cstring>

#include "stun/fingerprint.h"

namespace signalbox::stun {
namespace {

constexpr size_t kHeaderBytes = 20;
constexpr size_t kTransactionBegin = 4;  // the cookie and the transaction id
constexpr std::array<uint8_t, 4> kCookie = {0x21, 0x12, 0xa4, 0x42};

constexpr uint16_t kBindingRequest = 0x0001;
constexpr uint16_t kBindingSuccess = 0x0101;
constexpr uint16_t kBindingError = 0x0111;
constexpr uint16_t kErrorCode = 0x0009;
constexpr uint16_t kUnknownAttributes = 0x000a;
constexpr uint16_t kXorMappedAddress = 0x0020;
constexpr uint16_t kFingerprint = 0x8028;
/// Below it, an attribute must be understood or the request refused (RFC 5389 §15).
constexpr uint16_t kOptionalBegin = 0x8000;
/// How many unknown attributes an error names: more are not worth a longer answer.
constexpr size_t kUnknownMax = 4;

uint16_t read16(std::string_view bytes, size_t at) {
    return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                                 static_cast<uint8_t>(bytes[at + 1]));
}

uint32_t read32(std::string_view bytes, size_t at) {
    return static_cast<uint32_t>(read16(bytes, at)) << 16 | read16(bytes, at + 2);
}

/// Whether the FINGERPRINT at `at` is the last attribute and that of what stands before it.
bool is_right_fingerprint(std::string_view datagram, size_t at) {
    return at + 8 == datagram.size() && read16(datagram, at + 2) == 4 &&
           read32(datagram, at + 4) == fingerprint(datagram.substr(0, at));
}

/// Credentials, which a keep-alive needs none of: understood, and not asked for.
bool is_understood(uint16_t type) {
    return type == 0x0006 || type == 0x0008 || type == 0x0014 || type == 0x0015;
}

class Writer final {
 public:
    Writer(Answer& answer, uint16_t type, std::string_view request) : answer_(answer) {
        put16(type);
        put16(0);
        request.copy(answer_.octets.data() + kTransactionBegin, kHeaderBytes - kTransactionBegin,
                     kTransactionBegin);
        answer_.size = kHeaderBytes;
    }
    void put8(uint8_t value) { answer_.octets[answer_.size++] = static_cast<char>(value); }
    void put16(uint16_t value) {
        put8(static_cast<uint8_t>(value >> 8));
        put8(static_cast<uint8_t>(value));
    }
    void finish() {
        const size_t length = answer_.size - kHeaderBytes;
        answer_.octets[2] = static_cast<char>(length >> 8);
        answer_.octets[3] = static_cast<char>(length & 0xff);
    }

 private:
    Answer& answer_;
};

/// XOR with the cookie and the transaction id keeps NATs from rewriting the address (RFC 5389
/// §15.2).
void put_address(Writer& out, const Endpoint& source, std::string_view request) {
    const bool is_v6 = source.address.family == Family::V6;
    const size_t octets = is_v6 ? 16 : 4;
    out.put16(kXorMappedAddress);
    out.put16(static_cast<uint16_t>(4 + octets));
    out.put8(0);
    out.put8(is_v6 ? 2 : 1);
    out.put16(static_cast<uint16_t>(source.port ^ (kCookie[0] << 8 | kCookie[1])));
    for (size_t i = 0; i < octets; ++i) {
        const auto mask = static_cast<uint8_t>(request[kTransactionBegin + i]);
        out.put8(static_cast<uint8_t>(source.address.octets[i] ^ mask));
    }
}

void put_unknown(Writer& out, const std::array<uint16_t, kUnknownMax>& unknown, size_t count) {
    out.put16(kErrorCode);
    out.put16(4);  // without a reason phrase
    out.put16(0);
    out.put8(4);
    out.put8(20);
    out.put16(kUnknownAttributes);
    out.put16(static_cast<uint16_t>(count * 2));
    for (size_t i = 0; i < count; ++i) out.put16(unknown[i]);
    if (count % 2 != 0) out.put16(0);
}

}  // namespace

bool is_stun(std::string_view datagram) {
    return datagram.size() >= kHeaderBytes && (static_cast<uint8_t>(datagram[0]) & 0xc0) == 0 &&
           std::memcmp(datagram.data() + kTransactionBegin, kCookie.data(), kCookie.size()) == 0;
}

std::optional<Answer> answer_binding_request(std::string_view datagram, const Endpoint& source) {
    if (!is_stun(datagram) || read16(datagram, 0) != kBindingRequest) return std::nullopt;
    const size_t length = read16(datagram, 2);
    if (length % 4 != 0 || kHeaderBytes + length != datagram.size()) return std::nullopt;
    std::array<uint16_t, kUnknownMax> unknown{};
    size_t unknown_count = 0;
    for (size_t at = kHeaderBytes; at < datagram.size();) {
        const uint16_t type = read16(datagram, at);
        const size_t size = read16(datagram, at + 2);
        const size_t next = at + 4 + (size + 3) / 4 * 4;
        if (next > datagram.size()) return std::nullopt;
        if (type == kFingerprint && !is_right_fingerprint(datagram, at)) return std::nullopt;
        if (type < kOptionalBegin && !is_understood(type) && unknown_count < kUnknownMax)
            unknown[unknown_count++] = type;
        at = next;
    }
    Answer answer;
    Writer out(answer, unknown_count == 0 ? kBindingSuccess : kBindingError, datagram);
    if (unknown_count == 0) {
        put_address(out, source, datagram);
    } else {
        put_unknown(out, unknown, unknown_count);
    }
    out.finish();
    return answer;
}

}  // namespace signalbox::stun
