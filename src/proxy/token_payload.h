// The payload of a token, without an allocation: fixed-size fields one behind the other.
#pragma once

#include <array>
#include <cstring>
#include <string_view>

#include "base/ip_endpoint.h"
#include "crypto/token.h"

namespace signalbox::proxy {

/// At most crypto::kTokenPayloadMax octets.
class PayloadWriter final {
 public:
    template <class T>
    void put(T value) {
        std::memcpy(bytes_.data() + size_, &value, sizeof value);
        size_ += sizeof value;
    }
    void put(const IpAddress& address) {
        const size_t octets = address.family == Family::V6 ? 16 : 4;
        std::memcpy(bytes_.data() + size_, address.octets.data(), octets);
        size_ += octets;
    }
    std::string_view view() const { return {bytes_.data(), size_}; }

 private:
    std::array<char, crypto::kTokenPayloadMax> bytes_;
    size_t size_ = 0;
};

/// Reads what PayloadWriter wrote. Reading past the end gives zeros and makes is_whole() false.
class PayloadReader final {
 public:
    explicit PayloadReader(std::string_view bytes) : rest_(bytes) {}
    template <class T>
    T get() {
        T value{};
        if (rest_.size() < sizeof value) {
            ok_ = false;
            return value;
        }
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_.remove_prefix(sizeof value);
        return value;
    }
    IpAddress get_address(Family family) {
        IpAddress address;
        address.family = family;
        const size_t octets = family == Family::V6 ? 16 : 4;
        if (rest_.size() < octets) {
            ok_ = false;
            return address;
        }
        std::memcpy(address.octets.data(), rest_.data(), octets);
        rest_.remove_prefix(octets);
        return address;
    }
    bool is_whole() const { return ok_ && rest_.empty(); }

 private:
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace signalbox::proxy
