// A configuration key and a section of keys as values, and the words that messages and
// documentation have for them.
#include "config/key.h"

#include <algorithm>
#include <chrono>

#include "config/value_text.h"

namespace signalbox::config {

namespace {

std::string join_choices(std::string_view choices, std::string_view last_word) {
    const auto all = split_choices(choices);
    std::string out;
    for (size_t i = 0; i < all.size(); ++i) {
        if (i != 0) out += i + 1 == all.size() ? " " + std::string(last_word) + " " : ", ";
        out += "\"" + std::string(all[i]) + "\"";
    }
    return out;
}

std::string range_of(const Key& key) {
    switch (key.type) {
        case KeyType::Integer:
            return std::to_string(key.min) + " to " + std::to_string(key.max);
        case KeyType::Duration:
        case KeyType::Seconds: {
            const auto format_ms = [](uint64_t ms) {
                return format_duration(std::chrono::milliseconds(static_cast<int64_t>(ms)));
            };
            return format_ms(key.min) + " to " + format_ms(key.max);
        }
        case KeyType::Bytes:
            return format_bytes(key.min) + " to " + format_bytes(key.max);
        case KeyType::Text:
        case KeyType::TextList:
        case KeyType::Texts:
        case KeyType::Boolean:
        case KeyType::Choice:
        case KeyType::ChoiceList:
            break;
    }
    return {};
}

}  // namespace

std::vector<std::string_view> split_choices(std::string_view choices) {
    std::vector<std::string_view> all;
    while (!choices.empty()) {
        const size_t end = std::min(choices.find('|'), choices.size());
        all.push_back(choices.substr(0, end));
        choices.remove_prefix(std::min(end + 1, choices.size()));
    }
    return all;
}

std::string expectation(const Key& key) {
    switch (key.type) {
        case KeyType::Text:
            return "expected a text in double quotes";
        case KeyType::TextList:
            return "expected a list of texts, such as [\"example.test\"]";
        case KeyType::Texts:
            return "expected a text in double quotes, or a list of at least one";
        case KeyType::Boolean:
            return "expected true or false";
        case KeyType::Integer:
            return "expected a whole number from " + range_of(key);
        case KeyType::Duration:
            return "expected a duration from " + range_of(key) +
                   ", such as \"500ms\", \"60s\", \"5m\", \"1h\" or \"1d\"";
        case KeyType::Seconds:
            return "expected a duration of whole seconds from " + range_of(key) +
                   ", such as \"60s\", \"5m\" or \"1h\"";
        case KeyType::Bytes:
            return "expected a size from " + range_of(key) + ", such as \"64MiB\" or \"10GiB\"";
        case KeyType::Choice:
            return "expected " + join_choices(key.choices, "or");
        case KeyType::ChoiceList:
            return "expected a list of at least one of " + join_choices(key.choices, "and") +
                   ", each at most once";
    }
    return {};
}

std::string type_text(const Key& key) {
    switch (key.type) {
        case KeyType::Text:
            return "text";
        case KeyType::TextList:
            return "list of texts";
        case KeyType::Texts:
            return "text, or list of texts";
        case KeyType::Boolean:
            return "true or false";
        case KeyType::Integer:
            return "number, " + range_of(key);
        case KeyType::Duration:
            return "duration, " + range_of(key);
        case KeyType::Seconds:
            return "duration in whole seconds, " + range_of(key);
        case KeyType::Bytes:
            return "size, " + range_of(key);
        case KeyType::Choice:
            return join_choices(key.choices, "or");
        case KeyType::ChoiceList:
            return "list of " + join_choices(key.choices, "and");
    }
    return {};
}

std::string bracketed(const Section& section) {
    const std::string name(section.name);
    return section.kind == SectionKind::ArrayOfTables ? "[[" + name + "]]" : "[" + name + "]";
}

std::string place_of(const Section& section) {
    return section.kind == SectionKind::Top ? "at the top of the file" : "in " + bracketed(section);
}

}  // namespace signalbox::config
