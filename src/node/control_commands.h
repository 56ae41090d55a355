// What the control socket's commands do: statistics, registrations, calls, changed users, version.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "node/control_server.h"
#include "node/shard_queries.h"
#include "node/store_worker.h"

namespace signalbox::node {

/// Main thread only. Lists come in pages of at most kRecordPageMax entries; sinks/json.h says what
/// requests and replies look like.
class ControlCommands final {
 public:
    struct Setup {
        boost::asio::io_context* context = nullptr;
        ShardQueries* queries = nullptr;
        StoreWorker* worker = nullptr;
        store::Store* store = nullptr;
        const Counters* counters = nullptr;  // of the main thread
        std::string version;
        uint8_t shards = 1;
        Instant started;
    };
    explicit ControlCommands(Setup setup) : setup_(std::move(setup)) {}

    void handle(const sinks::Json& request, const ControlServer::Reply& reply);

 private:
    using Reply = ControlServer::Reply;
    void stats(const Reply& reply);
    void registrations(const sinks::Json& request, const Reply& reply);
    void live_calls(const sinks::Json& request, const Reply& reply);
    void records(const sinks::Json& request, const Reply& reply);

    Setup setup_;
};

}  // namespace signalbox::node
