// Which binding a Contact of a REGISTER means.
// Implements: RFC 3261 §10.3 step 7; RFC 5626 §6
#include "location/instance_id.h"
#include "registrar/registration_plan.h"

namespace signalbox::registrar {

namespace {

using location::instance_of;
using location::same_instance;

bool is_same_uri(const PlannedBinding& planned, const sip::NameAddr& address) {
    const std::string_view contact = planned.binding.record.contact;
    if (contact == address.uri_text) return true;
    const auto uri = sip::parse_uri(contact);
    return uri && sip::uris_equal(*uri, address.uri);
}

/// False where the URIs are equal but the phones are not. Outbound names a binding by instance-id
/// and reg-id (RFC 5626 §6); without it the URI is its name, whichever instance shows it (RFC 3261
/// §10.3 step 7), but where one URI may be that of many phones.
bool may_be_same_phone(const PlannedBinding& planned, const AskedContact& asked,
                       const Sender& sender) {
    const ports::BindingView& record = planned.binding.record;
    // Deviation: RFC 3261 §10.3 — many phones behind NATs have the same private Contact, and each
    // of them must ring: two may both be sip:1000@192.168.1.10.
    const bool is_ambiguous = asked.is_private && asked.is_nated && record.is_nated;
    const std::string_view instance =
        asked.instance.empty() ? std::string_view{} : instance_of(record.parameters);
    if (!instance.empty()) {
        const bool is_other_flow =
            asked.reg_id != 0 && record.reg_id != 0 && asked.reg_id != record.reg_id;
        if (same_instance(instance, asked.instance)) return !is_other_flow;
        // No URI is a name where no address leads to it: the flow does.
        return asked.reg_id == 0 && record.reg_id == 0 && !is_ambiguous &&
               !location::is_unresolvable(asked.address.uri);
    }
    // One phone keeps its Call-ID or its place.
    return !is_ambiguous || record.call_id == sender.call_id ||
           record.flow.remote == sender.flow.remote;
}

bool is_named_by_uri(const PlannedBinding& planned, std::span<const AskedContact> asked) {
    for (const AskedContact& other : asked) {
        if (is_same_uri(planned, other.address)) return true;
    }
    return false;
}

}  // namespace

size_t find_binding(std::span<const PlannedBinding> planned, std::span<const AskedContact> asked,
                    size_t index, const Sender& sender) {
    const AskedContact& own = asked[index];
    const auto is_own_instance = [&own](const PlannedBinding& candidate) {
        return same_instance(instance_of(candidate.binding.record.parameters), own.instance);
    };
    if (own.reg_id != 0) {
        for (size_t i = 0; i < planned.size(); ++i) {
            if (planned[i].binding.record.reg_id == own.reg_id && is_own_instance(planned[i]))
                return i;
        }
    }
    for (size_t i = 0; i < planned.size(); ++i) {
        if (planned[i].binding.record.contact == own.address.uri_text &&
            may_be_same_phone(planned[i], own, sender))
            return i;
    }
    for (size_t i = 0; i < planned.size(); ++i) {
        if (is_same_uri(planned[i], own.address) && may_be_same_phone(planned[i], own, sender))
            return i;
    }
    // Only what begins or goes on replaces by the instance-id alone: a late removal of an old
    // address must not hit the new one.
    if (own.instance.empty() || own.expires == 0) return planned.size();
    for (size_t i = 0; i < planned.size(); ++i) {
        const PlannedBinding& candidate = planned[i];
        if (!candidate.is_touched && candidate.binding.record.reg_id == 0 &&
            is_own_instance(candidate) && !is_named_by_uri(candidate, asked))
            return i;
    }
    return planned.size();
}

}  // namespace signalbox::registrar
