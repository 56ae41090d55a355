// The socket in data_dir through which the command line talks to the running server: one JSON
// object a line, both ways.
#include "node/control_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "io/file_descriptor.h"

namespace signalbox::node {

namespace asio = boost::asio;
using asio::local::stream_protocol;

namespace {

constexpr std::chrono::milliseconds kAcceptRetry{200};

}  // namespace

/// One client. Lives as long as one of its waits.
class ControlServer::Session final : public std::enable_shared_from_this<Session> {
 public:
    Session(stream_protocol::socket socket, Handle handle, std::shared_ptr<size_t> count)
        : socket_(std::move(socket)),
          timer_(socket_.get_executor()),
          handle_(std::move(handle)),
          count_(std::move(count)) {
        ++*count_;
    }
    ~Session() { --*count_; }

    void read() {
        close_after(kIdleTimeout);
        asio::async_read_until(
            socket_, asio::dynamic_buffer(input_, kLineBytesMax), '\n',
            [self = shared_from_this()](const boost::system::error_code& error, size_t size) {
                self->timer_.cancel();
                if (error == asio::error::not_found) {
                    self->is_last_ = true;
                    return self->refuse("The line is too long.");
                }
                if (error) return;
                self->answer(size);
            });
    }

 private:
    void answer(size_t size) {
        const sinks::Json request =
            sinks::Json::parse(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(size),
                               nullptr, /*allow_exceptions=*/false);
        input_.erase(0, size);
        if (!request.is_object()) return refuse("The line is not one JSON object.");
        handle_(request, [self = shared_from_this()](const sinks::Json& reply) {
            self->write(sinks::dump(reply) + "\n");
        });
    }
    void refuse(std::string_view why) {
        write(sinks::dump({{"ok", false}, {"error", why}}) + "\n");
    }
    void write(std::string line) {
        output_ = std::move(line);
        close_after(kWriteTimeout);
        asio::async_write(
            socket_, asio::buffer(output_),
            [self = shared_from_this()](const boost::system::error_code& error, size_t) {
                self->timer_.cancel();
                if (!error && !self->is_last_) self->read();
            });
    }
    void close_after(std::chrono::seconds time) {
        timer_.expires_after(time);
        timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            boost::system::error_code ignored;
            if (!error) self->socket_.close(ignored);
        });
    }

    stream_protocol::socket socket_;
    asio::steady_timer timer_;
    Handle handle_;
    std::shared_ptr<size_t> count_;
    std::string input_;
    std::string output_;
    bool is_last_ = false;
};

ControlServer::ControlServer(asio::io_context& context, Handle handle)
    : handle_(std::move(handle)), acceptor_(context), retry_(context) {}

ControlServer::~ControlServer() {
    close();
}

void ControlServer::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
}

store::Outcome<void> ControlServer::listen(const std::string& data_dir) {
    const std::string path = data_dir + "/control.sock";
    const auto fail = [&path] {
        return store::failure("The control socket " + path +
                              " cannot be opened: " + std::strerror(errno) + ".");
    };
    // The path may be longer than sockaddr_un holds; the directory's descriptor is a short name for
    // it.
    const io::FileDescriptor directory(::open(data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return fail();
    const std::string short_path =
        "/proc/self/fd/" + std::to_string(directory.get()) + "/control.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    short_path.copy(address.sun_path, sizeof(address.sun_path) - 1);

    io::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return fail();
    ::unlink(path.c_str());
    // The mode is taken from the socket's own: nobody else can connect between bind and listen.
    if (::fchmod(socket.get(), 0600) != 0) return fail();
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        return fail();
    }
    path_ = path;
    if (::listen(socket.get(), static_cast<int>(kSessionsMax)) != 0) return fail();
    acceptor_.assign(stream_protocol(), socket.release());
    accept();
    return {};
}

void ControlServer::accept() {
    acceptor_.async_accept(
        [this](const boost::system::error_code& error, stream_protocol::socket client) {
            if (error == asio::error::operation_aborted) return;
            // A client past the limit is closed at once; it says so itself.
            if (!error && *session_count_ < kSessionsMax) {
                std::make_shared<Session>(std::move(client), handle_, session_count_)->read();
            }
            if (!error) return accept();
            // Out of descriptors: the client waits in the backlog meanwhile.
            retry_.expires_after(kAcceptRetry);
            retry_.async_wait([this](const boost::system::error_code& stopped) {
                if (!stopped) accept();
            });
        });
}

}  // namespace signalbox::node
