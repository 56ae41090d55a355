// When the core takes new work: what it tells the admission, and when.
#include "core/sip_core_impl.h"

namespace signalbox::core {

namespace {

constexpr Duration kOverloadTimerInterval = std::chrono::milliseconds(200);
constexpr Duration kOverloadTimerLate = std::chrono::milliseconds(30);

}  // namespace

bool SipCore::drops_unread(Now now, const transport::Packet& packet, ports::Outbox& out) {
    overload::Admission& admission = impl_->admission;
    if (admission.note(now.monotonic, packet.waited)) impl_->update_admission(now, out);
    // Over a reliable transport nobody would say it again.
    return !transport::is_reliable(packet.flow.transport) && admission.drops_unread(packet.bytes);
}

void SipCore::Impl::update_admission(Now now, ports::Outbox& out) {
    const ports::OverloadLevel before = admission.level();
    admission.update(now.monotonic, snapshots.current().overload, occupied());
    if (admission.level() != before) {
        counters.add(Counter::overload_level_changes_total);
        out.level_changes.push_back(
            {before, admission.level(), admission.queue_delay(), admission.occupied_permille()});
    }
    if (admission.is_fading())
        arm_overload_timer(now);
    else
        wheel.cancel(overload_timer);
}

void SipCore::Impl::arm_overload_timer(Now now) {
    overload_timer_due = now.monotonic + kOverloadTimerInterval;
    wheel.arm(overload_timer, overload_timer_due);
}

/// A timer that is late tells of a busy server, not of silence.
void SipCore::Impl::on_overload_timer(Now now, ports::Outbox& out) {
    if (now.monotonic - overload_timer_due > kOverloadTimerLate) return arm_overload_timer(now);
    update_admission(now, out);
}

/// Of the table that is fullest.
double SipCore::Impl::occupied() const {
    const auto share_of = [](uint32_t used, uint32_t max) {
        return static_cast<double>(used) / static_cast<double>(max);
    };
    const uint32_t transactions_max = share(limits_at_birth.transactions_max, setup.shards);
    return std::max({share_of(transactions.server_count(), transactions_max),
                     share_of(transactions.client_count(), transactions_max),
                     share_of(proxy.context_count(), transactions_max),
                     share_of(intake.suspended_count(), intake.suspended_max())});
}

}  // namespace signalbox::core
