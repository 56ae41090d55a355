// A registrar's model, fed by what the server acknowledged: its bindings must be the same.
// Implements: RFC 3261 §10.3 (as a check)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/oracle_report.h"
#include "sim/server.h"
#include "sim/text_message.h"

namespace signalbox::sim {

/// A binding that a 200 to its REGISTER has confirmed.
struct KnownBinding {
    transport::Flow flow;
    Instant since;  // when it was last confirmed
    Instant expires;
    std::string call_id;
    std::string instance;  // +sip.instance as it stands in the Contact; empty: none
    std::string q;         // as the phone wrote it
};

class BindingOracle final {
 public:
    BindingOracle(OracleReport& report, const EventQueue& queue) : report_(report), queue_(queue) {}

    /// The server sent `response`, a 200, to `request`, which came by `flow`; `settings` hold for
    /// it when nothing was reloaded just now.
    void confirmed(const TextMessage& request, const TextMessage& response,
                   const transport::Flow& flow,
                   const std::optional<ports::RegistrarSettings>& settings);
    /// The bindings of a user that hold now and will for the next second.
    std::vector<KnownBinding> bindings_of(const std::string& user) const;
    /// The q that the binding reached at `remote` was registered with: 1 without any. Nothing when
    /// there is no such binding.
    std::optional<double> q_of(const std::string& user, const Endpoint& remote) const;
    /// True when `remote` is where a binding of `user` came from or points to.
    bool is_shown_by(const std::string& user, const Endpoint& remote) const;
    /// Compares with what the server tells of itself.
    void compare(const std::vector<ports::BindingsEvent>& registrations);

 private:
    /// Two phones behind one NAT may have one private Contact: they are two bindings of one URI.
    using Contacts = std::multimap<std::string, KnownBinding>;
    using Told = std::multimap<std::string, Instant>;
    static void forget(Contacts& contacts, const std::string& uri, const KnownBinding& by);
    void compare_list(const std::string& user, const Told& told, const std::string& where);

    OracleReport& report_;
    const EventQueue& queue_;
    std::map<std::string, Contacts> users_;
    std::map<std::string, std::vector<Endpoint>> ever_shown_;
};

}  // namespace signalbox::sim
