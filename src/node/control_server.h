// The socket in data_dir through which the command line talks to the running server: one JSON
// object a line, both ways.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "sinks/json.h"
#include "store/outcome.h"

namespace signalbox::node {

/// Main thread only. A client that is slow, silent or sends garbage costs a session for a bounded
/// time and nothing else.
class ControlServer final {
 public:
    static constexpr size_t kLineBytesMax = 65536;
    static constexpr size_t kSessionsMax = 32;
    static constexpr std::chrono::seconds kIdleTimeout{60};   // for the next question
    static constexpr std::chrono::seconds kWriteTimeout{10};  // for the answer to be read

    using Reply = std::function<void(sinks::Json)>;
    /// Answers `request`, an object, by one call of `reply`, now or later, in the main thread.
    using Handle = std::function<void(const sinks::Json& request, Reply reply)>;

    ControlServer(boost::asio::io_context& context, Handle handle);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    /// Opens data_dir/control.sock for this user only; one that a dead server left behind is
    /// replaced.
    store::Outcome<void> listen(const std::string& data_dir);
    /// Takes no more clients and removes the socket.
    void close();

 private:
    class Session;
    void accept();

    Handle handle_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    boost::asio::steady_timer retry_;
    std::string path_;
    std::shared_ptr<size_t> session_count_ = std::make_shared<size_t>(0);
};

}  // namespace signalbox::node
