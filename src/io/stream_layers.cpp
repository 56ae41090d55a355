// What lies between a stream's octets and its SIP messages: TLS, WebSocket, or both.
// Implements: RFC 3261 §26.3.1; RFC 5922 §7; RFC 6455 §4, §5, §7; RFC 7118 §4, §5
#include <sys/socket.h>

#include <algorithm>

#include "io/stream_set.h"
#include "io/web_socket_handshake.h"
#include "sip/message_view.h"

namespace signalbox::io {

namespace {

constexpr size_t kDomainsMax = 4096;
constexpr size_t kNoticesMax = 16;  // of one turn
constexpr std::string_view kPing = "\r\n\r\n";
constexpr std::string_view kPong = "\r\n";
constexpr std::string_view kEmptyLine = "\r\n\r\n";

}  // namespace

bool StreamSet::learn_domain(std::string_view domain) {
    const uint64_t number = transport::PeerDomain::of(domain).number();
    if (domains_.contains(number)) return false;
    if (domains_in_order_.size() == kDomainsMax) {
        domains_.erase(domains_in_order_.front());
        domains_in_order_.pop_front();
    }
    domains_.emplace(number, domain);
    domains_in_order_.push_back(number);
    return true;
}

/// `entry` is the listener that accepted the connection; null: we open it. False when it needs no
/// layers, or when one that we open cannot have them.
bool StreamSet::add_layers(StreamConnection& connection, const Listening* entry) {
    const transport::Flow& flow = connection.flow;
    if (flow.transport == transport::Transport::Tcp) return false;
    auto layers = std::make_unique<StreamLayers>();
    if (entry != nullptr) {
        if (transport::is_secure(flow.transport)) {
            layers->tls = std::make_unique<TlsEngine>(entry->security.server);
        }
    } else {
        const Listening* const own = listening_of(flow.listener);
        if (own == nullptr || own->security.client == nullptr) return false;
        const auto domain = domains_.find(flow.domain.number());
        if (flow.domain && domain == domains_.end()) return false;
        layers->tls = std::make_unique<TlsEngine>(own->security.client,
                                                  flow.domain ? domain->second : std::string(),
                                                  flow.remote.address);
    }
    connection.layers = std::move(layers);
    return true;
}

void StreamSet::begin_handshake(StreamConnection& connection, Instant now) {
    connection.state = StreamConnection::State::Handshaking;
    connection.begun = now;
    TlsEngine* const tls = connection.layers->tls.get();
    if (tls == nullptr) return;
    wire_.clear();
    tls->begin(wire_);
    if (wire_.empty()) return;
    output_of(connection).bytes.append(wire_);
    mark_dirty(connection);
}

void StreamSet::read_layers(Name name, std::string_view wire, Instant now) {
    StreamConnection& connection = *connections_.get(name);
    TlsEngine* const tls = connection.layers->tls.get();
    if (tls == nullptr) {
        take_plain(connection, wire, now);
    } else {
        const bool was_established = tls->state() == TlsEngine::State::Established;
        plain_.clear();
        wire_.clear();
        const TlsEngine::State state = tls->receive(wire, plain_, wire_);
        if (!wire_.empty()) {
            StreamOutput& output = output_of(connection);
            if (output.pending() > limits_.output_bytes_max) {
                counters_.add(Counter::stream_output_full_closed_total);
                return end(name, transport::FlowError::Overflow);
            }
            output.bytes.append(wire_);
            mark_dirty(connection);
        }
        if (state == TlsEngine::State::Failed) return tls_failed(name, was_established);
        if (!was_established && state != TlsEngine::State::Handshaking) {
            tls_established(connection, now);
        }
        if (!plain_.empty()) take_plain(connection, plain_, now);
        if (state == TlsEngine::State::PeerClosed) {
            return end(name, transport::FlowError::ClosedByPeer);
        }
    }
    note_begun(connection, now);
}

/// Since when something is not whole: a record, a frame, or a message in several frames, whose time
/// is one from its first octet on.
void StreamSet::note_begun(StreamConnection& connection, Instant now) {
    if (connection.state != StreamConnection::State::Open || connection.is_held) return;
    const TlsEngine* const tls = connection.layers->tls.get();
    const WebSocketCodec* const codec = connection.layers->web_socket.get();
    const bool is_whole = connection.input.empty() &&
                          (tls == nullptr || tls->is_between_records()) &&
                          (codec == nullptr || codec->is_between_messages());
    if (is_whole) {
        connection.begun = kNever;
    } else if (connection.begun == kNever) {
        connection.begun = now;
    }
}

void StreamSet::tls_established(StreamConnection& connection, Instant now) {
    counters_.add(Counter::tls_handshakes_total);
    TlsEngine& tls = *connection.layers->tls;
    const std::vector<std::string> identities = tls.client_identities();
    if (!identities.empty()) {
        const auto known =
            std::find_if(identities.begin(), identities.end(), [this](const std::string& identity) {
                const auto domain = transport::PeerDomain::of(identity);
                return std::find(limits_.known.begin(), limits_.known.end(), domain) !=
                       limits_.known.end();
            });
        const std::string& chosen = known == identities.end() ? identities.front() : *known;
        learn_domain(chosen);
        connection.flow.domain = transport::PeerDomain::of(chosen);
    }
    if (transport::is_websocket(connection.flow.transport)) return;
    become_open(connection, now);
    if (!connection.output || connection.output->waiting.empty()) return;
    StreamOutput& output = *connection.output;
    // It cannot fail right behind a handshake; if it does, the next read says so.
    static_cast<void>(tls.send(output.waiting, output.bytes));
    output.waiting.clear();
    for (StreamOutput::Owned& owned : output.owned) owned.end = output.bytes.size();
    mark_dirty(connection);
}

void StreamSet::tls_failed(Name name, bool was_established) {
    StreamConnection& connection = *connections_.get(name);
    const TlsEngine& tls = *connection.layers->tls;
    counters_.add(was_established ? Counter::tls_errors_closed_total
                                  : Counter::tls_handshakes_failed_total);
    if (tls.is_certificate_refused()) {
        counters_.add(Counter::tls_server_certificates_refused_total);
    }
    if (!was_established && connection.is_proven) note(connection, tls.trouble());
    // The alert tells the peer why.
    if (connection.output && connection.output->waiting.empty()) send_once(connection);
    end(name, was_established ? transport::FlowError::Framing : transport::FlowError::Handshake);
}

void StreamSet::note(const StreamConnection& connection, std::string reason) {
    if (notices_.size() == kNoticesMax) return;
    const auto domain = domains_.find(connection.flow.domain.number());
    notices_.push_back({connection.flow.remote,
                        domain == domains_.end() ? std::string() : domain->second,
                        std::move(reason)});
}

void StreamSet::take_plain(StreamConnection& connection, std::string_view plain, Instant now) {
    if (connection.input.empty()) return take_input(connection, plain, now, false);
    connection.input.append(plain);
    take_input(connection, connection.input, now, true);
}

size_t StreamSet::deliver_web_socket(StreamConnection& connection, std::string_view buffer) {
    std::string_view rest = buffer;
    if (!connection.layers->web_socket) {
        const size_t used = upgrade(connection, buffer);
        if (!connection.layers->web_socket) return used;
        rest.remove_prefix(used);
    }
    WebSocketCodec& codec = *connection.layers->web_socket;
    for (;;) {
        const WebSocketCodec::Step step =
            connection.is_held ? WebSocketCodec::Step::Message : codec.step(rest);
        connection.is_held = false;
        switch (step) {
            case WebSocketCodec::Step::NeedMore:
                return buffer.size();
            case WebSocketCodec::Step::Message:
                if (!take_web_socket_message(connection, codec.message())) {
                    return buffer.size() - rest.size();
                }
                connection.begun = kNever;
                break;
            case WebSocketCodec::Step::Reply:
                // A ping may stand between the frames of a message, and gives it no more time.
                if (!codec.is_in_message()) connection.begun = kNever;
                // A peer that pings and never reads fills its own queue; the pong may be lost then.
                static_cast<void>(queue_plain(connection, codec.reply()));
                break;
            case WebSocketCodec::Step::Closed:
                if (!codec.is_closed_well()) {
                    counters_.add(Counter::websocket_errors_closed_total);
                }
                static_cast<void>(queue_plain(connection, codec.reply()));
                drain(connection);
                mark_dirty(connection);
                return buffer.size();
        }
    }
}

/// Looks for a whole upgrade request and answers it. Returns how many octets that took.
size_t StreamSet::upgrade(StreamConnection& connection, std::string_view buffer) {
    const size_t found = buffer.find(kEmptyLine);
    const bool is_whole = found != std::string_view::npos;
    const size_t size = is_whole ? found + kEmptyLine.size() : buffer.size();
    // Whatever is not HTTP (TLS on the wrong port, say) is noticed at its first octet.
    const bool is_hopeless =
        size > kUpgradeBytesMax || buffer.front() < 'A' || buffer.front() > 'Z';
    if (!is_whole && !is_hopeless) return 0;
    UpgradeAnswer answer{false, {}};
    if (is_hopeless) {
        answer.response = refuse_upgrade();
    } else {
        const Listening* const entry = listening_of(connection.flow.listener);
        answer = answer_upgrade(buffer.substr(0, size), entry->security.origins);
    }
    static_cast<void>(queue_plain(connection, answer.response));
    if (!answer.is_accepted) {
        counters_.add(Counter::websocket_handshakes_refused_total);
        drain(connection);
        mark_dirty(connection);
        return buffer.size();
    }
    counters_.add(Counter::websocket_handshakes_total);
    connection.layers->web_socket =
        std::make_unique<WebSocketCodec>(sip::StreamFraming::kMessageBytesMax);
    become_open(connection, turn_);
    return size;
}

/// Keep-alives are messages of their own (RFC 7118 §6, RFC 5626 §3.5.1). False: held.
bool StreamSet::take_web_socket_message(StreamConnection& connection, std::string_view message) {
    const bool is_ping = message == kPing;
    if (!is_ping && message != kPong && !message.empty()) return hand_over(connection, message);
    counters_.add(Counter::rx_keepalives_total);
    if (is_ping) static_cast<void>(queue(connection, kPong, {}));
    return true;
}

/// Turns a message into octets for the wire; false when the connection can take none any more.
bool StreamSet::wrap(StreamConnection& connection, std::string_view message, StreamOutput& output) {
    switch (connection.state) {
        case StreamConnection::State::Connecting:
        case StreamConnection::State::Handshaking:
            output.waiting.append(message);
            return true;
        case StreamConnection::State::Draining:
            // Behind a closing frame comes nothing (RFC 6455 §5.5.1).
            if (connection.layers->web_socket) return false;
            break;
        case StreamConnection::State::Open:
        case StreamConnection::State::HalfClosed:
            break;
    }
    std::string_view plain = message;
    if (connection.layers->web_socket) {
        frame_.clear();
        connection.layers->web_socket->append_message(message, frame_);
        plain = frame_;
    }
    if (connection.layers->tls) return connection.layers->tls->send(plain, output.bytes);
    output.bytes.append(plain);
    return true;
}

/// Queues octets that are no SIP message: frames, HTTP.
bool StreamSet::queue_plain(StreamConnection& connection, std::string_view plain) {
    StreamOutput& output = output_of(connection);
    if (output.pending() + plain.size() > limits_.output_bytes_max) return false;
    if (!connection.layers->tls) {
        output.bytes.append(plain);
    } else if (!connection.layers->tls->send(plain, output.bytes)) {
        return false;
    }
    mark_dirty(connection);
    return true;
}

/// Queues what tells the peer that nothing more comes (RFC 6455 §7.1.1, RFC 8446 §6.1).
void StreamSet::say_goodbye(StreamConnection& connection) {
    if (!connection.layers) return;
    const StreamLayers& layers = *connection.layers;
    if (layers.web_socket && connection.state == StreamConnection::State::Open) {
        frame_.clear();
        layers.web_socket->append_going_away(frame_);
        static_cast<void>(queue_plain(connection, frame_));
    }
    if (!layers.tls || layers.tls->state() != TlsEngine::State::Established) return;
    wire_.clear();
    layers.tls->shut_down(wire_);
    output_of(connection).bytes.append(wire_);
}

}  // namespace signalbox::io
