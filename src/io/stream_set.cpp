// The life of stream connections: accepted, opened, found again, timed out, closed.
// Implements: RFC 3261 §18.1.1, §18.2.2, §18.4
#include "io/stream_set.h"

#include <netinet/tcp.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/random.h"
#include "io/socket_address.h"

namespace signalbox::io {

size_t EndpointHash::operator()(const Endpoint& endpoint) const {
    std::array<char, 18> octets;
    std::memcpy(octets.data(), endpoint.address.octets.data(), 16);
    std::memcpy(octets.data() + 16, &endpoint.port, 2);
    return siphash(key, {octets.data(), octets.size()});
}

namespace {

std::array<uint64_t, 2> random_key() {
    std::array<uint64_t, 2> key{};
    CHECK(::getrandom(key.data(), sizeof(key), 0) == sizeof(key));
    return key;
}

constexpr uint32_t kPlacesMax =
    1u << 24;  // of the slab; limits_.connections_max is the limit that counts
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kSweepInterval = std::chrono::seconds(1);
constexpr Duration kAcceptPause = std::chrono::milliseconds(200);
constexpr size_t kScratchBytes = 65536;

bool is_out_of_descriptors(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// The address that a connection to `flow` must leave from; no family: the system's choice.
Endpoint source_for(const transport::Flow& flow, const Endpoint& bound) {
    const Family family = flow.remote.address.family;
    if (!bound.address.is_unspecified() && bound.address.family == family) {
        return {bound.address, 0};
    }
    if (!flow.local.address.is_unspecified() && flow.local.address.family == family) {
        return {flow.local.address, 0};
    }
    return {};
}

}  // namespace

StreamSet::StreamSet(asio::io_context& context, uint8_t shard, const StreamLimits& limits,
                     Counters& counters, StreamSink& sink)
    : context_(context),
      shard_(shard),
      limits_(limits),
      counters_(counters),
      sink_(sink),
      connections_(kPlacesMax),
      by_remote_(16, EndpointHash{random_key()}),
      scratch_(std::make_unique_for_overwrite<char[]>(kScratchBytes)) {}

StreamSet::~StreamSet() {
    is_ending_ = true;
}

StreamSet::Name StreamSet::name_of(const StreamConnection& connection) const {
    return Name{connection.flow.connection, connection.flow.generation};
}

bool StreamSet::is_flushed() const {
    if (!dirty_.empty()) return false;
    auto& connections = const_cast<Connections&>(connections_);
    for (uint32_t index = 0; index < connections.places(); ++index) {
        const StreamConnection* connection = connections.get(connections.at(index));
        if (connection != nullptr && connection->output) return false;
    }
    return true;
}

void StreamSet::add_listener(uint16_t listener, const Endpoint& bound, FileDescriptor socket) {
    Listening entry{listener, bound, nullptr};
    if (socket) entry.descriptor = std::make_unique<Descriptor>(context_, socket.release());
    listening_.push_back(std::move(entry));
    if (listening_.back().descriptor) await_accept(listening_.size() - 1);
}

void StreamSet::await_accept(size_t index) {
    listening_[index].descriptor->async_wait(descriptor_base::wait_read,
                                             [this, index](const boost::system::error_code& error) {
                                                 if (error || is_ending_) return;
                                                 accept_ready(index);
                                             });
}

void StreamSet::accept_ready(size_t index) {
    const Instant now = sink_.begin_turn().monotonic;
    Listening& entry = listening_[index];
    for (int count = 0; count < kAcceptsPerTurn; ++count) {
        SocketAddress address{};
        socklen_t size = sizeof(address);
        FileDescriptor socket(::accept4(entry.descriptor->native_handle(), &address.any, &size,
                                        SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (is_out_of_descriptors(errno)) {
                counters_.add(Counter::stream_refused_limit_total);
                entry.is_paused = true;
                accept_again_ = now + kAcceptPause;
            }
            if (errno == EINTR || errno == ECONNABORTED) continue;
            break;
        }
        if (is_at_limit()) {
            counters_.add(Counter::stream_refused_limit_total);
            continue;
        }
        const Name name =
            adopt(std::move(socket), entry.listener, from_socket_address(address), now);
        if (!name) {
            counters_.add(Counter::stream_refused_limit_total);
            continue;
        }
        StreamConnection& connection = *connections_.get(name);
        connection.state = StreamConnection::State::Open;
        by_remote_[connection.flow.remote] = name;
        counters_.add(Counter::stream_accepted_total);
        await_input(name);
    }
    if (!entry.is_paused) await_accept(index);
    sink_.end_turn();
}

bool StreamSet::is_at_limit() {
    return connections_.size() >= limits_.connections_max;
}

StreamSet::Name StreamSet::adopt(FileDescriptor socket, uint16_t listener, const Endpoint& remote,
                                 Instant now) {
    const int fd = socket.get();
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const Name name = connections_.emplace(context_);
    if (!name) return {};
    StreamConnection& connection = *connections_.get(name);
    boost::system::error_code error;
    connection.descriptor.assign(fd, error);
    if (error) {
        connections_.erase(name);
        return {};
    }
    socket.release();
    connection.heard = now;
    connection.flow = {transport::Transport::Tcp, shard_, listener, name.index, name.generation,
                       local_endpoint(fd),        remote};
    if (next_sweep_ == kNever) next_sweep_ = now + kSweepInterval;
    return name;
}

StreamSet::Name StreamSet::find(const transport::Flow& flow) {
    if (flow.connection != transport::Flow::kNoConnection) {
        const Name name{flow.connection, flow.generation};
        const StreamConnection* connection = connections_.get(name);
        // Numbers begin again when the server does: a flow from before a restart may name another
        // peer's connection.
        if (connection != nullptr && connection->flow.remote.address == flow.remote.address)
            return name;
    }
    const auto found = by_remote_.find(flow.remote);
    return found == by_remote_.end() ? Name{} : found->second;
}

void StreamSet::send(Instant now, const transport::Flow& flow, std::string_view bytes,
                     StreamOwner owner) {
    Name name = find(flow);
    if (!name) name = open(now, flow);
    StreamConnection* connection = connections_.get(name);
    if (connection != nullptr && queue(*connection, bytes, owner)) {
        counters_.add(Counter::tx_packets_total);
        return;
    }
    counters_.add(Counter::tx_failed_total);
    if (owner.id != 0) failed_owners_.push_back(owner);
    if (connection != nullptr) end(name, transport::FlowError::Overflow);
}

StreamSet::Name StreamSet::open(Instant now, const transport::Flow& flow) {
    if (is_at_limit()) {
        counters_.add(Counter::stream_refused_limit_total);
        return {};
    }
    SocketAddress remote{};
    const socklen_t remote_size = to_socket_address(flow.remote, remote);
    if (remote_size == 0 || flow.remote.port == 0) return {};
    FileDescriptor socket(
        ::socket(remote.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return {};

    Endpoint source;
    for (const Listening& entry : listening_) {
        if (entry.listener == flow.listener) source = source_for(flow, entry.bound);
    }
    SocketAddress local{};
    const socklen_t local_size = to_socket_address(source, local);
    if (local_size != 0) {
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (::bind(socket.get(), &local.any, local_size) != 0) return {};
    }
    if (::connect(socket.get(), &remote.any, remote_size) != 0 && errno != EINPROGRESS) return {};

    const Name name = adopt(std::move(socket), flow.listener, flow.remote, now);
    if (!name) return {};
    by_remote_[flow.remote] = name;
    connecting_.push_back({name, now + limits_.connect_timeout});
    await_connected(name);
    return name;
}

void StreamSet::await_connected(Name name) {
    connections_.get(name)->descriptor.async_wait(
        descriptor_base::wait_write, [this, name](const boost::system::error_code&) {
            if (!is_ending_ && connections_.get(name) != nullptr) connected(name);
        });
}

void StreamSet::connected(Name name) {
    const Instant now = sink_.begin_turn().monotonic;
    StreamConnection& connection = *connections_.get(name);
    const int fd = connection.descriptor.native_handle();
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        end(name, transport::FlowError::ConnectFailed);
    } else {
        counters_.add(Counter::stream_opened_total);
        connection.state = StreamConnection::State::Open;
        connection.heard = now;
        connection.flow.local = local_endpoint(fd);
        await_input(name);
        write(name);
    }
    sink_.end_turn();
}

void StreamSet::close(const transport::Flow& flow, transport::FlowError why) {
    const Name name{flow.connection, flow.generation};
    if (connections_.get(name) == nullptr) return;
    write(name);
    if (connections_.get(name) != nullptr) end(name, why);
}

void StreamSet::end(Name name, transport::FlowError why) {
    StreamConnection& connection = *connections_.get(name);
    fail_output(connection);
    if (connection.state != StreamConnection::State::Connecting) {
        counters_.add(Counter::stream_closed_total);
        closed_.push_back({connection.flow, why});
    }
    const auto found = by_remote_.find(connection.flow.remote);
    if (found != by_remote_.end() && found->second == name) by_remote_.erase(found);
    give_spare(std::move(connection.input));
    connections_.erase(name);
}

void StreamSet::on_time(Instant now) {
    while (!connecting_.empty()) {
        const Connecting& first = connecting_.front();
        const StreamConnection* connection = connections_.get(first.name);
        const bool is_over =
            connection == nullptr || connection->state != StreamConnection::State::Connecting;
        if (!is_over && first.deadline > now) break;
        if (!is_over) end(first.name, transport::FlowError::ConnectTimedOut);
        connecting_.pop_front();
    }
    if (accept_again_ <= now) {
        accept_again_ = kNever;
        for (size_t index = 0; index < listening_.size(); ++index) {
            if (!listening_[index].is_paused) continue;
            listening_[index].is_paused = false;
            await_accept(index);
        }
    }
    if (next_sweep_ > now) return;
    connections_.for_each([this, now](Name name, StreamConnection& connection) {
        const Duration silent = now - connection.heard;
        const bool has_begun = connection.begun != kNever && !connection.is_held;
        const Duration begun = has_begun ? now - connection.begun : Duration{};
        if (connection.state == StreamConnection::State::Draining) {
            if (begun >= limits_.drain_timeout) end(name, transport::FlowError::Framing);
        } else if (silent >= limits_.idle_timeout || begun >= limits_.message_timeout) {
            counters_.add(Counter::stream_idle_closed_total);
            end(name, transport::FlowError::IdleTimeout);
        }
    });
    next_sweep_ = connections_.size() == 0 ? kNever : now + kSweepInterval;
}

Instant StreamSet::next_deadline() const {
    Instant next = std::min(next_sweep_, accept_again_);
    if (!connecting_.empty()) next = std::min(next, connecting_.front().deadline);
    return next;
}

}  // namespace signalbox::io
