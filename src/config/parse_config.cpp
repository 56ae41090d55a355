// The text of a configuration file, checked key by key against the table; every fault is found in
// one pass.
#include <toml++/toml.h>
#include <algorithm>

#include "config/config.h"
#include "config/cross_checks.h"
#include "config/derived_settings.h"
#include "config/key_table.h"
#include "config/toml_value.h"
#include "config/unknown_key.h"

namespace signalbox::config {

namespace {

std::string full_name(const Section& section, std::string_view key) {
    if (section.name.empty()) return std::string(key);
    return std::string(section.name) + "." + std::string(key);
}

/// One pass over one file.
class Parser final {
 public:
    explicit Parser(const std::string& file) : file_(file) { config_.file = file; }

    tl::expected<LoadedConfig, ConfigErrors> run(std::string_view text) {
        for (const Section* section : sections()) store_defaults(*section);
        const toml::parse_result parsed = toml::parse(text, std::string_view(file_));
        return finish(parsed);
    }

 private:
    tl::expected<LoadedConfig, ConfigErrors> finish(const toml::table& root) {
        read_section(*sections().front(), root);
        config_ = derived(std::move(config_), root);
        for (ConfigError& error : check_together(config_, root)) {
            errors_.push_back(std::move(error));
        }
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
                fault(toml_name.source().begin.line, unknown_key(section, name));
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
        for (const Section* section : sections()) {
            if (section->name == name) return section;
        }
        return nullptr;
    }

    void read_inner(const Section& section, const toml::node& node) {
        const std::string name(section.name);
        if (section.kind == SectionKind::Table) {
            if (const toml::table* table = node.as_table()) {
                read_section(section, *table);
            } else {
                fault(line_of(node), "\"" + name + "\" is a section; write " + bracketed(section));
            }
            return;
        }
        const toml::array* array = node.as_array();
        if (array == nullptr || !array->is_array_of_tables()) {
            if (array != nullptr && array->empty()) return;
            fault(line_of(node), "\"" + name + "\" may come more than once; write " +
                                     bracketed(section) + " with two brackets for each");
            return;
        }
        for (const toml::node& element : *array) {
            section.begin(config_);
            read_section(section, *element.as_table());
        }
    }

    /// What a reload compares: a key by itself, the tables of an array all together.
    void note_start_value(const Section& section, const Key& key, const std::string& written) {
        if (section.kind == SectionKind::ArrayOfTables) {
            config_.start_values[std::string(section.name)] +=
                std::string(key.name) + "=" + written + " ";
        } else {
            config_.start_values[full_name(section, key.name)] = written;
        }
    }

    void read_key(const Section& section, const Key& key, const toml::node& node) {
        const std::string name = full_name(section, key.name);
        if (key.when == When::AtStart) note_start_value(section, key, as_written(node));
        const auto value = read_value(key, node);
        if (!value) {
            fault(line_of(node),
                  name + " = " + as_written(node) + " is refused: " + expectation(key));
            return;
        }
        const std::string trouble = key.store(config_, *value);
        if (!trouble.empty()) fault(line_of(node), name + " is refused: " + trouble);
    }

    std::string file_;
    LoadedConfig config_;
    ConfigErrors errors_;
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
