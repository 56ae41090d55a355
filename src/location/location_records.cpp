// Bindings as events: what is journalled, taken over after a restart, and shown.
#include <algorithm>

#include "location/location_block.h"

namespace signalbox::location {

namespace {

/// Longer than any registration; keeps sums of times from damaged records in range.
constexpr Duration kExpiresMax = std::chrono::hours(24 * 3650);

}  // namespace

ports::EventHeader Location::header(Now now, ports::TenantId tenant,
                                    uint64_t snapshot_version) const {
    ports::EventHeader header;
    header.kind = ports::JournalEventKind::BindingsChanged;
    header.tenant = tenant;
    header.node = setup_.node;
    header.shard = setup_.shard;
    header.snapshot_version = snapshot_version;
    header.wall = now.wall;
    header.monotonic = now.monotonic;
    return header;
}

void Location::journal(Now now, ports::TenantId tenant, std::string_view aor,
                       uint64_t snapshot_version, ports::Outbox& out) {
    const Address* address = find(tenant, aor);
    const size_t count = address == nullptr ? 0 : address->count;
    out.journal_with([&](std::string& bytes) {
        ports::BindingsEncoder encoder(header(now, tenant, snapshot_version), aor, count, bytes);
        if (address == nullptr) return;
        for (const Block* block = address->first; block != nullptr; block = block->next) {
            encoder.add(view(*block).record);
        }
    });
}

void Location::restore(Now now, const ports::BindingsEvent& event) {
    found_.clear();
    for (const ports::BindingRecord& record : event.bindings) {
        if (record.expires <= now.wall) continue;
        Binding binding;
        binding.record = ports::view_of(record);
        const auto left = std::min<WallTime::duration>(
            record.expires - now.wall, std::chrono::duration_cast<WallTime::duration>(kExpiresMax));
        binding.expires = now.monotonic + left;
        binding.is_flow_closed = transport::is_reliable(record.flow.transport);
        found_.push_back(binding);
    }
    replace(now, event.header.tenant, event.aor, found_, event.header.snapshot_version);
    found_.clear();
}

void Location::page(Now now, uint32_t after, uint32_t limit, ports::RegistrationsReply& reply) {
    const uint32_t wanted = std::max<uint32_t>(limit, 1);
    uint32_t place = after;
    for (; place < addresses_.places() && reply.bindings.size() < wanted; ++place) {
        const Address* address = addresses_.get(addresses_.at(place));
        if (address == nullptr) continue;
        ports::BindingsEvent event;
        event.header = header(now, address->tenant, address->snapshot_version);
        event.aor.assign(address->name, address->name_size);
        for (const Block* block = address->first; block != nullptr; block = block->next) {
            if (block->expires > now.monotonic) {
                event.bindings.push_back(ports::record_of(view(*block).record));
            }
        }
        if (!event.bindings.empty()) reply.bindings.push_back(std::move(event));
    }
    reply.next = place < addresses_.places() ? place : 0;
}

}  // namespace signalbox::location
