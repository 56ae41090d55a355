// What is wrong with keys that are right each by itself: what one says of another.
#include "config/cross_checks.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "config/toml_value.h"
#include "config/value_text.h"

namespace signalbox::config {

namespace {

/// One pass over one configuration.
class CrossChecks final {
 public:
    CrossChecks(const LoadedConfig& config, const toml::table& root)
        : config_(config), root_(root) {}

    ConfigErrors run() {
        check_expiry();
        check_store();
        check_records();
        check_listeners();
        check_trusted();
        check_roles();
        return std::move(errors_);
    }

 private:
    void fault(uint32_t line, std::string text) {
        errors_.push_back({config_.file, line, std::move(text)});
    }

    void check_expiry() {
        const ports::RegistrarSettings& registrar = config_.settings.registrar;
        const auto seconds = [](uint32_t s) { return format_duration(std::chrono::seconds(s)); };
        if (registrar.expires_min_s > registrar.expires_max_s) {
            fault(line_of(root_, "registrar", "expires_min"),
                  "registrar.expires_min (" + seconds(registrar.expires_min_s) +
                      ") is greater than registrar.expires_max (" +
                      seconds(registrar.expires_max_s) + ")");
        } else if (registrar.expires_default_s < registrar.expires_min_s ||
                   registrar.expires_default_s > registrar.expires_max_s) {
            fault(line_of(root_, "registrar", "expires_default"),
                  "registrar.expires_default (" + seconds(registrar.expires_default_s) +
                      ") must lie between registrar.expires_min (" +
                      seconds(registrar.expires_min_s) + ") and registrar.expires_max (" +
                      seconds(registrar.expires_max_s) + ")");
        }
    }

    void check_store() {
        if (config_.engine == StoreEngine::Sqlite && !config_.users_file.empty()) {
            fault(
                line_of(root_, "store", "users_file"),
                "store.users_file is read by the memory engine only; write engine = \"memory\", or "
                "import the file once with \"signalbox user import FILE\"");
        }
    }

    void check_records() {
        const Duration keep = config_.records_keep;
        const Duration call_max = config_.settings.limits.call_max;
        if (keep != Duration{} && keep < call_max) {
            fault(line_of(root_, "records", "keep"),
                  "records.keep (" + format_duration(keep) +
                      ") is shorter than records.call_max (" + format_duration(call_max) +
                      "): the record of a long call would be gone as soon as it ends");
        }
    }

    /// A rule that would trust everybody, or nobody for ever, is a mistake.
    void check_trusted() {
        const toml::array* tables = root_["trusted"].as_array();
        const auto& trusted = config_.settings.trusted;
        if (tables == nullptr || tables->size() != trusted.size()) return;
        for (size_t i = 0; i < trusted.size(); ++i) {
            const ports::PeerMatch& peer = trusted[i];
            const uint32_t line = line_of(*tables->get(i));
            const toml::table& written = *tables->get(i)->as_table();
            if (!written.contains("network") && !written.contains("listener") &&
                !written.contains("identity")) {
                fault(line,
                      "this [[trusted]] names nobody; write at least one of the keys network, "
                      "listener and identity");
            }
            check_peer(line, "trusted", peer);
        }
    }

    /// A rule behind one that takes every request is a mistake too.
    void check_roles() {
        const toml::array* tables = root_["role"].as_array();
        const auto& modes = config_.settings.modes;
        if (tables == nullptr || tables->size() != modes.size()) return;
        for (size_t i = 0; i < modes.size(); ++i) {
            const uint32_t line = line_of(*tables->get(i));
            check_peer(line, "role", modes[i].from);
            if (!modes[i].takes_all() || i + 1 == modes.size()) continue;
            fault(line_of(*tables->get(i + 1)), "this [[role]] is never reached: the one in line " +
                                                    std::to_string(line) + " is for every request");
            return;
        }
    }

    void check_peer(uint32_t line, std::string_view section, const ports::PeerMatch& peer) {
        if (!peer.listener || listens_at(*peer.listener, peer.transport)) return;
        fault(line, "no [[listen]] has the address " + peer.listener->to_string() + " of this [[" +
                        std::string(section) + "]], or none with its transport");
    }

    bool listens_at(const Endpoint& address, std::optional<transport::Transport> transport) const {
        const auto& listeners = config_.settings.listeners;
        return std::any_of(listeners.begin(), listeners.end(), [&](const auto& listener) {
            return listener.bound == address && (!transport || listener.transport == *transport);
        });
    }

    void check_listeners() {
        const toml::array* tables = root_["listen"].as_array();
        const auto& listeners = config_.settings.listeners;
        if (tables == nullptr || tables->size() != listeners.size()) return;
        for (size_t i = 0; i < listeners.size(); ++i) {
            for (size_t j = 0; j < i; ++j) {
                // All but UDP stand on a port of TCP.
                if (transport::is_reliable(listeners[i].transport) !=
                    transport::is_reliable(listeners[j].transport))
                    continue;
                if (listeners[i].bound != listeners[j].bound) continue;
                if (listeners[i].bound.port == 0) continue;
                const bool is_same = listeners[i].transport == listeners[j].transport;
                fault(line_of(*tables->get(i)),
                      "the address " + listeners[i].bound.to_string() +
                          (is_same ? " stands in two [[listen]] with the same transport"
                                   : " stands in two [[listen]] whose transports both use TCP"));
            }
            check_security(line_of(*tables->get(i)), listeners[i].transport,
                           config_.listen_security[i]);
        }
    }

    void check_security(uint32_t line, transport::Transport transport,
                        const ListenSecurity& security) {
        const bool has_pair = !security.certificates.empty() || !security.private_keys.empty();
        if (has_pair && !transport::is_secure(transport)) {
            fault(line, "certificate and private_key are for transport = \"tls\" or \"wss\"");
        } else if (security.certificates.size() != security.private_keys.size()) {
            fault(line, "there are " + std::to_string(security.certificates.size()) +
                            " certificates and " + std::to_string(security.private_keys.size()) +
                            " private keys; name one private_key for each certificate, in the same "
                            "order");
        }
        if (security.client_certificates && !transport::is_secure(transport)) {
            fault(line, "client_certificate is for transport = \"tls\" or \"wss\"");
        }
        if (!security.origins.empty() && !transport::is_websocket(transport)) {
            fault(line, "origins are for transport = \"ws\" or \"wss\"");
        }
    }

    const LoadedConfig& config_;
    const toml::table& root_;
    ConfigErrors errors_;
};

}  // namespace

ConfigErrors check_together(const LoadedConfig& config, const toml::table& root) {
    return CrossChecks(config, root).run();
}

}  // namespace signalbox::config
