// The life of stream connections: accepted, opened, found again, closed.
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

size_t StreamKeyHash::operator()(const StreamKey& stream) const {
    std::array<char, 27> octets;
    std::memcpy(octets.data(), stream.remote.address.octets.data(), 16);
    std::memcpy(octets.data() + 16, &stream.remote.port, 2);
    const uint64_t domain = stream.domain.number();
    std::memcpy(octets.data() + 18, &domain, sizeof(domain));
    octets[26] = static_cast<char>(stream.transport);
    return siphash(key, {octets.data(), octets.size()});
}

namespace {

std::array<uint64_t, 2> random_key() {
    std::array<uint64_t, 2> key{};
    CHECK(::getrandom(key.data(), sizeof(key), 0) == sizeof(key));
    return key;
}

/// Tokens and bindings outlive the server. What named a connection of an earlier run must not name
/// one of this run, which may be another phone's behind the same router.
uint32_t random_generation() {
    uint32_t generation = 0;
    CHECK(::getrandom(&generation, sizeof(generation), 0) == sizeof(generation));
    return generation == 0 ? 1 : generation;
}

constexpr uint32_t kPlacesMax =
    1u << 24;  // of the slab; limits_.connections_max is the limit that counts
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kAcceptPause = std::chrono::milliseconds(200);
constexpr size_t kScratchBytes = 65536;
constexpr std::string_view kResponseBegin = "SIP/2.0 ";

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
      connections_(kPlacesMax, random_generation()),
      by_key_(16, StreamKeyHash{random_key()}),
      scratch_(std::make_unique_for_overwrite<char[]>(kScratchBytes)) {}

StreamSet::~StreamSet() {
    is_ending_ = true;
}

StreamSet::Name StreamSet::name_of(const StreamConnection& connection) const {
    return Name{connection.flow.connection, connection.flow.generation};
}

bool StreamSet::is_flushed() const {
    if (!dirty_.empty() || !lost_answers_.empty()) return false;
    auto& connections = const_cast<Connections&>(connections_);
    for (uint32_t index = 0; index < connections.places(); ++index) {
        const StreamConnection* connection = connections.get(connections.at(index));
        if (connection != nullptr && connection->output) return false;
    }
    return true;
}

void StreamSet::add_listener(uint16_t listener, const Endpoint& bound, FileDescriptor socket,
                             transport::Transport transport, StreamSecurity security) {
    CHECK(!transport::is_secure(transport) || security.server != nullptr);
    Listening entry{listener, bound, transport, std::move(security), nullptr};
    if (socket) entry.descriptor = std::make_unique<Descriptor>(context_, socket.release());
    listening_.push_back(std::move(entry));
    if (listening_.back().descriptor) await_accept(listening_.size() - 1);
}

void StreamSet::secure(uint16_t listener, StreamSecurity security) {
    for (Listening& entry : listening_) {
        if (entry.listener == listener) entry.security = security;
    }
}

const StreamSet::Listening* StreamSet::listening_of(uint16_t listener) const {
    for (const Listening& entry : listening_) {
        if (entry.listener == listener) return &entry;
    }
    return nullptr;
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
    if (is_to_put_off(entry)) {
        counters_.add(Counter::stream_accepts_put_off_total);
        entry.is_put_off = is_accept_put_off_ = true;
        return sink_.end_turn();
    }
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
        accept(entry, std::move(socket), from_socket_address(address), now);
    }
    if (!entry.is_paused) await_accept(index);
    sink_.end_turn();
}

