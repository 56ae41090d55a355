// Whether octets are UTF-8. Implements: RFC 3629 §3, §4
#include "io/utf8.h"

#include <cstdint>
#include <cstring>

namespace signalbox::io {

namespace {

/// A sequence's first octet lies in [first, last], its second in [second_min, second_max]; all
/// others in 80..BF (the table of RFC 3629 §4).
struct Sequence {
    uint8_t first, last, second_min, second_max, size;
};

constexpr Sequence kSequences[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

/// The size of the sequence at the beginning of `text`, whose first octet is no ASCII; 0: none.
size_t sequence_size(std::string_view text) {
    const auto octet = [text](size_t at) { return static_cast<uint8_t>(text[at]); };
    for (const Sequence& sequence : kSequences) {
        if (octet(0) < sequence.first || octet(0) > sequence.last) continue;
        if (text.size() < sequence.size) return 0;
        if (octet(1) < sequence.second_min || octet(1) > sequence.second_max) return 0;
        for (size_t at = 2; at < sequence.size; ++at) {
            if ((octet(at) & 0xC0) != 0x80) return 0;
        }
        return sequence.size;
    }
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    constexpr uint64_t kHighBits = 0x8080808080808080;
    while (!text.empty()) {
        uint64_t eight = 0;
        if (text.size() >= sizeof(eight)) {
            std::memcpy(&eight, text.data(), sizeof(eight));
            if ((eight & kHighBits) == 0) {
                text.remove_prefix(sizeof(eight));
                continue;
            }
        }
        const bool is_ascii = static_cast<uint8_t>(text.front()) < 0x80;
        const size_t size = is_ascii ? 1 : sequence_size(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

}  // namespace signalbox::io
