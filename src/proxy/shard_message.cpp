// The questions that shards ask each other, and their answers, as values and as bytes.
#include "proxy/shard_message.h"

#include "base/byte_io.h"

namespace signalbox::proxy {
namespace {

enum class Kind : uint8_t {
    CredentialQuestion = 1,
    CredentialAnswer,
    LocationQuestion,
    LocationAnswer,
    SourceBlocked,
    StatelessRequest,
    FlowMoved,
    HopNews
};

constexpr size_t kTargetsMax = 256;

void put(ByteWriter& out, const IpAddress& address) {
    out.number(address.family);
    out.octets(address.octets);
}

IpAddress get_address(ByteReader& in) {
    IpAddress address;
    address.family = in.number<Family>();
    for (uint8_t& octet : address.octets) octet = in.number<uint8_t>();
    return address;
}

void put(ByteWriter& out, const Endpoint& endpoint) {
    put(out, endpoint.address);
    out.number(endpoint.port);
}

Endpoint get_endpoint(ByteReader& in) {
    const IpAddress address = get_address(in);
    return {address, in.number<uint16_t>()};
}

void put(ByteWriter& out, const transport::Flow& flow) {
    out.numbers(flow.transport, flow.shard, flow.listener, flow.connection, flow.generation);
    put(out, flow.local);
    put(out, flow.remote);
    out.number(flow.domain.number());
}

transport::Flow get_flow(ByteReader& in) {
    transport::Flow flow;
    flow.transport = in.number<transport::Transport>();
    flow.shard = in.number<uint8_t>();
    flow.listener = in.number<uint16_t>();
    flow.connection = in.number<uint32_t>();
    flow.generation = in.number<uint32_t>();
    flow.local = get_endpoint(in);
    flow.remote = get_endpoint(in);
    flow.domain = transport::PeerDomain::from(in.number<uint64_t>());
    return flow;
}

struct Encoder {
    ByteWriter out;

