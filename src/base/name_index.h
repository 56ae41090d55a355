// Finds entries by tenant and name without keeping the names a second time.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/random.h"

namespace signalbox {

/// What an entry is known by.
struct NameKey {
    uint32_t tenant = 0;
    std::string_view name;
    friend bool operator==(const NameKey&, const NameKey&) = default;
};

/// A hash set of `Entry`, a small value such as a pointer or an index; `KeyOf` tells an entry's
/// key. Single-threaded. It is cut into 256 sets, each of which grows by itself: a million entries
/// grow in steps of some thousand, never at once.
template <class Entry, class KeyOf>
class NameIndex final {
 public:
    explicit NameIndex(KeyOf key_of)
        : sets_(make_sets(key_of, std::make_index_sequence<kSets>{})) {}

    std::optional<Entry> find(const NameKey& key) const {
        const Hashed hashed{key, hash(key)};
        const Set& set = sets_[set_of(hashed.hash)];
        const auto found = set.find(hashed);
        return found == set.end() ? std::nullopt : std::optional<Entry>(*found);
    }
    /// False when an entry of that key is there already.
    bool insert(Entry entry, const NameKey& key) {
        const bool is_new = sets_[set_of(hash(key))].insert(entry).second;
        size_ += is_new ? 1 : 0;
        return is_new;
    }
    /// Must be called while the entry's key can still be read.
    bool erase(const NameKey& key) {
        const Hashed hashed{key, hash(key)};
        Set& set = sets_[set_of(hashed.hash)];
        const auto found = set.find(hashed);
        if (found == set.end()) return false;
        set.erase(found);
        --size_;
        return true;
    }
    size_t size() const { return size_; }

 private:
    static constexpr size_t kSets = 256;

    /// What is looked for, with its hash, which tells its set first.
    struct Hashed {
        const NameKey& key;
        uint64_t hash;
    };

    /// Names come from the operator's own users: the key only spreads them.
    static uint64_t hash(const NameKey& key) {
        return siphash({0x6e616d65696e6465ULL ^ key.tenant, 0x785f5f7369676e61ULL}, key.name);
    }
    /// Bits that the sets themselves do not look at first.
    static size_t set_of(uint64_t hash) { return (hash >> 24) % kSets; }

    struct Hash {
        using is_transparent = void;
        using is_avalanching = void;
        KeyOf key_of;
        size_t operator()(const Hashed& hashed) const { return hashed.hash; }
        size_t operator()(const Entry& entry) const { return hash(key_of(entry)); }
    };
    struct Equal {
        using is_transparent = void;
        KeyOf key_of;
        bool operator()(const Hashed& a, const Entry& b) const { return a.key == key_of(b); }
        bool operator()(const Entry& a, const Hashed& b) const { return key_of(a) == b.key; }
        bool operator()(const Entry& a, const Entry& b) const { return key_of(a) == key_of(b); }
    };
    using Set = boost::unordered_flat_set<Entry, Hash, Equal>;

    template <size_t... I>
    static std::array<Set, kSets> make_sets(const KeyOf& key_of, std::index_sequence<I...>) {
        return {{(static_cast<void>(I), Set(0, Hash{key_of}, Equal{key_of}))...}};
    }

    std::array<Set, kSets> sets_;
    size_t size_ = 0;
};

}  // namespace signalbox
