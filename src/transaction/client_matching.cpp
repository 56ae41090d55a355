// Whether a response belongs to a client transaction. Implements: RFC 3261 §17.1.3
#include "transaction/client_matching.h"

#include "sip/header_values.h"

namespace signalbox::transaction {

uint32_t extension_method_hash(std::string_view method) {
    // FNV-1a: it only tells apart the methods that one peer uses.
    uint32_t hash = 2166136261u;
    for (const char c : method) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return hash;
}

bool is_method_of(const ClientTransaction& transaction, const sip::MessageView& response) {
    if (response.method() != transaction.method) return false;
    if (transaction.method != sip::Method::Extension) return true;
    const std::optional<sip::CSeq>& cseq = response.cseq();
    return cseq && extension_method_hash(cseq->method_text) == transaction.extension_hash;
}

const ClientTransaction* find_by_branch(const BranchFields& branch, const LayerResources& resources,
                                        const Slab<ClientTransaction>& slab, ClientHandle& client) {
    if (branch.kind != BranchKind::Stateful) return nullptr;
    if (branch.node != resources.node || branch.shard != resources.shard) return nullptr;
    client = ClientHandle{branch.index, branch.generation};
    const ClientTransaction* transaction = slab.get(client);
    if (transaction == nullptr || transaction->cookie != branch.cookie) return nullptr;
    return transaction;
}

}  // namespace signalbox::transaction
