// How many stream connections each source address has, over all shards.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <mutex>

#include "base/ip_endpoint.h"

namespace signalbox::io {

/// Any thread. IPv6 sources count by their /64: one customer has as many addresses as he likes.
/// Connections are accepted rarely enough for a lock.
class SourceConnections final {
 public:
    /// Counts one more connection of `source`; false, and nothing counted, when it has `limit`
    /// already.
    bool add(const IpAddress& source, uint32_t limit);
    void remove(const IpAddress& source);

 private:
    std::mutex mutex_;
    boost::unordered_flat_map<uint64_t, uint32_t> counts_;
};

}  // namespace signalbox::io
