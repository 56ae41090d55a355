// What the driver asks of a core: configuration, users, restored state, drain and queries.
#include "core/sip_core_impl.h"

namespace signalbox::core {

void SipCore::Impl::on_command(Now now, ports::Command& command, ports::Outbox& out) {
    std::visit(Overloaded{
                   [&](const ports::InstallSnapshot& install) {
                       if (!snapshots.install(install.snapshot)) {
                           counters.add(Counter::config_reloads_refused_total);
                           out.released_snapshots.push_back(install.snapshot);
                           return;
                       }
                       counters.add(Counter::config_reloads_total);
                       keep_alive.begin(now, snapshots.current());
                   },
                   [&](const ports::UpdateUsers& update) { update_users(now, update, out); },
                   [&](const ports::RestoreBindings& restore) {
                       for (const ports::BindingsEvent& event : restore.bindings)
                           location.restore(now, event);
                   },
                   [&](const ports::RestoreCalls& restore) {
                       calls.number_above(restore.highest_number);
                       for (const ports::OpenCall& call : restore.calls)
                           calls.restore(now, call, limits().call_max);
                   },
                   [&](const ports::Drain&) {
                       is_draining = true;
                       reg_event.drain(now);
                   },
                   [&](const ports::EndPendingInvites&) {
                       is_ending = true;
                       intake.refuse_invites();
                       proxy.end_pending_invites(now);
                   },
                   [&](const ports::QueryStats& query) {
                       ports::StatsReply stats{counters.values(), gauges(now), false};
                       stats.is_idle = is_idle(now);
                       out.replies.push_back({query.id, stats});
                   },
                   [&](const ports::QueryRegistrations& query) {
                       ports::RegistrationsReply page;
                       location.page(now, query.after, query.limit, page);
                       out.replies.push_back({query.id, std::move(page)});
                   },
                   [&](const ports::QueryLiveCalls& query) {
                       out.replies.push_back({query.id, calls.page(query.after, query.limit)});
                   },
               },
               command);
}

void SipCore::Impl::update_users(Now now, const ports::UpdateUsers& update, ports::Outbox& out) {
    for (const ports::UserRecord& user : update.users) {
        users.update(user);
        if (user.is_removed) end_bindings(now, user.tenant, user.name, out);
    }
    for (const ports::UpdateUsers::Address& address : update.revoked) {
        if (users.find(address.tenant, address.name) == nullptr)
            end_bindings(now, address.tenant, address.name, out);
    }
}

/// Nobody is reached there any more. Calls that are up need no bindings.
void SipCore::Impl::end_bindings(Now now, ports::TenantId tenant, std::string_view aor,
                                 ports::Outbox& out) {
    const size_t count = location.lookup(now, tenant, aor).size();
    if (count == 0) return;
    const uint64_t version = snapshots.current().version;
    location.replace(now, tenant, aor, {}, version);
    location.journal(now, tenant, aor, version, out);
    counters.add(Counter::bindings_of_removed_users_total, count);
    reg_event.bindings_deactivated(now, tenant, aor, out);
}

bool SipCore::Impl::is_idle(Now now) const {
    if (proxy.context_count() + intake.suspended_count() > 0) return false;
    if (is_draining && !reg_event.is_drained(now)) return false;
    // A last word that is lost must be said again. Before, a drain does not wait for ACKs that may
    // never come.
    return !is_ending || transactions.unacknowledged_count() == 0;
}

ports::Gauges SipCore::gauges() const {
    return impl_->gauges(impl_->last);
}

ports::Gauges SipCore::Impl::gauges(Now now) const {
    ports::Gauges gauges;
    gauges.server_transactions = transactions.server_count();
    gauges.client_transactions = transactions.client_count();
    gauges.calls = calls.size();
    gauges.proxied_requests = proxy.context_count() + intake.suspended_count();
    gauges.addresses_of_record = location.address_count();
    gauges.bindings = location.binding_count();
    gauges.users = users.size();
    gauges.pool_bytes = pool.bytes_out();
    gauges.sources_blocked = guard.blocked_count(now);
    gauges.overload_level = admission.level();
    gauges.queue_delay_us = static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(admission.queue_delay()).count());
    return gauges;
}

}  // namespace signalbox::core
