// The text of a configuration file, checked key by key against the table; every fault is found in
// one pass.
#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "base/text.h"
#include "config/config.h"
#include "config/default_listeners.h"
#include "config/key_table.h"
#include "config/timer_warnings.h"
#include "config/value_text.h"

namespace signalbox::config {

namespace {

uint32_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

std::string full_name(const Section& section, std::string_view key) {
    if (section.name.empty()) return std::string(key);
    return std::string(section.name) + "." + std::string(key);
}

std::string place_of(const Section& section) {
    switch (section.kind) {
        case SectionKind::Top:
            return "at the top of the file";
        case SectionKind::Table:
            return "in [" + std::string(section.name) + "]";
        case SectionKind::ArrayOfTables:
            return "in [[" + std::string(section.name) + "]]";
    }
    return {};
}

/// A value of the key's type; nothing when it has another one or lies out of range.
std::optional<Value> number_value(const Key& key, uint64_t number) {
    if (number < key.min || number > key.max) return std::nullopt;
    Value value;
    value.number = number;
    return value;
}

std::optional<uint64_t> choice_index(const Key& key, const toml::node& node) {
    const auto written = node.value_exact<std::string>();
    if (!written) return std::nullopt;
    const auto choices = split_choices(key.choices);
    const auto found = std::find(choices.begin(), choices.end(), *written);
    if (found == choices.end()) return std::nullopt;
    return static_cast<uint64_t>(found - choices.begin());
}

std::optional<Value> list_value(const Key& key, const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    Value value;
    for (const toml::node& element : *array) {
        if (key.type == KeyType::TextList || key.type == KeyType::Texts) {
            auto written = element.value_exact<std::string>();
            if (!written) return std::nullopt;
            value.list.push_back(std::move(*written));
            continue;
        }
        const auto index = choice_index(key, element);
        const auto& seen = value.choices;
        if (!index || std::find(seen.begin(), seen.end(), *index) != seen.end())
            return std::nullopt;
        value.choices.push_back(*index);
    }
    if (key.type == KeyType::ChoiceList && value.choices.empty()) return std::nullopt;
    if (key.type == KeyType::Texts && value.list.empty()) return std::nullopt;
    return value;
}

std::optional<Value> duration_value(const Key& key, const std::string& written) {
    const auto duration = parse_duration(written);
    if (!duration) return std::nullopt;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count();
    if (key.type == KeyType::Seconds && ms % 1000 != 0) return std::nullopt;
    return number_value(key, static_cast<uint64_t>(ms));
}

std::optional<Value> read_value(const Key& key, const toml::node& node) {
    Value value;
    const auto written = node.value_exact<std::string>();
    switch (key.type) {
        case KeyType::Text:
            if (!written) return std::nullopt;
            value.text = *written;
            return value;
        case KeyType::Boolean: {
            const auto flag = node.value_exact<bool>();
            if (!flag) return std::nullopt;
            value.flag = *flag;
            return value;
        }
        case KeyType::Integer: {
            const auto number = node.value_exact<int64_t>();
            if (!number || *number < 0) return std::nullopt;
            return number_value(key, static_cast<uint64_t>(*number));
        }
        case KeyType::Duration:
        case KeyType::Seconds:
            return written ? duration_value(key, *written) : std::nullopt;
        case KeyType::Bytes: {
            const auto bytes = written ? parse_bytes(*written) : std::nullopt;
            return bytes ? number_value(key, *bytes) : std::nullopt;
        }
        case KeyType::Choice: {
            const auto index = choice_index(key, node);
            if (!index) return std::nullopt;
            value.number = *index;
            return value;
        }
        case KeyType::Texts:
            if (!written) return list_value(key, node);
            value.list.push_back(*written);
            return value;
        case KeyType::TextList:
        case KeyType::ChoiceList:
            return list_value(key, node);
    }
    return std::nullopt;
}

/// The value as it stands in the file, for messages and comparisons.
std::string as_written(const toml::node& node) {
    std::ostringstream out;
    node.visit([&out](const auto& typed) { out << typed; });
    return out.str();
}

/// One pass over one file.
class Parser final {
 public:
    explicit Parser(const std::string& file) : file_(file) { config_.file = file; }

    tl::expected<LoadedConfig, ConfigErrors> run(std::string_view text) {
        for (const Section& section : sections()) store_defaults(section);
        const toml::parse_result parsed = toml::parse(text, std::string_view(file_));
        return finish(parsed);
    }

