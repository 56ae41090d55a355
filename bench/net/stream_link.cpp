// One side of the load over a number of connections to the server, and those that the server opens
// to it.
#include "net/stream_link.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace bench {
namespace {

constexpr std::uint32_t kListenerMark = 0xffffffff;
constexpr int kEventsMax = 64;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

StreamLink::StreamLink(StreamSettings settings)
    : settings_(std::move(settings)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_.value() < 0) fail("epoll_create1");
    if (has_tls(settings_.transport)) context_ = make_client_context();
    if (settings_.listens) listen_for_server();
    sockaddr_in any_port = settings_.local;
    any_port.sin_port = 0;
    for (std::uint32_t i = 0; i < settings_.connections; ++i) {
        add(std::make_unique<StreamConnection>(settings_.transport, any_port, settings_.server,
                                               settings_.server_text, context_.get()));
    }
}

StreamLink::~StreamLink() = default;

void StreamLink::listen_for_server() {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    setsockopt(listener_.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto* const address = reinterpret_cast<const sockaddr*>(&settings_.local);
    if (bind(listener_.value(), address, sizeof settings_.local) != 0 ||
        listen(listener_.value(), SOMAXCONN) != 0) {
        fail("cannot listen at the callee's address");
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = kListenerMark;
    if (epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, listener_.value(), &event) != 0) fail("epoll_ctl");
}

void StreamLink::accept_waiting() {
    for (;;) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        Descriptor accepted(accept4(listener_.value(), reinterpret_cast<sockaddr*>(&peer), &size,
                                    SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (accepted.value() < 0) return;
        add(std::make_unique<StreamConnection>(std::move(accepted), peer, settings_.local_text));
    }
}

void StreamLink::add(std::unique_ptr<StreamConnection> connection) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(connections_.size());
    if (epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, connection->descriptor(), &event) != 0) {
        fail("epoll_ctl");
    }
    connections_.push_back(std::move(connection));
    is_blocked_.push_back(false);
    is_unsent_.push_back(false);
}

void StreamLink::watch(std::uint32_t connection, bool is_for_writing) {
    if (is_blocked_[connection] == is_for_writing) return;
    is_blocked_[connection] = is_for_writing;
    epoll_event event{};
    event.events = EPOLLIN;
    if (is_for_writing) event.events |= EPOLLOUT;
    event.data.u32 = connection;
    epoll_ctl(epoll_.value(), EPOLL_CTL_MOD, connections_[connection]->descriptor(), &event);
}

std::size_t StreamLink::receive() {
    found_.clear();
    std::array<epoll_event, kEventsMax> events;
    const int count = epoll_wait(epoll_.value(), events.data(), kEventsMax, 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const std::uint32_t connection = event.data.u32;
        if (connection == kListenerMark) {
            accept_waiting();
            continue;
        }
        // What was left is in unsent_ already; flush() tries it again.
        if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read_from(connection);
    }
    return found_.size();
}

void StreamLink::read_from(std::uint32_t connection) {
    StreamConnection& source = *connections_[connection];
    pieces_.clear();
    source.receive(pieces_);
    for (const StreamConnection::Piece& piece : pieces_) found_.push_back({connection, piece});
    if (source.has_output()) note_unsent(connection);  // answers to pings
    if (!source.is_open()) {
        epoll_ctl(epoll_.value(), EPOLL_CTL_DEL, source.descriptor(), nullptr);
    }
}

Received StreamLink::received(std::size_t index) const {
    const Found& found = found_[index];
    const StreamConnection& source = *connections_[found.connection];
    return {found.piece.arrival,
            source.input().substr(found.piece.begin, found.piece.size),
            {source.peer(), found.connection}};
}

Peer StreamLink::to_server(std::uint32_t key) const {
    return {settings_.server, settings_.connections == 0 ? 0 : key % settings_.connections};
}

std::string_view StreamLink::local(std::uint32_t connection) const {
    return connections_[connection]->local();
}

void StreamLink::send(std::string_view bytes, const Peer& to) {
    connections_[to.connection]->send(bytes);
    note_unsent(to.connection);
}

void StreamLink::note_unsent(std::uint32_t connection) {
    if (is_unsent_[connection]) return;
    is_unsent_[connection] = true;
    unsent_.push_back(connection);
}

void StreamLink::flush() {
    std::size_t left = 0;
    for (const std::uint32_t connection : unsent_) {
        const bool is_left = connections_[connection]->flush();
        watch(connection, is_left);
        is_unsent_[connection] = is_left;
        if (is_left) unsent_[left++] = connection;
    }
    unsent_.resize(left);
}

}  // namespace bench
