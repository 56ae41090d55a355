// What the other shards tell and ask a core.
#include "core/sip_core_impl.h"

namespace signalbox::core {

using proxy::ShardMessage;

void SipCore::Impl::on_shard_message(Now now, const ports::ShardMessageIn& message,
                                     ports::Outbox& out) {
    const auto decoded = proxy::decode_shard_message(message.bytes);
    CHECK(decoded.has_value());
    const ports::Snapshot& snapshot = snapshots.current();
    std::visit(Overloaded{
                   [&](const proxy::CredentialQuestion& question) {
                       std::optional<proxy::SourceBlocked> blocked;
                       const proxy::CredentialAnswer answer =
                           directory.answer(now, question, snapshot, blocked);
                       encode(ShardMessage(answer), out.shard_message(message.from));
                       if (!blocked) return;
                       for (uint8_t other = 0; other < setup.shards; ++other) {
                           if (other != setup.shard)
                               encode(ShardMessage(*blocked), out.shard_message(other));
                       }
                   },
                   [&](const proxy::CredentialAnswer& answer) {
                       intake.on_credential_answer(now, answer, out);
                   },
                   [&](const proxy::LocationQuestion& question) {
                       encode(ShardMessage(directory.answer(now, question, snapshot)),
                              out.shard_message(message.from));
                   },
                   [&](const proxy::LocationAnswer& answer) {
                       if (presence::NotifyOwner::is(answer.id))
                           return reg_event.on_location_answer(now, answer, out);
                       proxy.on_location_answer(now, answer, out);
                   },
                   [&](const proxy::StatelessRequest& request) {
                       proxy.on_stateless_request(now, message.from, request, out);
                   },
                   [&](const proxy::FlowMoved& moved) { moved_flows.note(moved); },
                   [&](const proxy::SourceBlocked& blocked) {
                       guard.block(now, blocked.address, blocked.until);
                   },
                   [&](const proxy::HopNews& news) { proxy.on_hop_news(now, news); },
               },
               *decoded);
}

}  // namespace signalbox::core
