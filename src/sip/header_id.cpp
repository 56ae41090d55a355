// Header field names by a perfect hash that the compiler builds and checks.
// Implements: RFC 3261 §7.3.3, §20
#include "sip/header_id.h"

#include <array>

#include "base/text.h"

namespace signalbox::sip {

namespace {

constexpr size_t kNameCount = static_cast<size_t>(HeaderId::Other);
constexpr size_t kLongestName = 20;
constexpr size_t kSlots = 256;

constexpr std::array<std::string_view, kNameCount> kNames = {
#define SIGNALBOX_HEADER(id, name, compact) name,
#include "sip/headers.def"
#undef SIGNALBOX_HEADER
};

constexpr std::array<char, kNameCount> kCompactForms = {
#define SIGNALBOX_HEADER(id, name, compact) compact,
#include "sip/headers.def"
#undef SIGNALBOX_HEADER
};

/// Setting bit 5 makes letters lower-case; other octets may collide, which the comparison sorts
/// out.
constexpr unsigned folded(char c) {
    return static_cast<unsigned char>(c) | 0x20U;
}

/// The factors were searched for: no two names of headers.def share a slot, which make_slots()
/// checks. They also leave room for further extensions (Max-Breadth, Service-Route, RSeq, RAck,
/// Replaces, Referred-By, SIP-ETag, Identity, History-Info, Allow-Events, Subscription-State).
constexpr size_t slot_of(std::string_view name) {
    const auto length = static_cast<unsigned>(name.size());
    return (length * 2 + folded(name.front()) * 27 + folded(name[name.size() / 2]) * 24 +
            folded(name.back()) * 2) %
           kSlots;
}

constexpr std::array<HeaderId, kSlots> make_slots() {
    std::array<HeaderId, kSlots> slots{};
    for (HeaderId& slot : slots) slot = HeaderId::Other;
    for (size_t i = 0; i < kNameCount; ++i) {
        HeaderId& slot = slots[slot_of(kNames[i])];
        // Throwing in a constant expression stops the compiler: search for new factors.
        if (slot != HeaderId::Other) throw "two header names share a slot";
        if (kNames[i].size() > kLongestName) throw "kLongestName is too small";
        slot = static_cast<HeaderId>(i);
    }
    return slots;
}

constexpr std::array<HeaderId, 26> make_compact_forms() {
    std::array<HeaderId, 26> forms{};
    for (HeaderId& form : forms) form = HeaderId::Other;
    for (size_t i = 0; i < kNameCount; ++i) {
        if (kCompactForms[i] != 0) {
            forms[static_cast<size_t>(kCompactForms[i] - 'a')] = static_cast<HeaderId>(i);
        }
    }
    return forms;
}

constexpr std::array<HeaderId, kSlots> kNameSlots = make_slots();
constexpr std::array<HeaderId, 26> kCompactIds = make_compact_forms();

}  // namespace

HeaderId parse_header_name(std::string_view name) {
    if (name.size() < 2) {
        if (name.empty() || !text::is_alpha(name.front())) return HeaderId::Other;
        return kCompactIds[static_cast<size_t>(text::lower(name.front()) - 'a')];
    }
    if (name.size() > kLongestName) return HeaderId::Other;
    const HeaderId id = kNameSlots[slot_of(name)];
    if (id == HeaderId::Other) return id;
    const std::string_view candidate = kNames[static_cast<size_t>(id)];
    return text::iequals(candidate, name) ? id : HeaderId::Other;
}

std::string_view header_name(HeaderId id) {
    return id < HeaderId::Other ? kNames[static_cast<size_t>(id)] : std::string_view{};
}

}  // namespace signalbox::sip
