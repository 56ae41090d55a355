// How long answers of DNS are waited for and remembered, and next hops that failed are avoided.
#pragma once

#include "base/time.h"

namespace signalbox::resolver {

/// Part of a snapshot.
struct ResolverSettings {
    Duration lookup_max = std::chrono::seconds(4);  // from a name to the first address
    Duration ttl_max = std::chrono::hours(1);
    Duration negative_ttl_max = std::chrono::minutes(5);
    Duration stale_max = std::chrono::hours(24);  // an answer that has expired, while servers fail
    Duration hold_down = std::chrono::seconds(30);     // a next hop that failed is tried last
    Duration hold_down_max = std::chrono::minutes(5);  // of what a Retry-After may ask for

    friend bool operator==(const ResolverSettings&, const ResolverSettings&) = default;
};

}  // namespace signalbox::resolver
