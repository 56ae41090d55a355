// The whole server as one call: from a checked configuration to the exit code.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "sinks/log.h"

namespace signalbox::node {

struct RunOptions {
    std::string version;
    sinks::Log* log = nullptr;  // must outlive the call
    /// A line for the person who started it: "Listening on udp 127.0.0.1:5060." Called in the
    /// caller's thread.
    std::function<void(std::string_view)> progress;
};

/// Runs until SIGTERM or SIGINT has been obeyed. Returns 0; 1 when the server could not start,
/// after `progress` was told why and what to do (a line that begins with "Error: "). Nobody else
/// may run on the same data_dir meanwhile. Blocks.
int run_server(const config::LoadedConfig& config, const RunOptions& options);

}  // namespace signalbox::node
