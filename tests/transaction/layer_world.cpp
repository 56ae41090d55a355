// A transaction layer with a hand-made clock, and peers that speak to it in real messages.
#include "tests/transaction/layer_world.h"

#include "base/check.h"

namespace signalbox::transaction::testing {

using namespace std::chrono_literals;

namespace {

constexpr Instant kStart{1000s};

crypto::TokenKeys test_keys() {
    crypto::TokenKey key;
    key.id = 7;
    for (size_t i = 0; i < key.secret.size(); ++i) key.secret[i] = static_cast<uint8_t>(i * 5 + 1);
    key.not_after = WallTime::max();
    return crypto::TokenKeys(std::span<const crypto::TokenKey>(&key, 1));
}

}  // namespace

Parsed::Parsed(std::string text) : bytes(std::move(text)) {
    const Result<void> parsed = sip::parse_message(bytes, view);
    CHECK(parsed.has_value());
    const Result<sip::Via> top = sip::parse_via(view.value(sip::HeaderId::Via));
    CHECK(top.has_value());
    via = *top;
}

std::string RequestText::text() const {
    std::string out = method + " " + uri + " SIP/2.0\r\nVia: " + via + "\r\n";
    out += "Max-Forwards: 69\r\nFrom: \"Alice\" <sip:alice@example.test>;tag=" + from_tag + "\r\n";
    out += "To: <sip:bob@example.test>" + (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\n";
    out += "Call-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) + " " + method + "\r\n";
    out += more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return out;
}

RequestText RequestText::as(std::string_view other_method) const {
    RequestText other = *this;
    other.method = other_method;
    return other;
}

std::string response_text(const RequestText& request, int status, std::string_view to_tag,
                          std::string_view cseq_method) {
    std::string out = "SIP/2.0 " + std::to_string(status) + " Answer\r\nVia: " + request.via;
    out += "\r\nFrom: \"Alice\" <sip:alice@example.test>;tag=" + request.from_tag;
    out += "\r\nTo: <sip:bob@example.test>";
    if (!to_tag.empty()) out += ";tag=" + std::string(to_tag);
    out += "\r\nCall-ID: " + request.call_id + "\r\nCSeq: " + std::to_string(request.cseq) + " ";
    out += cseq_method.empty() ? request.method : std::string(cseq_method);
    out += "\r\nContent-Length: 0\r\n\r\n";
    return out;
}

std::string Sent::method_or_status() const {
    const std::string_view text(bytes);
    if (text.substr(0, 8) == "SIP/2.0 ") return bytes.substr(8, 3);
    return bytes.substr(0, bytes.find(' '));
}

LayerWorld::LayerWorld(const Options& options)
    : now{kStart, WallTime(std::chrono::hours(24 * 365 * 56))},
      timers(options.timers.resolved()),
      wheel(kStart),
      random({11, 13}),
      keys(test_keys()),
      layer(std::make_unique<TransactionLayer>(
          TransactionLayer::Setup{3, 1, options.transactions_max}, wheel, pool, random, keys,
          counters, &coverage)) {}

void LayerWorld::wait(Duration duration) {
    const Instant end = now.monotonic + duration;
    while (true) {
        const Instant next = std::max(std::min(wheel.next_deadline(), end), now.monotonic);
        now.wall += std::chrono::duration_cast<std::chrono::microseconds>(next - now.monotonic);
        now.monotonic = next;
        TimerDue due;
        while (wheel.pop_due(now.monotonic, due)) {
            layer->on_timer(now, due, out);
            collect();
        }
        if (next == end) return;
    }
}

int64_t LayerWorld::elapsed_ms() const {
    return (now.monotonic - kStart) / 1ms;
}

ClientPeer LayerWorld::client(std::string_view method, transport::Transport transport) {
    return ClientPeer(*this, method, transport);
}

ServerPeer LayerWorld::server(const RequestText& request, transport::Transport transport) {
    return ServerPeer(*this, request, transport);
}

void LayerWorld::collect() {
    for (const transport::Transmit& transmit : out.list()) {
        sent.push_back(
            Sent{elapsed_ms(), transmit.flow, std::string(out.bytes(transmit)), transmit.owner});
    }
    out.clear();
}

std::vector<std::string> LayerWorld::sent_kinds() const {
    std::vector<std::string> kinds;
    for (const Sent& one : sent) kinds.push_back(one.method_or_status());
    return kinds;
}

std::vector<int64_t> LayerWorld::sent_times() const {
    std::vector<int64_t> times;
    for (const Sent& one : sent) times.push_back(one.at_ms);
    return times;
}

std::vector<TransactionEvent> LayerWorld::events() {
    std::vector<TransactionEvent> taken;
    TransactionEvent event{};
    while (layer->pop_event(event)) taken.push_back(event);
    return taken;
}

ResponseMatch LayerWorld::receive_response(const std::string& text) {
    const Parsed parsed(text);
    const auto branch = read_branch(parsed.via.branch, keys, now.wall);
    if (!branch) return {};
    const ResponseMatch match = layer->receive_response(now, parsed.view, *branch, out);
    collect();
    return match;
}

RequestMatch LayerWorld::receive_request(const std::string& text) {
    const Parsed parsed(text);
    const RequestMatch match = layer->receive_request(now, {parsed.view, parsed.via}, out);
    collect();
    return match;
}

transport::Flow LayerWorld::flow(transport::Transport transport) {
    transport::Flow flow;
    flow.transport = transport;
    flow.local = {IpAddress::v4(192, 0, 2, 1), 5060};
    flow.remote = {IpAddress::v4(198, 51, 100, 7), 5062};
    return flow;
}

ClientPeer::ClientPeer(LayerWorld& of, std::string_view method, transport::Transport transport)
    : world(&of), owner(of.next_owner++) {
    start = world->layer->reserve_client(sip::parse_method(method), 42, owner);
    request.method = method;
    request.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=" + std::string(start.branch.view());
    if (!start.client) return;
    const std::string text = request.text();
    world->layer->send_request(world->now, start.client, LayerWorld::flow(transport), text,
                               world->timers, world->out);
    world->collect();
}

ResponseMatch ClientPeer::answers(int status, std::string_view to_tag) {
    return world->receive_response(response_text(request, status, to_tag));
}

ResponseMatch ClientPeer::answers_cancel(int status) {
    return world->receive_response(response_text(request, status, "bob1", "CANCEL"));
}

void ClientPeer::cancel(std::string_view reason) {
    world->layer->cancel(world->now, start.client, reason, world->out);
    world->collect();
}

void ClientPeer::fail_transmit(uint64_t transmit_owner) {
    world->layer->on_transmit_failed(world->now, transmit_owner, world->out);
    world->collect();
}

bool ClientPeer::is_live() const {
    return world->layer->is_live(start.client);
}

ServerPeer::ServerPeer(LayerWorld& of, const RequestText& its_request,
                       transport::Transport transport)
    : world(&of), owner(of.next_owner++), request(its_request), flow(LayerWorld::flow(transport)) {}

RequestMatch ServerPeer::sends() {
    const Parsed parsed(request.text());
    const RequestMatch match =
        world->layer->receive_request(world->now, {parsed.view, parsed.via}, world->out);
    if (match.kind == RequestMatch::Kind::New && request.method != "ACK") {
        server = world->layer->create_server(world->now, {parsed.view, parsed.via}, flow,
                                             world->timers, owner);
    }
    world->collect();
    return match;
}

RequestMatch ServerPeer::acks(std::string_view to_tag) {
    RequestText ack = request.as("ACK");
    ack.to_tag = to_tag;
    return world->receive_request(ack.text());
}

bool ServerPeer::respond(int status, std::string_view to_tag) {
    const bool taken = world->layer->respond(world->now, server, status,
                                             response_text(request, status, to_tag), world->out);
    world->collect();
    return taken;
}

}  // namespace signalbox::transaction::testing