    void operator()(const CredentialQuestion& question) {
        out.number(Kind::CredentialQuestion);
        out.number(question.id);
        out.number(question.tenant);
        out.text(question.method);
        out.text(question.request_uri);
        out.text(question.credentials);
        out.number(static_cast<uint8_t>(question.is_any_user));
        out.text(question.identity);
        out.text(question.preferred);
        put(out, question.source);
    }
    void operator()(const CredentialAnswer& answer) {
        out.number(Kind::CredentialAnswer);
        out.number(answer.id);
        out.number(answer.verdict);
        out.text(answer.user);
        out.number(static_cast<uint8_t>(answer.may_prefer));
    }
    void operator()(const LocationQuestion& question) {
        out.number(Kind::LocationQuestion);
        out.number(question.id);
        out.number(question.tenant);
        out.text(question.aor);
        out.number(question.instance);
        out.number(question.registration);
        out.text(question.contact);
    }
    void operator()(const LocationAnswer& answer) {
        out.number(Kind::LocationAnswer);
        out.number(answer.id);
        out.number(static_cast<uint8_t>(answer.exists));
        out.number(static_cast<uint32_t>(answer.targets.size()));
        for (const Target& target : answer.targets) {
            out.text(target.uri);
            out.number(target.q);
            out.number(static_cast<uint8_t>(target.has_flow));
            put(out, target.flow);
            out.text(target.path);
            out.number(target.instance);
            out.number(static_cast<uint8_t>(target.is_other_flow));
            out.number(target.expires_s);
        }
    }
    void operator()(const StatelessRequest& request) {
        out.number(Kind::StatelessRequest);
        out.number(request.tenant);
        out.text(request.aor);
        out.number(request.loop_hash);
        put(out, request.flow);
        out.text(request.bytes);
        out.number(static_cast<uint8_t>(request.needs_state));
    }
    void operator()(const SourceBlocked& blocked) {
        out.number(Kind::SourceBlocked);
        put(out, blocked.address);
        out.number(blocked.until.time_since_epoch().count());
    }
    void operator()(const FlowMoved& moved) {
        out.number(Kind::FlowMoved);
        out.number(moved.tenant);
        out.text(moved.aor);
        put(out, moved.from);
        put(out, moved.to);
    }
    void operator()(const HopNews& news) {
        out.number(Kind::HopNews);
        out.number(news.transport);
        put(out, news.remote);
        out.number(news.until.time_since_epoch().count());
    }
};

CredentialQuestion get_credential_question(ByteReader& in) {
    CredentialQuestion question;
    question.id = in.number<uint64_t>();
    question.tenant = in.number<ports::TenantId>();
    question.method = in.text();
    question.request_uri = in.text();
    question.credentials = in.text();
    question.is_any_user = in.number<uint8_t>() != 0;
    question.identity = in.text();
    question.preferred = in.text();
    question.source = get_address(in);
    return question;
}

StatelessRequest get_stateless_request(ByteReader& in) {
    StatelessRequest request;
    request.tenant = in.number<ports::TenantId>();
    request.aor = in.text();
    request.loop_hash = in.number<uint64_t>();
    request.flow = get_flow(in);
    request.bytes = in.text();
    request.needs_state = in.number<uint8_t>() != 0;
    return request;
}

FlowMoved get_flow_moved(ByteReader& in) {
    FlowMoved moved;
    moved.tenant = in.number<ports::TenantId>();
    moved.aor = in.text();
    moved.from = get_flow(in);
    moved.to = get_flow(in);
    return moved;
}

LocationAnswer get_location_answer(ByteReader& in) {
    LocationAnswer answer;
    answer.id = in.number<uint64_t>();
    answer.exists = in.number<uint8_t>() != 0;
    const auto count = in.number<uint32_t>();
    for (uint32_t i = 0; i < count && i < kTargetsMax && in.ok(); ++i) {
        Target target;
        target.uri = in.text();
        target.q = in.number<uint16_t>();
        target.has_flow = in.number<uint8_t>() != 0;
        target.flow = get_flow(in);
        target.path = in.text();
        target.instance = in.number<uint64_t>();
        target.is_other_flow = in.number<uint8_t>() != 0;
        target.expires_s = in.number<uint32_t>();
        answer.targets.push_back(target);
    }
    return answer;
}

}  // namespace

void encode(const ShardMessage& message, std::string& out) {
    std::visit(Encoder{ByteWriter(out)}, message);
}

std::optional<ShardMessage> decode_shard_message(std::string_view bytes) {
    ByteReader in(bytes);
    std::optional<ShardMessage> message;
    switch (in.number<Kind>()) {
        case Kind::CredentialQuestion:
            message = get_credential_question(in);
            break;
        case Kind::CredentialAnswer: {
            CredentialAnswer answer;
            answer.id = in.number<uint64_t>();
            answer.verdict = in.number<CredentialVerdict>();
            answer.user = in.text();
            answer.may_prefer = in.number<uint8_t>() != 0;
            message = answer;
            break;
        }
        case Kind::LocationQuestion: {
            LocationQuestion question;
            question.id = in.number<uint64_t>();
            question.tenant = in.number<ports::TenantId>();
            question.aor = in.text();
            question.instance = in.number<uint64_t>();
            question.registration = in.number<uint64_t>();
            question.contact = in.text();
            message = question;
            break;
        }
        case Kind::LocationAnswer:
            message = get_location_answer(in);
            break;
        case Kind::StatelessRequest:
            message = get_stateless_request(in);
            break;
        case Kind::FlowMoved:
            message = get_flow_moved(in);
            break;
        case Kind::SourceBlocked: {
            SourceBlocked blocked;
            blocked.address = get_address(in);
            blocked.until = Instant(Duration(in.number<Duration::rep>()));
            message = blocked;
            break;
        }
        case Kind::HopNews: {
            HopNews news;
            news.transport = in.number<transport::Transport>();
            news.remote = get_endpoint(in);
            news.until = Instant(Duration(in.number<Duration::rep>()));
            message = news;
            break;
        }
    }
    if (!in.ok()) return std::nullopt;
    return message;
}

}  // namespace signalbox::proxy
