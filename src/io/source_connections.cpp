// How many stream connections each source address has, over all shards.
#include "io/source_connections.h"

#include <cstring>

namespace signalbox::io {

namespace {

/// The /64 of an IPv6 address; an IPv4 address in a range that no global /64 has (it begins with 32
/// zero bits).
uint64_t key_of(const IpAddress& source) {
    uint64_t key = 0;
    if (source.family == Family::V4) {
        std::memcpy(reinterpret_cast<char*>(&key) + 4, source.octets.data(), 4);
    } else {
        std::memcpy(&key, source.octets.data(), sizeof(key));
    }
    return key;
}

}  // namespace

bool SourceConnections::add(const IpAddress& source, uint32_t limit) {
    const std::lock_guard lock(mutex_);
    uint32_t& count = counts_[key_of(source)];
    if (count >= limit) return false;
    ++count;
    return true;
}

void SourceConnections::remove(const IpAddress& source) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(key_of(source));
    if (found == counts_.end()) return;
    if (--found->second == 0) counts_.erase(found);
}

}  // namespace signalbox::io