 private:
    tl::expected<LoadedConfig, ConfigErrors> finish(const toml::table& root) {
        read_section(sections().front(), root);
        resolve();
        check_together(root);
        if (errors_.empty()) return std::move(config_);
        std::stable_sort(errors_.begin(), errors_.end(),
                         [](const auto& a, const auto& b) { return a.line < b.line; });
        return tl::unexpected(std::move(errors_));
    }

    void fault(uint32_t line, std::string text) {
        errors_.push_back({file_, line, std::move(text)});
    }

    /// The defaults of the table are the defaults: they take the same way as what is written.
    void store_defaults(const Section& section) {
        for (const Key& key : section.keys) {
            if (section.kind == SectionKind::ArrayOfTables) continue;
            if (key.when == When::AtStart) {
                config_.start_values[full_name(section, key.name)] = key.default_text;
            }
            if (key.default_text.empty()) continue;
            const std::string line = "value = " + std::string(key.default_text);
            const toml::table table = toml::parse(line);
            key.store(config_, *read_value(key, *table.get("value")));
        }
    }

    void read_section(const Section& section, const toml::table& table) {
        for (const auto& [toml_name, node] : table) {
            const std::string_view name = toml_name.str();
            const auto key = std::find_if(section.keys.begin(), section.keys.end(),
                                          [name](const Key& k) { return k.name == name; });
            if (key != section.keys.end()) {
                read_key(section, *key, node);
            } else if (const Section* inner = section_named(section, name)) {
                read_inner(*inner, node);
            } else {
                unknown(section, name, toml_name.source().begin.line);
            }
        }
        for (const Key& key : section.keys) {
            if (!key.is_required || table.contains(key.name)) continue;
            fault(line_of(table), "the key \"" + std::string(key.name) + "\" is missing " +
                                      place_of(section) + "; " + expectation(key));
        }
    }

    static const Section* section_named(const Section& outer, std::string_view name) {
        if (outer.kind != SectionKind::Top || name.empty()) return nullptr;
        for (const Section& section : sections()) {
            if (section.name == name) return &section;
        }
        return nullptr;
    }

    void read_inner(const Section& section, const toml::node& node) {
        const std::string name(section.name);
        if (section.kind == SectionKind::Table) {
            if (const toml::table* table = node.as_table()) {
                read_section(section, *table);
            } else {
                fault(line_of(node), "\"" + name + "\" is a section; write [" + name + "]");
            }
            return;
        }
        const toml::array* array = node.as_array();
        if (array == nullptr || !array->is_array_of_tables()) {
            if (array != nullptr && array->empty()) return;
            fault(line_of(node), "\"" + name + "\" may come more than once; write [[" + name +
                                     "]] with two brackets for each");
            return;
        }
        for (const toml::node& element : *array) {
            section.begin(config_);
            read_section(section, *element.as_table());
        }
    }

    void read_key(const Section& section, const Key& key, const toml::node& node) {
        const std::string name = full_name(section, key.name);
        lines_[name] = line_of(node);
        if (key.when == When::AtStart) {
            std::string& value = config_.start_values[section.kind == SectionKind::ArrayOfTables
                                                          ? std::string(section.name)
                                                          : name];
            if (section.kind == SectionKind::ArrayOfTables) {
                value += std::string(key.name) + "=" + as_written(node) + " ";
            } else {
                value = as_written(node);
            }
        }
        const auto value = read_value(key, node);
        if (!value) {
            fault(line_of(node),
                  name + " = " + as_written(node) + " is refused: " + expectation(key));
            return;
        }
        const std::string trouble = key.store(config_, *value);
        if (!trouble.empty()) fault(line_of(node), name + " is refused: " + trouble);
    }

    /// Names the key that was most likely meant: in this section, or one of the same name
    /// elsewhere.
    void unknown(const Section& section, std::string_view name, uint32_t line) {
        std::string text = "unknown key \"" + std::string(name) + "\" " + place_of(section);
        std::string nearest;
        size_t least = SIZE_MAX;
        const auto consider = [&](std::string_view candidate, std::string said) {
            const size_t distance = text::edit_distance(name, candidate);
            if (distance >= least) return;
            least = distance;
            nearest = std::move(said);
        };
        for (const Key& key : section.keys) {
            consider(key.name, "the nearest known key is \"" + std::string(key.name) + "\"");
        }
        for (const Section& other : sections()) {
            if (section.kind == SectionKind::Top && !other.name.empty()) {
                const bool is_array = other.kind == SectionKind::ArrayOfTables;
                const std::string bracketed =
                    (is_array ? "[[" : "[") + std::string(other.name) + (is_array ? "]]" : "]");
                consider(other.name, "the nearest known section is " + bracketed);
            }
            for (const Key& key : other.keys) {
                if (key.name != name) continue;
                consider(key.name, "a key of this name is known " + place_of(other));
            }
        }
        fault(line, text + "; " + nearest);
    }

