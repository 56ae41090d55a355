// Renders a response for the next element upstream. Implements: RFC 3261 §16.7 steps 3, 8, 9
#include "proxy/response_forwarding.h"

#include "proxy/asserted_identity.h"
#include "proxy/dialog_token.h"
#include "proxy/request_forwarding.h"
#include "sip/edit_list.h"
#include "sip/params.h"

namespace signalbox::proxy {
namespace {

using sip::HeaderId;

bool makes_dialog(const sip::MessageView& response) {
    return response.status() > 100 && response.status() < 300 && begins_dialog(response.method()) &&
           response.first(HeaderId::RecordRoute) != nullptr;
}

std::optional<DialogToken> own_token(const sip::NameAddr& route, uint64_t loop_hash,
                                     const ports::Snapshot& snapshot, const crypto::TokenKeys& keys,
                                     WallTime now) {
    if (!route.uri.has_user) return std::nullopt;
    auto token = open_dialog_token(route.uri.user, keys, now, snapshot.listeners);
    if (token && token->passage != passage_of(loop_hash)) token.reset();
    return token;
}

void rewrite_record_routes(const IncomingResponse& incoming, bool is_direct,
                           const ports::Snapshot& snapshot, uint16_t node,
                           const crypto::TokenKeys& keys, WallTime now, sip::EditList& edits) {
    const sip::MessageView& response = incoming.message;
    std::string_view before_ours;
    bool found = false;
    DialogTokenText sealed;
    for (const sip::HeaderField* field = response.first(HeaderId::RecordRoute); field != nullptr;
         field = response.next(field)) {
        std::string_view rest = response.value(*field);
        while (!rest.empty()) {
            const auto route = sip::parse_name_addr(rest, ErrorCode::malformed_record_route, &rest);
            if (!route) return;
            const auto token = own_token(*route, incoming.branch.loop_hash, snapshot, keys, now);
            if (!token) {
                if (found) return;
                before_ours = route->text;
                continue;
            }
            if (!found) {
                const ShownHop hop = shown_hop(response, before_ours, incoming.flow,
                                               is_direct ? FarSide::Phone : FarSide::BehindProxy);
                DialogToken back = *token;
                back.next_hop = hop.hash;
                back.is_nated = hop.is_nated;
                back.is_at_contact = hop.is_at_source;
                back.flow = incoming.flow;
                back.leads_to_caller = !token->leads_to_caller;
                sealed = seal_dialog_token(back, node, keys);
                found = true;
            }
            const size_t begin =
                static_cast<size_t>(route->uri.user.data() - response.bytes().data());
            edits.replace(begin, begin + route->uri.user.size(), sealed.view());
        }
    }
}

/// The values of Via behind ours, in the same header field or in the next one.
std::optional<std::string_view> vias_below_ours(const IncomingResponse& response) {
    if (!response.fields.more_vias.empty()) return response.fields.more_vias;
    const sip::MessageView& message = response.message;
    const sip::HeaderField* next = message.next(message.first(HeaderId::Via));
    if (next == nullptr) return std::nullopt;
    return message.value(*next);
}

}  // namespace

std::optional<sip::Via> second_via(const IncomingResponse& response) {
    const auto vias = vias_below_ours(response);
    std::string_view rest;
    const auto via = sip::parse_via(vias.value_or(std::string_view{}), &rest);
    return via ? std::optional(*via) : std::nullopt;
}

bool proves_dialog(const IncomingResponse& incoming, const ports::Snapshot& snapshot,
                   const crypto::TokenKeys& keys, WallTime now) {
    const sip::MessageView& response = incoming.message;
    for (const sip::HeaderField* field = response.first(HeaderId::RecordRoute); field != nullptr;
         field = response.next(field)) {
        std::string_view rest = response.value(*field);
        while (!rest.empty()) {
            const auto route = sip::parse_name_addr(rest, ErrorCode::malformed_record_route, &rest);
            if (!route) return false;
            const auto token = own_token(*route, incoming.branch.loop_hash, snapshot, keys, now);
            if (!token) continue;
            const std::string_view caller =
                token->leads_to_caller ? incoming.from_tag() : incoming.to_tag();
            return dialog_hash(incoming.call_id(), caller) == token->dialog;
        }
    }
    return false;
}

bool render_response(const IncomingResponse& incoming, const transport::Flow& upstream,
                     bool is_direct, const ports::Snapshot& snapshot, uint16_t node,
                     const crypto::TokenKeys& keys, WallTime now, std::string& out) {
    const sip::MessageView& response = incoming.message;
    if (!vias_below_ours(incoming)) return false;
    sip::EditList edits(response);
    edits.set_version();
    edits.remove_first_values(HeaderId::Via, 1);
    if (makes_dialog(response))
        rewrite_record_routes(incoming, is_direct, snapshot, node, keys, now, edits);
    if (says_of_users(response)) {
        const bool is_to_trusted = snapshot.is_trusted(upstream);
        edit_identity(response, {snapshot.is_trusted(incoming.flow), is_to_trusted, {}}, edits);
    }
    add_content_length(response, upstream, edits);
    if (!edits.ok()) return false;
    edits.render(out);
    return true;
}

}  // namespace signalbox::proxy
