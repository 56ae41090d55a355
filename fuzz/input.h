// What the fuzz targets share: reading choices from the input, and checks that stop the fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"

namespace signalbox::fuzz {

/// Splits an input into small numbers and texts. Past its end it gives zeros and empty texts.
class Input final {
 public:
    Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

    uint8_t octet() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    /// 0 to 65535.
    size_t number() {
        const size_t high = octet();
        return high * 256 + octet();
    }
    std::string_view text(size_t size) {
        const std::string_view value = rest_.substr(0, size);
        rest_.remove_prefix(value.size());
        return value;
    }
    std::string_view rest() const { return rest_; }
    bool at_end() const { return rest_.empty(); }

 private:
    std::string_view rest_;
};

/// `inner` lies within `outer`, or is empty.
inline bool is_within(std::string_view outer, std::string_view inner) {
    if (inner.empty()) return true;
    return inner.data() >= outer.data() &&
           inner.data() + inner.size() <= outer.data() + outer.size();
}

}  // namespace signalbox::fuzz
