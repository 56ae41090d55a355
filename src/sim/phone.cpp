// A scripted user agent: its life, its transport, and who gets what arrives.
#include "sim/phone.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace signalbox::sim {

Phone::Phone(PhoneConfig config, EventQueue& queue, Network& network, Random random)
    : config_(std::move(config)), queue_(queue), network_(network), random_(random) {}

void Phone::after(Duration delay, EventQueue::Action action) {
    queue_.after(delay, [this, incarnation = incarnation_, action = std::move(action)] {
        if (incarnation == incarnation_) action();
    });
}

std::string Phone::token(std::string_view prefix) {
    return std::string(prefix) + config_.name + std::to_string(next_token_++) + 'x' +
           std::to_string(random_.below(1'000'000'000));
}

Duration Phone::draw(Duration min, Duration max) {
    const auto span = static_cast<uint64_t>((max - min).count());
    return min + Duration(static_cast<int64_t>(random_.below(span + 1)));
}

std::string Phone::contact_uri() const {
    std::string uri = "sip:" + config_.name + '@' + config_.contact.to_string();
    if (transport::is_reliable(config_.transport)) uri += ";transport=tcp";
    return uri;
}

std::string Phone::contact_value() const {
    std::string value = '<' + contact_uri() + '>';
    if (!config_.instance.empty()) value += ";+sip.instance=\"<" + config_.instance + ">\"";
    if (config_.reg_id != 0) value += ";reg-id=" + std::to_string(config_.reg_id);
    return value;
}

bool Phone::is_registered() const {
    return is_up_ && queue_.now().monotonic < registered_until_;
}

Phone::Path Phone::server_path() const {
    return Path{config_.transport, config_.server, 0};
}

std::string Phone::write(const TextMessage& message) const {
    if (!config_.is_compact) return message.to_string();
    TextMessage copy = message;
    for (TextMessage::Header& header : copy.headers) {
        if (header.name == "Via") header.name = "v";
        if (header.name == "From") header.name = "f";
        if (header.name == "To") header.name = "T";
        if (header.name == "Call-ID") header.name = "i";
        if (header.name == "Contact") header.name = "m";
    }
    return copy.to_string();
}

TextMessage Phone::new_request(const std::string& method, const std::string& target) {
    TextMessage request = TextMessage::request(method, target);
    request.add("From", '<' + aor() + ">;tag=" + token("f"));
    request.add("To", '<' + target + '>');
    request.add("Call-ID", token("c") + '@' + config_.name + ".invalid");
    request.add("CSeq", std::to_string(1 + random_.below(1000)) + ' ' + method);
    request.add("Max-Forwards", std::to_string(20 + random_.below(50)));
    request.add("X-Probe", token("a;b,  \"c\" ") + "\r\n\t folded");
    return request;
}

void Phone::boot() {
    is_up_ = true;
    ++incarnation_;
    register_call_id_.clear();
    if (config_.moves_at_boot) ++config_.contact.port;
    network_.attach(config_.endpoint, *this);
}

void Phone::crash() {
    network_.detach(config_.endpoint);
    drop_streams();
    is_up_ = false;
    ++incarnation_;
    clients_.clear();
    servers_.clear();
    dialogs_.clear();
    calls_.clear();
    registered_until_ = {};
}

void Phone::drop_streams() {
    for (const auto& [stream, input] : streams_) {
        if (config_.is_lossy_tcp) {
            network_.reset_stream(stream, *this);
        } else {
            network_.close_stream(stream, *this);
        }
    }
    streams_.clear();
}

void Phone::stop() {
    is_stopping_ = true;
    if (!is_up_) return;
    for (const auto& weak : calls_) {
        const auto call = weak.lock();
        if (call == nullptr || call->is_over) continue;
        call->is_cancelled = true;
        cancel(call->client);
    }
    std::vector<std::string> up;
    for (const auto& [key, dialog] : dialogs_) up.push_back(key);
    for (const std::string& key : up) hang_up(key);
}

void Phone::send(const Path& path, const std::string& bytes) {
    if (!transport::is_reliable(path.transport)) {
        network_.send_datagram(config_.endpoint, path.remote, bytes);
        return;
    }
    auto found = streams_.find(path.stream);
    if (path.stream != 0 && found == streams_.end())
        return;  // a response to a stream that has ended
    if (path.stream == 0) {
        found = std::find_if(streams_.begin(), streams_.end(),
                             [&](const auto& entry) { return entry.second.remote == path.remote; });
    }
    if (found == streams_.end()) {
        const Endpoint local{config_.endpoint.address,
                             static_cast<uint16_t>(20000 + random_.below(20000))};
        const StreamId stream = network_.connect(*this, local, path.remote);
        found = streams_.emplace(stream, InputStream{path.remote, {}, false, {}}).first;
    }
    if (found->second.is_open) {
        network_.send_stream(found->first, *this, bytes);
    } else {
        found->second.waiting.push_back(bytes);
    }
}

void Phone::send_raw(std::string bytes) {
    send(server_path(), bytes);
}

void Phone::on_datagram(const Endpoint& from, const Endpoint&, std::string_view bytes) {
    receive(bytes, Path{transport::Transport::Udp, from, 0});
}

void Phone::on_stream_open(StreamId stream, const Endpoint&, const Endpoint& remote,
                           bool is_accepted) {
    if (is_accepted) streams_[stream].remote = remote;
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    found->second.is_open = true;
    for (const std::string& bytes : std::exchange(found->second.waiting, {})) {
        network_.send_stream(stream, *this, bytes);
    }
}

void Phone::on_stream_end(StreamId stream, StreamEnd) {
    streams_.erase(stream);
}

void Phone::on_stream_bytes(StreamId stream, std::string_view bytes) {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    found->second.buffer += bytes;
    take_stream(stream);
}

/// RFC 3261 §18.3: Content-Length says where a message ends.
void Phone::take_stream(StreamId stream) {
    while (true) {
        const auto found = streams_.find(stream);
        if (found == streams_.end()) return;
        std::string& buffer = found->second.buffer;
        buffer.erase(0, std::min(buffer.find_first_not_of("\r\n"), buffer.size()));
        const size_t end = buffer.find("\r\n\r\n");
        if (end == std::string::npos) return;
        const std::string head = text::to_lower(buffer.substr(0, end + 2));
        size_t at = head.find("\r\ncontent-length:");
        size_t length = 0;
        if (at != std::string::npos) {
            at += 17;
            const size_t line_end = head.find("\r\n", at);
            length = text::to_u32(text::trim(head.substr(at, line_end - at))).value_or(0);
        }
        if (buffer.size() < end + 4 + length) return;
        const std::string message = buffer.substr(0, end + 4 + length);
        const Path path{transport::Transport::Tcp, found->second.remote, stream};
        buffer.erase(0, end + 4 + length);
        receive(message, path);
    }
}

void Phone::receive(std::string_view bytes, const Path& path) {
    if (!is_up_) return;
    const auto message = TextMessage::parse(bytes);
    if (!message) return;
    if (message->is_request()) {
        on_request(*message, path);
    } else {
        on_response(*message);
    }
}

}  // namespace signalbox::sim
