// All phones of a run, in one thread: opened within a window or all at once, and then watched.
#pragma once

#include <cstdint>
#include <vector>

#include "idle/phone.h"

namespace bench {

/// What one opening of all phones came to.
struct Opening {
    std::uint32_t registered = 0;
    std::uint32_t resumed = 0;   // of TLS sessions
    std::uint32_t attempts = 0;  // connections begun, with those that were refused or broken
    double seconds = 0;
    double median_s = 0;  // from the begin of the first attempt to the 200
    double longest_s = 0;
};

/// Single-threaded.
class PhoneSet final {
 public:
    PhoneSet(const PhoneSettings& settings, std::uint32_t count);
    ~PhoneSet();
    PhoneSet(const PhoneSet&) = delete;
    PhoneSet& operator=(const PhoneSet&) = delete;

    /// Opens the first `count` phones, at most `window` at a time, until each is registered or
    /// `seconds_max` have passed. A broken one tries again after a pause.
    Opening open(std::uint32_t count, std::uint32_t window, double seconds_max);
    /// Drops the first `count`.
    void drop(std::uint32_t count);
    /// Handles what comes until `input` can be read. Returns how many phones have lost their
    /// connection.
    std::uint32_t watch(int input);

 private:
    bool begin(std::uint32_t number);
    void handle(std::uint32_t number);
    void watch_events(std::uint32_t number);

    PhoneSettings settings_;
    int epoll_ = -1;
    std::vector<Phone> phones_;
    std::vector<std::uint64_t> first_ns_;  // when the phone's first attempt began
    std::vector<std::uint32_t> broken_;    // to be tried again
    std::vector<double> took_s_;
    std::uint32_t lost_ = 0;
    std::uint32_t resumed_ = 0;
    std::uint32_t attempts_ = 0;
    std::uint32_t under_way_ = 0;
};

}  // namespace bench
