// Values to bytes and back, little-endian and length-prefixed: journal events and messages between
// shards.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace signalbox {

static_assert(std::endian::native == std::endian::little);

/// Appends values to a string that the caller owns.
class ByteWriter final {
 public:
    explicit ByteWriter(std::string& out) : out_(out) {}
    template <class T>
    void number(T value) {
        numbers(value);
    }
    /// One behind the other.
    template <class... Ts>
    void numbers(Ts... values) {
        static_assert(((std::is_integral_v<Ts> || std::is_enum_v<Ts>)&&...));
        char octets[(sizeof(Ts) + ...)];
        char* at = octets;
        ((std::memcpy(at, &values, sizeof(values)), at += sizeof(values)), ...);
        out_.append(octets, sizeof(octets));
    }
    /// At most 4 GiB.
    void text(std::string_view value) {
        number(static_cast<uint32_t>(value.size()));
        out_.append(value);
    }
    /// As they are: the reader must know how many.
    void octets(std::span<const uint8_t> value) {
        out_.append(reinterpret_cast<const char*>(value.data()), value.size());
    }

 private:
    std::string& out_;
};

/// Reads what ByteWriter wrote. Reading past the end gives zeros and empty views and makes ok()
/// false for good.
class ByteReader final {
 public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
    template <class T>
    T number() {
        static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
        T value{};
        if (rest_.size() < sizeof(T)) {
            ok_ = false;
            rest_ = {};
            return value;
        }
        std::memcpy(&value, rest_.data(), sizeof(T));
        rest_.remove_prefix(sizeof(T));
        return value;
    }
    /// A view into the bytes read from.
    std::string_view text() {
        const auto size = number<uint32_t>();
        if (size > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view value = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return value;
    }
    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }

 private:
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace signalbox
