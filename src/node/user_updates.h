// What each shard has to know of users that changed.
#pragma once

#include <vector>

#include "ports/command.h"

namespace signalbox::node {

/// One update per shard: each user at the shard of his name, and the addresses of removed ones at
/// the shards of these.
std::vector<ports::UpdateUsers> updates_of(std::vector<ports::UserRecord> users, uint8_t shards);

/// Takes those who were removed out of `users`. Who is granted an address now may have bound it
/// since: it is no longer one of theirs, by name or by grant.
std::vector<ports::UserRecord> take_removed(std::vector<ports::UserRecord>& users);

}  // namespace signalbox::node
