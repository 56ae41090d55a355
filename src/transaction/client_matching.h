// Whether a response belongs to a client transaction. Implements: RFC 3261 §17.1.3
#pragma once

#include "sip/message_view.h"
#include "transaction/client_transactions.h"

namespace signalbox::transaction {

/// A method that has no number, as a number.
uint32_t extension_method_hash(std::string_view method);

/// True when the response's CSeq shows the method of the transaction's request.
bool is_method_of(const ClientTransaction& transaction, const sip::MessageView& response);

/// The record that a branch of ours names: node, shard, place, generation and cookie must be right.
/// Null: none. The handle is set to it.
const ClientTransaction* find_by_branch(const BranchFields& branch, const LayerResources& resources,
                                        const Slab<ClientTransaction>& slab, ClientHandle& client);

}  // namespace signalbox::transaction
