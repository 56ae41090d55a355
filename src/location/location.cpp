// Bindings in one block each, addresses of record in a slab, and one timer per address of record.
#include "location/location_block.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "base/random.h"
#include "base/text.h"

namespace signalbox::location {

namespace {

size_t text_size(const ports::BindingView& record) {
    return record.contact.size() + record.parameters.size() + record.call_id.size() +
           record.user_agent.size() + record.path.size();
}

char* put(char* out, std::string_view text) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

constexpr std::array<uint64_t, 2> kUnresolvableKey{0x2e696e76616c6964, 0x20636f6e74616374};

uint64_t unresolvable_key(const sip::Uri& uri) {
    std::array<uint64_t, 2> key = kUnresolvableKey;
    key[0] ^= siphash(key, uri.user);
    uint64_t hash = key[0];
    for (const char c : uri.host) {
        key[1] ^= static_cast<unsigned char>(text::lower(c));
        hash = siphash(key, {reinterpret_cast<const char*>(&hash), sizeof hash});
    }
    return hash;
}

}  // namespace

bool is_unresolvable(const sip::Uri& uri) {
    constexpr std::string_view kInvalid = ".invalid";
    const size_t size = uri.host.size();
    return size > kInvalid.size() &&
           text::iequals(uri.host.substr(size - kInvalid.size()), kInvalid);
}

NameKey Location::KeyOf::operator()(uint32_t place) const {
    const Address* address = location->addresses_.get(location->addresses_.at(place));
    DCHECK(address != nullptr);
    return {address->tenant, {address->name, address->name_size}};
}

size_t Location::ConnectionHash::operator()(const Connection& connection) const {
    uint64_t value = (uint64_t{connection.generation} << 32) | connection.number;
    value = (value + connection.shard) * 0x9e3779b97f4a7c15ULL;
    value ^= value >> 32;
    return value * 0xd6e8feb86659fd93ULL;
}

Location::Location(const Setup& setup, TimerWheel& wheel, Counters& counters)
    : setup_(setup),
      wheel_(wheel),
      counters_(counters),
      addresses_(setup.addresses_max),
      index_(KeyOf{this}) {}

Location::~Location() {
    addresses_.for_each([this](Handle<Address>, Address& address) { forget(address); });
}

Location::Address* Location::find(ports::TenantId tenant, std::string_view aor) {
    const NameKey key{tenant, aor};
    Address* last = addresses_.get(last_found_);
    if (last != nullptr && key == NameKey{last->tenant, {last->name, last->name_size}}) return last;
    const auto place = index_.find(key);
    if (!place) return nullptr;
    last_found_ = addresses_.at(*place);
    return addresses_.get(last_found_);
}

Location::Address* Location::find_or_make(ports::TenantId tenant, std::string_view aor) {
    if (Address* address = find(tenant, aor)) return address;
    const Handle<Address> handle = addresses_.emplace();
    Address* address = addresses_.get(handle);
    if (address == nullptr) return nullptr;
    address->timer.owner = handle.packed();
    address->timer.kind = kTimerExpiry;
    address->tenant = tenant;
    address->name = static_cast<char*>(pool_.take(aor.size()));
    address->name_size = static_cast<uint16_t>(aor.size());
    put(address->name, aor);
    last_found_ = handle;
    index_.insert(handle.index, {tenant, {address->name, address->name_size}});
    return address;
}

void Location::forget(Address& address) {
    free_blocks(address);
    index_.erase({address.tenant, {address.name, address.name_size}});
    pool_.give(address.name, address.name_size);
    addresses_.erase(Handle<Address>::unpack(address.timer.owner));
}

Location::Block* Location::make_block(const Binding& binding) {
    const ports::BindingView& record = binding.record;
    auto* block = ::new (pool_.take(sizeof(Block) + text_size(record))) Block;
    block->expires = binding.expires;
    block->expires_wall = record.expires;
    block->updated = record.updated;
    block->flow = record.flow;
    block->cseq = record.cseq;
    block->contact_size = static_cast<uint16_t>(record.contact.size());
    block->parameters_size = static_cast<uint16_t>(record.parameters.size());
    block->call_id_size = static_cast<uint16_t>(record.call_id.size());
    block->user_agent_size = static_cast<uint16_t>(record.user_agent.size());
    block->path_size = static_cast<uint16_t>(record.path.size());
    block->reg_id = record.reg_id;
    block->q = record.q & 0x3ff;  // at most 1000
    block->has_q = record.has_q;
    block->is_nated = record.is_nated;
    block->is_flow_closed = binding.is_flow_closed;
    char* out = put(block->text(), record.contact);
    out = put(out, record.parameters);
    out = put(out, record.call_id);
    out = put(out, record.user_agent);
    put(out, record.path);
    ++binding_count_;
    if (needs_keep_alive(record)) ++to_keep_alive_count_;
    if (block->has_connection()) index_stream(*block);
    return block;
}

void Location::free_block(Block* block) {
    if (block->has_connection()) unindex_stream(*block);
    if (block->is_unresolvable) unindex_unresolvable(*block);
    --binding_count_;
    if (needs_keep_alive(view(*block).record)) --to_keep_alive_count_;
    const size_t size = sizeof(Block) + block->text_size();
    block->~Block();
    pool_.give(block, size);
}

void Location::free_blocks(Address& address) {
    while (address.first != nullptr) {
        Block* block = address.first;
        address.first = block->next;
        free_block(block);
    }
    address.count = 0;
}

void Location::insert_by_q(Address& address, Block* block) {
    Block** place = &address.first;
    while (*place != nullptr && (*place)->q >= block->q) place = &(*place)->next;
    block->next = *place;
    *place = block;
    ++address.count;
}

void Location::index_stream(Block& block) {
    const Connection key{block.flow.connection, block.flow.generation, block.flow.shard};
    const auto [place, is_new] = streams_.try_emplace(key, &block);
    if (is_new) return;
    block.stream_next = place->second;
    place->second->stream_previous = &block;
    place->second = &block;
}

void Location::unindex_stream(Block& block) {
    if (block.stream_next != nullptr) block.stream_next->stream_previous = block.stream_previous;
    if (block.stream_previous != nullptr) {
        block.stream_previous->stream_next = block.stream_next;
    } else {
        const Connection key{block.flow.connection, block.flow.generation, block.flow.shard};
        if (block.stream_next == nullptr) {
            streams_.erase(key);
        } else {
            streams_.insert_or_assign(key, block.stream_next);
        }
    }
    block.stream_next = nullptr;
    block.stream_previous = nullptr;
}

void Location::index_unresolvable(Block& block) {
    const std::string_view contact(block.text(), block.contact_size);
    if (contact.find(".invalid") == std::string_view::npos) return;
    const auto uri = sip::parse_uri(contact);
    if (!uri || !location::is_unresolvable(*uri)) return;
    block.is_unresolvable = unresolvable_.try_emplace(unresolvable_key(*uri), &block).second;
}

void Location::unindex_unresolvable(Block& block) {
    const auto uri = sip::parse_uri({block.text(), block.contact_size});
    if (uri) unresolvable_.erase(unresolvable_key(*uri));
    block.is_unresolvable = false;
}

std::optional<Binding> Location::find_unresolvable(Now now, const sip::Uri& contact) const {
    const auto found = unresolvable_.find(unresolvable_key(contact));
    if (found == unresolvable_.end() || found->second->expires <= now.monotonic)
        return std::nullopt;
    return view(*found->second);
}

void Location::arm(Address& address) {
    Instant earliest = kNever;
    for (const Block* block = address.first; block != nullptr; block = block->next) {
        earliest = std::min(earliest, block->expires);
    }
    wheel_.arm(address.timer, earliest);
}

Binding Location::view(const Block& block) {
    Binding binding;
    ports::BindingView& record = binding.record;
    const char* text = block.text();
    const auto take = [&text](size_t size) {
        const std::string_view taken(text, size);
        text += size;
        return taken;
    };
    record.contact = take(block.contact_size);
    record.parameters = take(block.parameters_size);
    record.call_id = take(block.call_id_size);
    record.user_agent = take(block.user_agent_size);
    record.path = take(block.path_size);
    record.reg_id = block.reg_id;
    record.cseq = block.cseq;
    record.q = block.q;
    record.has_q = block.has_q;
    record.is_nated = block.is_nated;
    record.expires = block.expires_wall;
    record.updated = block.updated;
    record.flow = block.flow;
    binding.expires = block.expires;
    binding.is_flow_closed = block.is_flow_closed;
    return binding;
}

std::span<const Binding> Location::lookup(Now now, ports::TenantId tenant, std::string_view aor) {
    return live_bindings(now, find(tenant, aor));
}

std::span<const Binding> Location::lookup_place(Now now, uint32_t place) {
    return live_bindings(now, addresses_.get(addresses_.at(place)));
}

std::span<const Binding> Location::live_bindings(Now now, const Address* address) {
    found_.clear();
    if (address == nullptr) return {};
    for (const Block* block = address->first; block != nullptr; block = block->next) {
        if (block->expires > now.monotonic) found_.push_back(view(*block));
    }
    return found_;
}

bool Location::replace(Now now, ports::TenantId tenant, std::string_view aor,
                       std::span<const Binding> bindings, uint64_t snapshot_version) {
    if (aor.size() > kAorBytesMax || bindings.size() > kBindingsMax) return false;
    for (const Binding& binding : bindings) {
        if (text_size(binding.record) > kBindingTextBytesMax) return false;
    }
    Address* address = bindings.empty() ? find(tenant, aor) : find_or_make(tenant, aor);
    if (address == nullptr) return bindings.empty();
    // The new blocks are made before the old ones go: `bindings` may view those.
    Block* old = address->first;
    address->first = nullptr;
    address->count = 0;
    for (const Binding& binding : bindings) insert_by_q(*address, make_block(binding));
    while (old != nullptr) {
        Block* block = old;
        old = block->next;
        if (block->expires <= now.monotonic) counters_.add(Counter::bindings_expired_total);
        free_block(block);
    }
    // A refresh gave up its place in the index only now.
    for (Block* block = address->first; block != nullptr; block = block->next)
        index_unresolvable(*block);
    address->snapshot_version = snapshot_version;
    if (address->first == nullptr) {
        forget(*address);
    } else {
        arm(*address);
    }
    return true;
}

void Location::on_timer(Now now, const TimerDue& due, ports::Outbox& out) {
    expired_.aor.clear();
    if (due.kind != kTimerExpiry) return;
    Address* address = addresses_.get(Handle<Address>::unpack(due.owner));
    if (address == nullptr) return;
    bool is_changed = false;
    for (Block** place = &address->first; *place != nullptr;) {
        Block* block = *place;
        if (block->expires > now.monotonic) {
            place = &block->next;
            continue;
        }
        *place = block->next;
        --address->count;
        free_block(block);
        counters_.add(Counter::bindings_expired_total);
        is_changed = true;
    }
    if (is_changed) {
        expired_.tenant = address->tenant;
        expired_.aor.assign(address->name, address->name_size);
        journal(now, address->tenant, {address->name, address->name_size},
                address->snapshot_version, out);
    }
    if (address->first == nullptr) {
        forget(*address);
    } else {
        arm(*address);
    }
}

void Location::flow_closed(const transport::Flow& flow) {
    const auto found = streams_.find(Connection{flow.connection, flow.generation, flow.shard});
    if (found == streams_.end()) return;
    Block* block = found->second;
    streams_.erase(found);
    while (block != nullptr) {
        Block* next = block->stream_next;
        block->is_flow_closed = true;
        block->stream_next = nullptr;
        block->stream_previous = nullptr;
        block = next;
    }
}

bool Location::has_live_binding_from(Now now, ports::TenantId tenant, std::string_view aor,
                                     const IpAddress& source) {
    const Address* address = find(tenant, aor);
    if (address == nullptr) return false;
    for (const Block* block = address->first; block != nullptr; block = block->next) {
        if (block->expires > now.monotonic && block->flow.remote.address == source) return true;
    }
    return false;
}

}  // namespace signalbox::location
