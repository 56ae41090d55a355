// Responses that the server makes itself.
#include "proxy/local_reply.h"

#include "auth/challenge.h"
#include "base/sip_hasher.h"
#include "crypto/constant_time.h"
#include "sip/response_builder.h"
#include "transport/receive.h"

namespace signalbox::proxy {
namespace {

using sip::HeaderId;

/// A hash of what an INVITE and the ACK to its failure have in common (RFC 3261 §17.1.1.3).
ToTag make_to_tag(std::array<uint64_t, 2> key, std::string_view call_id, std::string_view branch,
                  std::string_view from_tag, uint32_t cseq) {
    SipHasher hasher(key);
    hasher.add(call_id).add(branch).add(from_tag).add(uint64_t{cseq});
    uint64_t hash = hasher.finish();
    ToTag tag;
    for (char& digit : tag.text) {
        digit = "0123456789abcdef"[hash & 15];
        hash >>= 4;
    }
    return tag;
}

}  // namespace

Rejection server_stopping() {
    Rejection rejection{503, "Server is stopping", {}};
    rejection.headers[0] = {"Retry-After", "10"};
    return rejection;
}

ToTag LocalReply::to_tag(const IncomingRequest& request) const {
    return make_to_tag(key_, request.call_id, request.via.branch, request.from.tag,
                       request.cseq.number);
}

/// Of one that may be malformed: what it lacks counts as empty.
ToTag LocalReply::to_tag(const sip::MessageView& request) const {
    const auto via = sip::parse_via(request.value(HeaderId::Via));
    const auto from =
        sip::parse_name_addr(request.value(HeaderId::From), ErrorCode::malformed_from);
    const std::optional<sip::CSeq>& cseq = request.cseq();
    return make_to_tag(key_, request.value(HeaderId::CallId),
                       via ? via->branch : std::string_view{},
                       from ? from->tag : std::string_view{}, cseq ? cseq->number : 0);
}

std::string_view LocalReply::stamp(const sip::Via& via, const transport::Flow& flow) {
    via_.clear();
    transport::append_stamped_via(via, flow, via_);
    return via_;
}

std::string_view LocalReply::render(const IncomingRequest& request, const Rejection& rejection) {
    // Ours need none (RFC 3261 §8.2.6.2).
    const ToTag tag = rejection.status == 100 ? ToTag{} : to_tag(request);
    return render_as(request.message, tag, stamp(request.via, request.flow), request.snapshot,
                     rejection);
}

std::string_view LocalReply::render(const sip::MessageView& request, const transport::Flow& flow,
                                    const ports::Snapshot& snapshot, const Rejection& rejection) {
    const auto via = sip::parse_via(request.value(HeaderId::Via));
    return render_as(request, to_tag(request), via ? stamp(*via, flow) : std::string_view{},
                     snapshot, rejection);
}

std::string_view LocalReply::render_as(const sip::MessageView& request, const ToTag& tag,
                                       std::string_view stamped_via,
                                       const ports::Snapshot& snapshot,
                                       const Rejection& rejection) {
    sip::ResponseBuilder builder(request, rejection.status, rejection.reason, tag.view(), text_,
                                 stamped_via);
    for (const ExtraHeader& header : rejection.headers) {
        if (!header.name.empty()) builder.add(header.name, header.value);
    }
    if (!snapshot.server_name.empty() && rejection.status > 100)
        builder.add("Server", snapshot.server_name);
    builder.finish();
    return text_;
}

void LocalReply::send_stateless(const sip::MessageView& request, const transport::Flow& flow,
                                const ports::Snapshot& snapshot, const Rejection& rejection,
                                transport::Transmits& out) {
    if (request.method() == sip::Method::Ack) return;
    // A Via that cannot be read is given back to where the request came from.
    const auto via = sip::parse_via(request.value(HeaderId::Via));
    const transport::Flow back = via ? transport::response_flow(*via, flow) : flow;
    if (rejection.status >= 400) counters_.add(Counter::requests_refused_total);
    out.add(back, render(request, flow, snapshot, rejection));
}

std::string_view LocalReply::render_challenge(const IncomingRequest& request, int status,
                                              std::string_view nonce, bool stale) {
    const ports::Snapshot& snapshot = request.snapshot;
    sip::ResponseBuilder builder(request.message, status, {}, to_tag(request).view(), text_,
                                 stamp(request.via, request.flow));
    auth::append_challenges(builder, status, snapshot, nonce, stale);
    if (!snapshot.server_name.empty()) builder.add("Server", snapshot.server_name);
    builder.finish();
    return text_;
}

bool LocalReply::is_ack_to_stateless(const IncomingRequest& ack) const {
    if (ack.to.tag.size() != ToTag{}.text.size()) return false;
    return crypto::equal_constant_time(to_tag(ack).view(), ack.to.tag);
}

}  // namespace signalbox::proxy
