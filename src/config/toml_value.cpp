// One value of a TOML file, read as the type that a key wants.
#include "config/toml_value.h"

#include <algorithm>
#include <sstream>

#include "config/value_text.h"

namespace signalbox::config {

namespace {

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

}  // namespace

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

std::string as_written(const toml::node& node) {
    std::ostringstream out;
    node.visit([&out](const auto& typed) { out << typed; });
    return out.str();
}

uint32_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

uint32_t line_of(const toml::table& root, std::string_view section, std::string_view key) {
    const toml::node* node = root[section][key].node();
    return node == nullptr ? 0 : line_of(*node);
}

}  // namespace signalbox::config