    void resolve() {
        const std::filesystem::path base = std::filesystem::path(file_).parent_path();
        for (std::string* path :
             {&config_.data_dir, &config_.users_file, &config_.log_file, &config_.ca_file}) {
            if (path->empty()) continue;
            *path = (base / *path).lexically_normal().string();
        }
        ports::Snapshot& settings = config_.settings;
        if (settings.auth.realm.empty() && !settings.domains.empty()) {
            settings.auth.realm = settings.domains.front();
        }
        if (settings.listeners.empty()) settings.listeners = default_listeners();
        config_.listen_security.resize(settings.listeners.size());
        for (ListenSecurity& security : config_.listen_security) {
            for (auto* paths : {&security.certificates, &security.private_keys}) {
                for (std::string& path : *paths) path = (base / path).lexically_normal().string();
            }
        }
        for (const auto& [name, text] : timer_warnings(settings.timers)) {
            ConfigError warning{file_, lines_["timers." + name], text};
            config_.warnings.push_back(warning.to_string());
        }
        settings.timers = settings.timers.resolved();
    }

    /// What depends on more than one key. Lines are those of the key that is named first.
    void check_together(const toml::table& root) {
        ports::RegistrarSettings& registrar = config_.settings.registrar;
        if (!lines_.contains("registrar.expires_default") &&
            registrar.expires_min_s <= registrar.expires_max_s) {
            // Whoever sets only the limits need not think of the default between them.
            registrar.expires_default_s = std::clamp(
                registrar.expires_default_s, registrar.expires_min_s, registrar.expires_max_s);
        }
        const auto seconds = [](uint32_t s) { return format_duration(std::chrono::seconds(s)); };
        if (registrar.expires_min_s > registrar.expires_max_s) {
            fault(lines_["registrar.expires_min"], "registrar.expires_min (" +
                                                       seconds(registrar.expires_min_s) +
                                                       ") is greater than registrar.expires_max (" +
                                                       seconds(registrar.expires_max_s) + ")");
        } else if (registrar.expires_default_s < registrar.expires_min_s ||
                   registrar.expires_default_s > registrar.expires_max_s) {
            fault(lines_["registrar.expires_default"],
                  "registrar.expires_default (" + seconds(registrar.expires_default_s) +
                      ") must lie between registrar.expires_min (" +
                      seconds(registrar.expires_min_s) + ") and registrar.expires_max (" +
                      seconds(registrar.expires_max_s) + ")");
        }
        if (config_.engine == StoreEngine::Sqlite && !config_.users_file.empty()) {
            fault(
                lines_["store.users_file"],
                "store.users_file is read by the memory engine only; write engine = \"memory\", or "
                "import the file once with \"signalbox user import FILE\"");
        }
        const Duration keep = config_.records_keep;
        const Duration call_max = config_.settings.limits.call_max;
        if (keep != Duration{} && keep < call_max) {
            fault(lines_["records.keep"],
                  "records.keep (" + format_duration(keep) +
                      ") is shorter than records.call_max (" + format_duration(call_max) +
                      "): the record of a long call would be gone as soon as it ends");
        }
        check_listeners(root);
        check_trusted(root);
    }

    /// A rule that would trust everybody, or nobody for ever, is a mistake.
    void check_trusted(const toml::table& root) {
        const toml::array* tables = root["trusted"].as_array();
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
            if (peer.listener && !listens_at(*peer.listener, peer.transport)) {
                fault(line, "no [[listen]] has the address " + peer.listener->to_string() +
                                " of this [[trusted]], or none with its transport");
            }
        }
    }

    bool listens_at(const Endpoint& address, std::optional<transport::Transport> transport) const {
        const auto& listeners = config_.settings.listeners;
        return std::any_of(listeners.begin(), listeners.end(), [&](const auto& listener) {
            return listener.bound == address && (!transport || listener.transport == *transport);
        });
    }

    void check_listeners(const toml::table& root) {
        const toml::array* tables = root["listen"].as_array();
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

    std::string file_;
    LoadedConfig config_;
    ConfigErrors errors_;
    std::map<std::string, uint32_t> lines_;
};

}  // namespace

tl::expected<LoadedConfig, ConfigErrors> parse_config(std::string_view text,
                                                      const std::string& file) {
    try {
        return Parser(file).run(text);
    } catch (const toml::parse_error& error) {
        const auto line = static_cast<uint32_t>(error.source().begin.line);
        return tl::unexpected(
            ConfigErrors{{file, line, "this is not TOML: " + std::string(error.description())}});
    }
}

}  // namespace signalbox::config
