// The whole server as one call: from a checked configuration to the exit code.
#include "node/run_server.h"

#include "node/node.h"

namespace signalbox::node {

int run_server(const config::LoadedConfig& config, const RunOptions& options) {
    // A log on standard error would only say the same again.
    const bool is_logged = !options.progress || !config.log_file.empty();
    boost::asio::io_context context(1);
    Node node(context, config, options);
    if (const auto started = node.start(); !started) {
        if (is_logged) options.log->error("start_failed", {{"reason", started.error().text}});
        if (options.progress) options.progress("Error: " + started.error().text);
        return 1;
    }
    context.run();
    node.shut_down();
    if (is_logged) options.log->info("stopped");
    if (options.progress) options.progress("Stopped.");
    return 0;
}

}  // namespace signalbox::node