void StreamSet::accept(const Listening& entry, FileDescriptor socket, const Endpoint& remote,
                       Instant now) {
    if (is_at_limit()) return counters_.add(Counter::stream_refused_limit_total);
    const bool is_free = is_exempt(remote.address);
    if (!is_free && !sources_->add(remote.address, limits_.connections_per_source)) {
        return counters_.add(Counter::stream_refused_source_total);
    }
    transport::Flow flow;
    flow.transport = entry.transport;
    flow.listener = entry.listener;
    flow.remote = remote;
    const Name name = adopt(std::move(socket), flow, now);
    if (!name) {
        if (!is_free) sources_->remove(remote.address);
        return counters_.add(Counter::stream_refused_limit_total);
    }
    StreamConnection& connection = *connections_.get(name);
    connection.is_new = true;
    connection.is_counted = !is_free;
    connection.is_proven = is_free;
    counters_.add(Counter::stream_accepted_total);
    if (add_layers(connection, &entry)) {
        begin_handshake(connection, now);
    } else {
        become_open(connection, now);
    }
    await_input(name);
}

bool StreamSet::is_exempt(const IpAddress& source) const {
    return std::any_of(limits_.exempt.begin(), limits_.exempt.end(),
                       [&source](const Network& network) { return network.contains(source); });
}

void StreamSet::become_open(StreamConnection& connection, Instant now) {
    connection.state = StreamConnection::State::Open;
    connection.was_open = true;
    connection.opened = now;
    connection.begun = kNever;
    by_key_[StreamKey::of(connection.flow)] = name_of(connection);
}

bool StreamSet::is_at_limit() {
    return connections_.size() >= limits_.connections_max;
}

/// A router forgets a connection on which nothing passes, some after two minutes. The system's
/// probes keep it; the peer is not given up for leaving them unanswered, as he may come back.
void StreamSet::keep_alive(int fd) {
    constexpr int kOn = 1, kProbeSeconds = 100, kProbesMax = 127;
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof(kOn));
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kProbeSeconds, sizeof(kProbeSeconds));
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kProbeSeconds, sizeof(kProbeSeconds));
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbesMax, sizeof(kProbesMax));
}

StreamSet::Name StreamSet::adopt(FileDescriptor socket, const transport::Flow& flow, Instant now) {
    const int fd = socket.get();
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    keep_alive(fd);
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
    connection.flow = flow;
    connection.flow.shard = shard_;
    connection.flow.connection = name.index;
    connection.flow.generation = name.generation;
    connection.flow.local = local_endpoint(fd);
    if (next_sweep_ == kNever) next_sweep_ = now + kSweepInterval;
    return name;
}

StreamSet::Message StreamSet::message_of(std::string_view bytes) {
    if (!bytes.starts_with(kResponseBegin)) return Message::Request;
    return bytes.substr(kResponseBegin.size(), 1) == "1" ? Message::Provisional : Message::Final;
}

StreamSet::Name StreamSet::find(const transport::Flow& flow, Message message) {
    if (flow.connection != transport::Flow::kNoConnection) {
        const Name name{flow.connection, flow.generation};
        const StreamConnection* connection = connections_.get(name);
        // A flow from before a restart does not name another peer's connection, whatever its
        // number.
        const bool is_named = connection != nullptr &&
                              connection->flow.transport == flow.transport &&
                              connection->flow.remote.address == flow.remote.address;
        const bool is_usable =
            is_named && (message != Message::Request ||
                         connection->state != StreamConnection::State::HalfClosed);
        if (is_usable) return name;
    }
    const auto found = by_key_.find(StreamKey::of(flow));
    return found == by_key_.end() ? Name{} : found->second;
}

void StreamSet::send(Instant now, const transport::Flow& flow, std::string_view bytes,
                     StreamOwner owner, Duration connect_max) {
    turn_ = now;
    const Message message = message_of(bytes);
    Name name = find(flow, message);
    if (!name) name = open(now, flow);
    if (connect_max > Duration{}) limit_connect(name, now + connect_max);
    StreamConnection* connection = connections_.get(name);
    if (connection != nullptr && queue(*connection, bytes, owner)) {
        if (connection->state == StreamConnection::State::HalfClosed)
            keep_answer(*connection, flow, bytes, owner);
        note_answer(*connection, now, message);
        if (connection->unheard == kNever) connection->unheard = now;
        counters_.add(Counter::tx_packets_total);
        return;
    }
    counters_.add(Counter::tx_failed_total);
    if (owner.id != 0) failed_owners_.push_back(owner);
    if (connection != nullptr) end(name, transport::FlowError::Overflow);
}

