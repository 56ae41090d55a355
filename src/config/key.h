// A configuration key and a section of keys as values, and the words that messages and
// documentation have for them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace signalbox::config {

enum class KeyType : uint8_t {
    Text,      // any text
    TextList,  // a list of texts
    Texts,     // a text, or a list of at least one
    Boolean,
    Integer,     // min to max
    Duration,    // text with a unit; min and max in milliseconds
    Seconds,     // a Duration of whole seconds; min and max in milliseconds
    Bytes,       // text with a unit; min and max in octets
    Choice,      // one of `choices`
    ChoiceList,  // at least one of `choices`, each at most once, in order
};

/// A value that has the right type and lies in its range. Which member holds it depends on the
/// type.
struct Value {
    std::string text;               // Text
    std::vector<std::string> list;  // TextList, Texts
    bool flag = false;              // Boolean
    uint64_t number = 0;  // Integer, Duration and Seconds (milliseconds), Bytes, Choice (its index)
    std::vector<uint64_t> choices;  // ChoiceList

    Duration duration() const { return std::chrono::milliseconds(static_cast<int64_t>(number)); }
    uint32_t seconds() const { return static_cast<uint32_t>(number / 1000); }
    uint32_t number32() const { return static_cast<uint32_t>(number); }
};

enum class When : uint8_t { AtReload, AtStart };

struct Key {
    std::string_view name;
    KeyType type;
    std::string_view default_text = {};  // as it stands in the file; empty: there is none
    std::string_view help = {};          // whole sentences
    uint64_t min = 0;
    uint64_t max = 0;
    std::string_view choices = {};  // "sqlite|memory"
    When when = When::AtReload;     // when a change takes effect
    bool is_required = false;
    /// Stores the value, or returns what is wrong with it beyond type and range: "must be ...".
    /// key_entry.h has this function for every value that needs no further check.
    std::string (*store)(LoadedConfig&, const Value&) = nullptr;
};

enum class SectionKind : uint8_t { Top, Table, ArrayOfTables };

struct Section {
    std::string_view name;  // empty: the top of the file
    SectionKind kind;
    std::string_view help;
    std::span<const Key> keys;
    /// ArrayOfTables: adds the element that the keys of one table then fill.
    void (*begin)(LoadedConfig&) = nullptr;
};

/// "expected a duration from 1s to 1d, such as \"60s\"": what a value of this key must be.
std::string expectation(const Key& key);
/// The type for the documentation: "duration, 1s to 1d".
std::string type_text(const Key& key);
/// "at the top of the file", "in [store]", "in [[listen]]".
std::string place_of(const Section& section);
/// "[store]", "[[listen]]". Not for the top of the file.
std::string bracketed(const Section& section);
std::vector<std::string_view> split_choices(std::string_view choices);

}  // namespace signalbox::config
