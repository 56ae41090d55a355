// The certificates of a configuration, loaded for its listeners.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "io/stream_set.h"
#include "store/outcome.h"

namespace signalbox::node {

/// What secures each listener's connections, by listener. Whole sentences: `made` when a
/// certificate had to be made, `warnings` of those that expire within two weeks.
struct LoadedSecurity {
    std::vector<io::StreamSecurity> listeners;
    std::string made;
    std::vector<std::string> warnings;
};

/// Reads the certificates, keys and authorities that `config` names. A TLS or WSS listener without
/// a certificate gets the one in data_dir, which is made when it does not exist: signed by itself,
/// for the domains, the host name and the addresses of this machine, its key readable by its owner
/// only. The error names the file and what is wrong with it: missing, unreadable, expired, or a key
/// of another certificate.
store::Outcome<LoadedSecurity> load_security(const config::LoadedConfig& config);

/// The same check for files that the configuration names; makes nothing.
store::Outcome<void> check_certificates(const config::LoadedConfig& config);

}  // namespace signalbox::node
