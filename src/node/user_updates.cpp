// What each shard has to know of users that changed.
#include "node/user_updates.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ports/sharding.h"

namespace signalbox::node {

std::vector<ports::UpdateUsers> updates_of(std::vector<ports::UserRecord> users, uint8_t shards) {
    std::vector<ports::UpdateUsers> updates(shards);
    for (ports::UserRecord& user : users) {
        if (user.is_removed) {
            for (const std::string& address : user.addresses) {
                const uint8_t shard = ports::shard_of_aor(user.tenant, address, shards);
                updates[shard].revoked.push_back({user.tenant, address});
            }
        }
        const uint8_t shard = ports::shard_of_aor(user.tenant, user.name, shards);
        updates[shard].users.push_back(std::move(user));
    }
    return updates;
}

std::vector<ports::UserRecord> take_removed(std::vector<ports::UserRecord>& users) {
    const auto first = std::stable_partition(users.begin(), users.end(),
                                             [](const auto& user) { return !user.is_removed; });
    std::vector<ports::UserRecord> removed(std::make_move_iterator(first),
                                           std::make_move_iterator(users.end()));
    users.erase(first, users.end());
    std::set<std::pair<ports::TenantId, std::string_view>> granted;
    for (const ports::UserRecord& user : users) {
        for (const std::string& address : user.addresses) granted.insert({user.tenant, address});
    }
    const auto is_granted = [&granted](ports::TenantId tenant, std::string_view address) {
        return granted.contains({tenant, address});
    };
    std::erase_if(removed, [&](ports::UserRecord& user) {
        std::erase_if(user.addresses,
                      [&](const std::string& address) { return is_granted(user.tenant, address); });
        return user.addresses.empty() && is_granted(user.tenant, user.name);
    });
    return removed;
}

}  // namespace signalbox::node
