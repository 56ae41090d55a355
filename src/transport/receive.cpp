// What a server does to the top Via on reception, and where a response goes.
// Implements: RFC 3261 §18.2.1, §18.2.2; RFC 3263 §5; RFC 3581 §4
#include "transport/receive.h"

#include <array>
#include <charconv>

#include "base/text.h"

namespace signalbox::transport {

namespace {

/// One of the two parameters, as text: ";received=192.0.2.1".
class StampText final {
 public:
    explicit StampText(std::string_view head) { size_ = head.copy(text_.data(), text_.size()); }
    void append_address(const IpAddress& address) {
        std::array<char, 48> host;
        std::string_view text(host.data(), write_host(address, host.data()));
        if (address.family == Family::V6) text = text.substr(1, text.size() - 2);
        size_ += text.copy(text_.data() + size_, text_.size() - size_);
    }
    void append_port(uint16_t port) {
        char* const begin = text_.data() + size_;
        size_ += static_cast<size_t>(std::to_chars(begin, text_.data() + text_.size(), port).ptr -
                                     begin);
    }
    std::string_view with_separator() const { return {text_.data(), size_}; }
    std::string_view without_separator() const { return with_separator().substr(1); }

 private:
    std::array<char, 80> text_;
    size_t size_ = 0;
};

bool needs_received(const sip::Via& top, const Flow& flow) {
    if (top.has_rport) return true;
    std::array<char, 48> source;
    const size_t size = write_host(flow.remote.address, source.data());
    return !text::iequals(top.host, std::string_view(source.data(), size));
}

/// Calls change(begin, end, text) for each part of top.text to replace, in order of place; offsets
/// count from top.text. A value that the client wrote itself is replaced, so that no element behind
/// us can read a forged one; a Via in which it comes twice is malformed.
template <class Change>
void for_each_change(const sip::Via& top, const Flow& flow, Change&& change) {
    const auto replace = [&](std::string_view old, const StampText& stamp) {
        const auto begin = static_cast<size_t>(old.data() - top.text.data());
        change(begin, begin + old.size(), stamp.without_separator());
    };
    const auto replace_rport = [&] {
        StampText rport(";rport=");
        rport.append_port(flow.remote.port);
        replace(top.rport_text, rport);
    };
    // Where one of them is absent, either order will do.
    const bool is_rport_last = top.received_text.data() < top.rport_text.data();
    if (top.has_rport && !is_rport_last) replace_rport();
    StampText received(";received=");
    received.append_address(flow.remote.address);
    if (top.received) replace(top.received_text, received);
    if (top.has_rport && is_rport_last) replace_rport();
    if (!top.received && needs_received(top, flow))
        change(top.text.size(), top.text.size(), received.with_separator());
}

}  // namespace

void stamp_top_via(const sip::MessageView& request, const sip::Via& top, const Flow& flow,
                   sip::EditList& edits) {
    const auto base = static_cast<size_t>(top.text.data() - request.bytes().data());
    for_each_change(top, flow, [&](size_t begin, size_t end, std::string_view text) {
        edits.replace(base + begin, base + end, text);
    });
}

void append_stamped_via(const sip::Via& top, const Flow& flow, std::string& out) {
    size_t copied = 0;
    for_each_change(top, flow, [&](size_t begin, size_t end, std::string_view text) {
        out.append(top.text.substr(copied, begin - copied)).append(text);
        copied = end;
    });
    out.append(top.text.substr(copied));
}

Flow response_flow(const sip::Via& top, const Flow& flow) {
    Flow result = flow;
    // Deviation: RFC 3263 §5; RFC 3261 §17.2.4 — a name in sent-by is not looked up when the
    // connection is gone and none can be opened to the source at the port of sent-by: a name there
    // is the sender's own word, by which a response would go to somebody who asked for nothing.
    if (is_reliable(flow.transport)) {
        result.remote.port = top.port_or_default();
        return result;
    }
    if (top.maddr) {
        if (const std::optional<IpAddress> address = IpAddress::parse(*top.maddr)) {
            result.remote = Endpoint{*address, top.port_or_default()};
        }
    }
    // Deviation: RFC 3261 §18.2.2 — without rport the response still goes to the source port, not
    // to the sent-by port: clients behind address translators that know no rport are many, clients
    // that listen elsewhere than they send from are few.
    return result;
}

Flow stateless_response_flow(const sip::Via& top, const Flow& flow) {
    Flow result = response_flow(top, flow);
    const bool is_to_source = !is_reliable(flow.transport) && result.remote == flow.remote;
    if (is_to_source && !top.has_rport) result.remote.port = top.port_or_default();
    return result;
}

}  // namespace signalbox::transport