StreamSet::Name StreamSet::open(Instant now, const transport::Flow& flow) {
    // RFC 7118 §5: nobody listens where a WebSocket client came from.
    if (transport::is_websocket(flow.transport)) return {};
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

    const Listening* const entry = listening_of(flow.listener);
    const Endpoint source = entry == nullptr ? Endpoint{} : source_for(flow, entry->bound);
    SocketAddress local{};
    const socklen_t local_size = to_socket_address(source, local);
    if (local_size != 0) {
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (::bind(socket.get(), &local.any, local_size) != 0) return {};
    }
    if (::connect(socket.get(), &remote.any, remote_size) != 0 && errno != EINPROGRESS) return {};

    const Name name = adopt(std::move(socket), flow, now);
    if (!name) return {};
    StreamConnection& connection = *connections_.get(name);
    connection.is_proven = true;
    if (transport::is_secure(flow.transport) && !add_layers(connection, nullptr)) {
        connections_.erase(name);
        return {};
    }
    by_key_[StreamKey::of(flow)] = name;
    connecting_.push_back({name, now + limits_.connect_timeout});
    await_connected(name);
    return name;
}

/// Brings the end of a connect forward.
void StreamSet::limit_connect(Name name, Instant deadline) {
    const auto found = std::find_if(connecting_.begin(), connecting_.end(),
                                    [name](const Connecting& each) { return each.name == name; });
    if (found == connecting_.end() || found->deadline <= deadline) return;
    connecting_.erase(found);
    const auto place = std::upper_bound(
        connecting_.begin(), connecting_.end(), deadline,
        [](Instant value, const Connecting& each) { return value < each.deadline; });
    connecting_.insert(place, {name, deadline});
}

void StreamSet::await_connected(Name name) {
    connections_.get(name)->descriptor.async_wait(
        descriptor_base::wait_write, [this, name](const boost::system::error_code&) {
            if (!is_ending_ && connections_.get(name) != nullptr) connected(name);
        });
}

void StreamSet::connected(Name name) {
    const Instant now = sink_.begin_turn().monotonic;
    turn_ = now;
    StreamConnection& connection = *connections_.get(name);
    const int fd = connection.descriptor.native_handle();
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        end(name, transport::FlowError::ConnectFailed);
    } else {
        counters_.add(Counter::stream_opened_total);
        connection.heard = now;
        connection.flow.local = local_endpoint(fd);
        if (connection.layers) {
            begin_handshake(connection, now);
        } else {
            become_open(connection, now);
        }
        await_input(name);
        write(name);
    }
    sink_.end_turn();
}

void StreamSet::close(const transport::Flow& flow, transport::FlowError why) {
    const Name name{flow.connection, flow.generation};
    StreamConnection* const connection = connections_.get(name);
    if (connection == nullptr) return;
    say_goodbye(*connection);
    write(name);
    if (connections_.get(name) != nullptr) end(name, why);
}

void StreamSet::end(Name name, transport::FlowError why) {
    StreamConnection& connection = *connections_.get(name);
    lose_answers(connection, why);
    fail_output(connection);
    if (connection.state != StreamConnection::State::Connecting) {
        counters_.add(Counter::stream_closed_total);
    }
    if (connection.was_open) closed_.push_back({connection.flow, why});
    if (connection.is_counted) sources_->remove(connection.flow.remote.address);
    leave_by_key(connection);
    give_spare(std::move(connection.input));
    connections_.erase(name);
}

/// Who names no connection finds another one from now on, or opens one.
void StreamSet::leave_by_key(const StreamConnection& connection) {
    const auto found = by_key_.find(StreamKey::of(connection.flow));
    if (found != by_key_.end() && found->second == name_of(connection)) by_key_.erase(found);
}

}  // namespace signalbox::io
