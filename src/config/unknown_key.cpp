// The message for a key that nobody knows: it names the one that was most likely meant.
#include "config/unknown_key.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "config/key_table.h"

namespace signalbox::config {

namespace {

/// Shorter beginnings are the beginning of too much.
constexpr size_t kBeginningMin = 3;

bool begins(std::string_view whole, std::string_view part) {
    return part.size() >= kBeginningMin && whole.substr(0, part.size()) == part;
}

/// How far a candidate is from what was written. Who writes "nonce" means "nonce_lifetime" rather
/// than another key of five letters.
size_t distance_of(std::string_view written, std::string_view candidate) {
    const size_t distance = text::edit_distance(written, candidate);
    return begins(candidate, written) || begins(written, candidate) ? std::min(distance, size_t{1})
                                                                    : distance;
}

}  // namespace

std::string unknown_key(const Section& section, std::string_view name) {
    std::string nearest;
    size_t least = SIZE_MAX;
    const auto consider = [&](std::string_view candidate, std::string said) {
        const size_t distance = distance_of(name, candidate);
        if (distance >= least) return;
        least = distance;
        nearest = std::move(said);
    };
    for (const Key& key : section.keys) {
        consider(key.name, "the nearest known key is \"" + std::string(key.name) + "\"");
    }
    for (const Section* other : sections()) {
        if (section.kind == SectionKind::Top && other->kind != SectionKind::Top) {
            consider(other->name, "the nearest known section is " + bracketed(*other));
        }
        for (const Key& key : other->keys) {
            if (key.name != name) continue;
            consider(key.name, "a key of this name is known " + place_of(*other));
        }
    }
    return "unknown key \"" + std::string(name) + "\" " + place_of(section) + "; " + nearest;
}

}  // namespace signalbox::config
