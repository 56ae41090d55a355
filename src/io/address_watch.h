// Tells when the machine may have got or lost an address: a wildcard listener serves those of the
// moment, so that requests to them are for us (RFC 3261 §16.4, §16.5).
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "base/counters.h"
#include "io/reactor.h"

namespace signalbox::io {

/// Listens to the system's announcements (rtnetlink). Where they are not to be had it asks for a
/// look every half a minute instead. Everything happens in the thread that runs `context`; dies
/// before it.
class AddressWatch final {
 public:
    /// Several announcements of one change are one: it is told at the first, and once more this
    /// long after it.
    static constexpr std::chrono::milliseconds kSettleTime{200};
    static constexpr std::chrono::seconds kPollInterval{30};

    enum class Source : uint8_t { Announcements, PollingOnly };

    /// `on_change` is called from the reactor, never from here: the addresses may differ now. Each
    /// look without an announcement is counted (own_addresses_polled_total). PollingOnly is for
    /// tests of what happens without announcements.
    AddressWatch(asio::io_context& context, Counters& counters, std::function<void()> on_change,
                 Source source = Source::Announcements);
    ~AddressWatch();
    AddressWatch(const AddressWatch&) = delete;
    AddressWatch& operator=(const AddressWatch&) = delete;

    /// Calls on_change() once more, so much later: what it found could not be used yet.
    void look_again_after(Duration time);
    bool is_polling() const { return descriptor_ == nullptr; }

 private:
    void await_announcement();
    void take_announcements();
    void await_poll();

    Counters& counters_;
    std::function<void()> on_change_;
    std::unique_ptr<Descriptor> descriptor_;  // null: the system announces nothing
    asio::steady_timer timer_;
    bool is_settling_ = false;
};

}  // namespace signalbox::io
