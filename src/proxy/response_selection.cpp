// Chooses the response that goes upstream. Implements: RFC 3261 §16.7 step 6; RFC 4320 §4.2
#include "proxy/response_selection.h"

namespace signalbox::proxy {
namespace {

/// Lower is better. Deviation: RFC 3261 §16.7 step 6 — a failure made here (408, 503) never
/// outranks a phone's own answer.
int rank(const Branch& branch, bool is_invite) {
    // Nobody may be sent it (RFC 4320 §4.2).
    if (branch.status == 408 && !is_invite) return 20'000;
    int rank = branch.is_local ? 10'000 : 0;
    const int status_class = branch.status / 100;
    if (status_class == 6) return rank;
    rank += status_class * 100;
    if (branch.status == 503) return rank + 1;  // it would become a 500 that nobody sent
    if (status_class != 4) return rank;
    switch (branch.status) {
        case 401:
        case 407:
        case 415:
        case 420:
        case 484:
            return rank + 1;
        case 486:
            return rank + 2;
        case 408:
            return rank + 4;
        default:
            return rank + 3;
    }
}

}  // namespace

std::optional<size_t> best_response(std::span<const Branch> branches, bool is_invite) {
    std::optional<size_t> best;
    for (size_t i = 0; i < branches.size(); ++i) {
        if (branches[i].state != BranchState::Final || branches[i].status < 300) continue;
        if (!best || rank(branches[i], is_invite) < rank(branches[*best], is_invite)) best = i;
    }
    return best;
}

int upstream_status(int status) {
    return status == 503 ? 500 : status;
}

}  // namespace signalbox::proxy
