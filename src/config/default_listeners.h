// Where the server listens when nobody says: UDP and TCP 5060 on all addresses.
#pragma once

#include <vector>

#include "transport/listener.h"

namespace signalbox::config {

/// IPv6 only where the machine has it.
std::vector<transport::Listener> default_listeners();

}  // namespace signalbox::config
