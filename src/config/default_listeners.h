// Where the server listens when nobody says: UDP and TCP 5060 on all addresses.
#pragma once

#include <vector>

#include "transport/listener.h"

namespace signalbox::config {

/// IPv6 only where the machine has it.
// Deviation: RFC 3261 §18.2.1 — whoever configures listeners himself may leave TCP out: a server
// that only serves UDP phones, or none that is not encrypted, is his to run.
std::vector<transport::Listener> default_listeners();

}  // namespace signalbox::config
