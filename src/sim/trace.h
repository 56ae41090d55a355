// What was sent between the hosts of a world, and the ladder diagram that shows it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_endpoint.h"
#include "base/time.h"

namespace signalbox::sim {

/// Keeps nothing but a count unless it is told to: a run that fails is run again with more.
class Trace final {
 public:
    enum class Detail : uint8_t { Nothing, Ladder, WholeMessages };

    explicit Trace(Detail detail) : detail_(detail) {}

    /// The column of a host, in the order of the calls.
    void name_host(const IpAddress& address, std::string name);
    void message(Instant at, const IpAddress& from, const IpAddress& to, std::string_view bytes,
                 std::string_view fate);
    /// Something that happened at one host: a restart, a broken oracle.
    void note(Instant at, std::string text);

    uint64_t message_count() const { return message_count_; }
    /// One column per host, time stamps, first lines. Empty when it was not on.
    std::string ladder() const;

 private:
    struct Line {
        Instant at;
        size_t from;
        size_t to;
        std::string text;
    };
    static constexpr size_t kNoHost = SIZE_MAX;
    size_t column(const IpAddress& address);

    Detail detail_;
    uint64_t message_count_ = 0;
    std::map<IpAddress, size_t> columns_;
    std::vector<std::string> names_;
    std::vector<Line> lines_;
};

}  // namespace signalbox::sim
