// What a shard knows of its own users, and answers to itself and to the other shards.
#include "proxy/directory.h"

#include "auth/claimed_user.h"
#include "location/instance_id.h"
#include "location/reachable_flow.h"
#include "proxy/request_uri.h"
#include "sip/header_values.h"

namespace signalbox::proxy {

CredentialAnswer Directory::answer(Now now, const CredentialQuestion& question,
                                   const ports::Snapshot& snapshot,
                                   std::optional<SourceBlocked>& blocked) {
    if (!question.credentials.empty()) {
        if (const auto credentials = sip::parse_credentials(question.credentials))
            return check(now, question, *credentials, snapshot, blocked);
    }
    CredentialAnswer answer;
    answer.id = question.id;
    answer.verdict = CredentialVerdict::Malformed;
    if (question.credentials.empty()) {
        const bool excused = location_.has_live_binding_from(now, question.tenant,
                                                             question.identity, question.source);
        const bool is_blocked = !excused && guard_.is_blocked(now, question.source);
        answer.verdict = is_blocked ? CredentialVerdict::Unanswered : CredentialVerdict::Wrong;
    }
    return answer;
}

CredentialAnswer Directory::check(Now now, const CredentialQuestion& question,
                                  const sip::Credentials& credentials,
                                  const ports::Snapshot& snapshot,
                                  std::optional<SourceBlocked>& blocked) {
    const auto claimed = auth::claimed_user(credentials);
    const bool excused = claimed && location_.has_live_binding_from(now, question.tenant,
                                                                    claimed->name, question.source);
    const auth::CredentialCheck check{
        question.tenant, question.method, credentials, question.request_uri,
        question.source, snapshot,        excused};
    return judge(now, question, authenticator_.verify(now, check), snapshot, blocked);
}

CredentialAnswer Directory::judge(Now now, const CredentialQuestion& question,
                                  const auth::Verdict& verdict, const ports::Snapshot& snapshot,
                                  std::optional<SourceBlocked>& blocked) {
    using Kind = auth::Verdict::Kind;
    CredentialAnswer answer;
    answer.id = question.id;
    switch (verdict.kind) {
        case Kind::Accepted: {
            const auth::User* user = users_.find(question.tenant, verdict.user);
            const bool may_use =
                question.is_any_user || (user != nullptr && user->may_use(question.identity));
            answer.may_prefer =
                !question.preferred.empty() && user != nullptr && user->may_use(question.preferred);
            user_ = verdict.user;
            answer.user = user_;
            answer.verdict =
                may_use ? CredentialVerdict::Accepted : CredentialVerdict::NotThisIdentity;
            counters_.add(Counter::auth_accepted_total);
            break;
        }
        case Kind::WrongCredentials:
            counters_.add(Counter::auth_failed_total);
            if (verdict.begins_block) {
                counters_.add(Counter::auth_sources_blocked_total);
                blocked =
                    SourceBlocked{question.source, now.monotonic + snapshot.limits.auth_block_time};
            }
            answer.verdict = CredentialVerdict::Wrong;
            break;
        case Kind::NotChecked:
            answer.verdict = CredentialVerdict::Wrong;
            break;
        case Kind::Stale:
            counters_.add(Counter::auth_stale_total);
            answer.verdict = CredentialVerdict::Stale;
            break;
        case Kind::ForeignNonce:
            counters_.add(Counter::auth_foreign_nonce_total);
            answer.verdict = CredentialVerdict::Stale;
            break;
        case Kind::Replayed:
            counters_.add(Counter::auth_replayed_total);
            answer.verdict = CredentialVerdict::Stale;
            break;
        case Kind::Malformed:
            answer.verdict = CredentialVerdict::Malformed;
            answer.user = verdict.reason;
            break;
        case Kind::Unanswered:
            answer.verdict = CredentialVerdict::Unanswered;
            break;
    }
    return answer;
}

const LocationAnswer& Directory::answer(Now now, const LocationQuestion& question,
                                        const ports::Snapshot& snapshot) {
    location_answer_.id = question.id;
    location_answer_.targets.clear();
    if (!question.contact.empty()) return answer_contact(now, question, snapshot);
    const auto bindings = location_.lookup(now, question.tenant, question.aor);
    location_answer_.exists =
        !bindings.empty() || users_.find(question.tenant, question.aor) != nullptr;
    if (question.registration != 0 && !is_registration_live(bindings, question)) {
        location_answer_.exists = false;
        return location_answer_;
    }
    for (const location::Binding& binding : bindings) {
        auto target = target_of(binding, snapshot);
        if (!target || (question.instance != 0 && target->instance != question.instance)) continue;
        const auto left =
            std::chrono::duration_cast<std::chrono::seconds>(binding.expires - now.monotonic);
        target->expires_s = static_cast<uint32_t>(left.count());
        // All contacts of a GRUU are one phone (RFC 5627 §5.1).
        add_target(*target, binding, question.instance != 0 || binding.record.reg_id != 0);
    }
    return location_answer_;
}

/// A temporary GRUU ends when its phone registers with another Call-ID, or not at all (RFC 5627
/// §5.4).
bool Directory::is_registration_live(std::span<const location::Binding> bindings,
                                     const LocationQuestion& question) {
    for (const location::Binding& binding : bindings) {
        const ports::BindingView& record = binding.record;
        if (location::registration_hash(record.call_id) == question.registration &&
            location::instance_hash(location::instance_of(record.parameters)) == question.instance)
            return true;
    }
    return false;
}

const LocationAnswer& Directory::answer_contact(Now now, const LocationQuestion& question,
                                                const ports::Snapshot& snapshot) {
    const auto uri = sip::parse_uri(question.contact);
    const auto binding = uri ? location_.find_unresolvable(now, *uri) : std::nullopt;
    location_answer_.exists = binding.has_value();
    if (!binding) return location_answer_;
    if (const auto target = target_of(*binding, snapshot))
        location_answer_.targets.push_back(*target);
    return location_answer_;
}

std::optional<Target> Directory::target_of(const location::Binding& binding,
                                           const ports::Snapshot& snapshot) const {
    const ports::BindingView& record = binding.record;
    Target target;
    target.uri = record.contact;
    target.q = record.q;
    target.path = record.path;
    target.instance = location::instance_hash(location::instance_of(record.parameters));
    if (!is_sip_uri(record.contact)) {
        // Neither a flow nor a Path leads to a telephone number; who is redirected may know a way.
        target.path = {};
        return target;
    }
    if (!record.path.empty()) return target;
    const auto flow = location::reachable_flow(binding, snapshot, shard_);
    if (!flow) return std::nullopt;
    target.has_flow = true;
    target.flow = *flow;
    return target;
}

/// Flows of one phone stand together, the one that was registered last in front (RFC 5626 §7): the
/// others are for when it fails.
void Directory::add_target(const Target& target, const location::Binding& binding, bool is_flow) {
    auto& targets = location_answer_.targets;
    const auto place_of = [&](size_t index) {
        return targets.begin() + static_cast<std::ptrdiff_t>(index);
    };
    const WallTime updated = binding.record.updated;
    const auto add_at = [&](size_t index) {
        targets.insert(place_of(index), target);
        updated_.insert(updated_.begin() + static_cast<std::ptrdiff_t>(index), updated);
    };
    if (targets.empty()) updated_.clear();
    size_t index = 0;
    while (is_flow && index < targets.size() && targets[index].instance != target.instance) ++index;
    if (!is_flow || index == targets.size()) return add_at(targets.size());
    if (updated > updated_[index]) {
        add_at(index);
        targets[index + 1].is_other_flow = true;
        return;
    }
    do {
        ++index;
    } while (index < targets.size() && targets[index].is_other_flow && updated <= updated_[index]);
    add_at(index);
    targets[index].is_other_flow = true;
}

}  // namespace signalbox::proxy
