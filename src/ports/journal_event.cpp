// Journal events as bytes: little-endian numbers and length-prefixed text behind a version.
#include "ports/journal_event.h"

#include "base/byte_io.h"

namespace signalbox::ports {

namespace {

/// No address of record may have more; a count past it is garbage.
constexpr uint32_t kBindingsMax = 100'000;

size_t address_size(Family family) {
    switch (family) {
        case Family::None:
            return 0;
        case Family::V4:
            return 4;
        case Family::V6:
            return 16;
    }
    return 0;
}

void write_header(ByteWriter& out, const EventHeader& header) {
    const bool is_bindings = header.kind == JournalEventKind::BindingsChanged;
    out.numbers(is_bindings ? kBindingsVersion : kJournalVersion, header.kind, header.call,
                header.leg, header.tenant, header.node, header.shard, header.snapshot_version,
                header.wall.time_since_epoch().count(),
                header.monotonic.time_since_epoch().count());
}

WallTime read_wall(ByteReader& in) {
    return WallTime(WallTime::duration(in.number<int64_t>()));
}

struct VersionedHeader : EventHeader {
    uint8_t version = 0;
};

std::optional<VersionedHeader> read_header(ByteReader& in) {
    const auto version = in.number<uint8_t>();
    if (version == 0 || version > kBindingsVersion) return std::nullopt;
    const auto kind = in.number<uint8_t>();
    if (kind < static_cast<uint8_t>(JournalEventKind::CallStarted) ||
        kind > static_cast<uint8_t>(JournalEventKind::CallHeld)) {
        return std::nullopt;
    }
    VersionedHeader header;
    header.version = version;
    header.kind = static_cast<JournalEventKind>(kind);
    const bool is_bindings = header.kind == JournalEventKind::BindingsChanged;
    if (!is_bindings && version > kJournalVersion) return std::nullopt;
    header.call = in.number<uint64_t>();
    header.leg = in.number<uint16_t>();
    header.tenant = in.number<TenantId>();
    header.node = in.number<uint16_t>();
    header.shard = in.number<uint8_t>();
    header.snapshot_version = in.number<uint64_t>();
    header.wall = read_wall(in);
    header.monotonic = Instant(Duration(in.number<int64_t>()));
    if (!in.ok()) return std::nullopt;
    return header;
}

void write_endpoint(ByteWriter& out, const Endpoint& endpoint) {
    out.number(endpoint.address.family);
    out.octets(std::span(endpoint.address.octets).first(address_size(endpoint.address.family)));
    out.number(endpoint.port);
}

bool read_endpoint(ByteReader& in, Endpoint& endpoint) {
    const auto family = in.number<uint8_t>();
    if (family > static_cast<uint8_t>(Family::V6)) return false;
    endpoint.address.family = static_cast<Family>(family);
    const size_t size = address_size(endpoint.address.family);
    for (size_t i = 0; i < size; ++i) endpoint.address.octets[i] = in.number<uint8_t>();
    endpoint.port = in.number<uint16_t>();
    return in.ok();
}

void write_flow(ByteWriter& out, const transport::Flow& flow) {
    out.numbers(flow.transport, flow.shard, flow.listener, flow.connection, flow.generation);
    write_endpoint(out, flow.local);
    write_endpoint(out, flow.remote);
}

bool read_flow(ByteReader& in, transport::Flow& flow) {
    const auto transport = in.number<uint8_t>();
    if (transport >= transport::kTransports) return false;
    flow.transport = static_cast<transport::Transport>(transport);
    flow.shard = in.number<uint8_t>();
    flow.listener = in.number<uint16_t>();
    flow.connection = in.number<uint32_t>();
    flow.generation = in.number<uint32_t>();
    return read_endpoint(in, flow.local) && read_endpoint(in, flow.remote);
}

/// A boolean has one of two values: anything else is garbage.
bool read_bool(ByteReader& in, bool& value) {
    const auto octet = in.number<uint8_t>();
    value = octet == 1;
    return octet <= 1;
}

bool read_binding(ByteReader& in, uint8_t version, BindingRecord& binding) {
    binding.contact = in.text();
    binding.parameters = in.text();
    binding.call_id = in.text();
    binding.cseq = in.number<uint32_t>();
    binding.q = in.number<uint16_t>();
    if (!read_bool(in, binding.has_q) || !read_bool(in, binding.is_nated)) return false;
    binding.expires = read_wall(in);
    binding.updated = read_wall(in);
    if (!read_flow(in, binding.flow)) return false;
    binding.user_agent = in.text();
    if (version >= 2) {
        binding.reg_id = in.number<uint32_t>();
        binding.path = in.text();
    }
    return in.ok() && binding.q <= 1000;
}

}  // namespace

BindingView view_of(const BindingRecord& record) {
    return BindingView{record.contact, record.parameters, record.call_id,    record.cseq,
                       record.q,       record.has_q,      record.is_nated,   record.expires,
                       record.updated, record.flow,       record.user_agent, record.reg_id,
                       record.path};
}

BindingRecord record_of(const BindingView& view) {
    return BindingRecord{std::string(view.contact),
                         std::string(view.parameters),
                         std::string(view.call_id),
                         view.cseq,
                         view.q,
                         view.has_q,
                         view.is_nated,
                         view.expires,
                         view.updated,
                         view.flow,
                         std::string(view.user_agent),
                         view.reg_id,
                         std::string(view.path)};
}

BindingsEncoder::BindingsEncoder(const EventHeader& header, std::string_view aor, size_t count,
                                 std::string& out)
    : out_(out) {
    ByteWriter writer(out_);
    EventHeader own = header;
    own.kind = JournalEventKind::BindingsChanged;
    write_header(writer, own);
    writer.text(aor);
    writer.number(static_cast<uint32_t>(count));
}

void BindingsEncoder::add(const BindingView& binding) {
    ByteWriter writer(out_);
    writer.text(binding.contact);
    writer.text(binding.parameters);
    writer.text(binding.call_id);
    writer.numbers(binding.cseq, binding.q, static_cast<uint8_t>(binding.has_q),
                   static_cast<uint8_t>(binding.is_nated),
                   binding.expires.time_since_epoch().count(),
                   binding.updated.time_since_epoch().count());
    write_flow(writer, binding.flow);
    writer.text(binding.user_agent);
    writer.number(binding.reg_id);
    writer.text(binding.path);
}

void encode(const CallEvent& event, std::string& out) {
    ByteWriter writer(out);
    write_header(writer, event.header);
    for (const std::string_view text :
         {event.call_id, event.caller_tag, event.from, event.from_display, event.to,
          event.request_uri, event.user, event.source, event.contact, event.callee_tag}) {
        writer.text(text);
    }
    writer.number(event.status);
    writer.number(event.ended_by);
    writer.text(event.reason);
}

void encode(const BindingsEvent& event, std::string& out) {
    BindingsEncoder encoder(event.header, event.aor, event.bindings.size(), out);
    for (const BindingRecord& binding : event.bindings) encoder.add(view_of(binding));
}

std::optional<EventHeader> decode_header(std::string_view bytes) {
    ByteReader in(bytes);
    return read_header(in);
}

std::optional<CallEvent> decode_call_event(std::string_view bytes) {
    ByteReader in(bytes);
    const auto header = read_header(in);
    if (!header || header->kind == JournalEventKind::BindingsChanged) return std::nullopt;
    const CallEvent event{.header = *header,
                          .call_id = in.text(),
                          .caller_tag = in.text(),
                          .from = in.text(),
                          .from_display = in.text(),
                          .to = in.text(),
                          .request_uri = in.text(),
                          .user = in.text(),
                          .source = in.text(),
                          .contact = in.text(),
                          .callee_tag = in.text(),
                          .status = in.number<uint16_t>(),
                          .ended_by = in.number<EndedBy>(),
                          .reason = in.text()};
    if (event.ended_by > EndedBy::Server) return std::nullopt;
    if (!in.ok() || !in.at_end()) return std::nullopt;
    return event;
}

std::optional<BindingsEvent> decode_bindings_event(std::string_view bytes) {
    ByteReader in(bytes);
    const auto header = read_header(in);
    if (!header || header->kind != JournalEventKind::BindingsChanged) return std::nullopt;
    BindingsEvent event;
    event.header = *header;
    event.aor = in.text();
    const auto count = in.number<uint32_t>();
    if (!in.ok() || count > kBindingsMax) return std::nullopt;
    for (uint32_t i = 0; i < count; ++i) {
        if (!read_binding(in, header->version, event.bindings.emplace_back())) return std::nullopt;
    }
    if (!in.at_end()) return std::nullopt;
    return event;
}

}  // namespace signalbox::ports
