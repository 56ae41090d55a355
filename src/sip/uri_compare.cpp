// When two URIs are the same, and the key under which an address of record is kept.
// Implements: RFC 3261 §19.1.4, §10.3; RFC 3966 §4, §5
#include <array>

#include "base/ip_endpoint.h"
#include "base/text.h"
#include "sip/uri.h"
#include "sip/uri_parts.h"

namespace signalbox::sip {

namespace {

using uri_parts::Case;
using uri_parts::equal_escaped;
using uri_parts::find_pair;
using uri_parts::Pair;
using uri_parts::PairWalker;

/// Comparing lists costs the product of their sizes; longer ones are compared octet by octet.
constexpr size_t kPartsMax = 64;
constexpr size_t kListBytesMax = 2048;

/// RFC 3261 §19.1.4: these in one URI only make the URIs different, even with their default value.
constexpr std::array<std::string_view, 5> kDecisiveParams = {"transport", "user", "ttl", "method",
                                                             "maddr"};

size_t count_parts(std::string_view text, char separator) {
    PairWalker walker(text, separator);
    size_t count = 0;
    while (walker.next()) ++count;
    return count;
}

bool is_too_long(std::string_view list, char separator) {
    return list.size() > kListBytesMax || count_parts(list, separator) > kPartsMax;
}

bool too_long(std::string_view a, std::string_view b, char separator) {
    return is_too_long(a, separator) || is_too_long(b, separator);
}

bool values_equal(const Pair& a, const Pair& b) {
    return equal_escaped(a.value.value_or(std::string_view{}), b.value.value_or(std::string_view{}),
                         Case::Ignored);
}

/// What a pair means whose name stands in one of two lists only.
enum class Unmatched : uint8_t { Differs, Ignored };

/// Every pair of `a` is in `b`, or its name is not and that is ignored.
bool all_found(std::string_view a, std::string_view b, char separator, Unmatched unmatched) {
    PairWalker walker(a, separator);
    while (const std::optional<Pair> pair = walker.next()) {
        bool is_found = false;
        bool is_named = false;
        PairWalker candidates(b, separator);
        while (const std::optional<Pair> candidate = candidates.next()) {
            if (!equal_escaped(pair->name, candidate->name, Case::Ignored)) continue;
            is_named = true;
            is_found = values_equal(*pair, *candidate);
            if (is_found) break;
        }
        if (!is_found && (is_named || unmatched == Unmatched::Differs)) return false;
    }
    return true;
}

/// The same pairs in any order; with Unmatched::Ignored, under the names that both have. A name
/// that stands twice in a list, which RFC 3261 §19.1.1 forbids, stands for the set of its values:
/// so the comparison is the same both ways.
bool same_pairs(std::string_view a, std::string_view b, char separator,
                Unmatched unmatched = Unmatched::Differs) {
    if (a == b) return true;
    if (too_long(a, b, separator)) return false;
    return all_found(a, b, separator, unmatched) && all_found(b, a, separator, unmatched);
}

bool sip_params_equal(std::string_view a, std::string_view b) {
    if (a == b) return true;
    for (const std::string_view name : kDecisiveParams) {
        if (find_pair(a, ';', name).has_value() != find_pair(b, ';', name).has_value()) {
            return false;
        }
    }
    return same_pairs(a, b, ';', Unmatched::Ignored);
}

bool is_visual_separator(char c) {
    return c == '-' || c == '.' || c == '(' || c == ')';
}

void remove_visual_separators(std::string& number) {
    size_t kept = 0;
    for (const char c : number) {
        if (!is_visual_separator(c)) number[kept++] = c;
    }
    number.resize(kept);
}

/// Digits, signs of a telephone number and visual separators, nothing else.
bool is_number(std::string_view text) {
    for (const char c : text) {
        const bool sign = c == '+' || c == '*' || c == '#' || is_visual_separator(c);
        if (!text::is_digit(c) && !sign) return false;
    }
    return !text.empty();
}

bool tel_equal(const Uri& a, const Uri& b) {
    return text::iequals(canonical_user(a), canonical_user(b)) &&
           same_pairs(a.params, b.params, ';');
}

bool sip_equal(const Uri& a, const Uri& b) {
    return a.has_user == b.has_user && equal_escaped(a.user, b.user, Case::Significant) &&
           equal_escaped(a.password, b.password, Case::Significant) && a.port == b.port &&
           hosts_equal(a.host, b.host) && sip_params_equal(a.params, b.params) &&
           same_pairs(a.headers, b.headers, '&');
}

std::string_view without_final_dot(std::string_view host) {
    if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
    return host;
}

}  // namespace

bool uris_equal(const Uri& a, const Uri& b) {
    if (a.scheme != b.scheme) return false;
    switch (a.scheme) {
        case Scheme::Sip:
        case Scheme::Sips:
            return sip_equal(a, b);
        case Scheme::Tel:
            return tel_equal(a, b);
        case Scheme::Other:
            break;
    }
    return a.text == b.text;
}

std::string canonical_user(const Uri& uri) {
    std::string user;
    user.reserve(uri.user.size());
    unescape(uri.user, user);
    const bool is_phone =
        uri.scheme == Scheme::Tel || text::iequals(uri.param("user").value_or(""), "phone");
    // Some telephones mark every user as a phone: names keep their dots and hyphens.
    if (is_phone && (uri.scheme == Scheme::Tel || is_number(user))) remove_visual_separators(user);
    return user;
}

bool hosts_equal(std::string_view a, std::string_view b) {
    if (text::iequals(without_final_dot(a), without_final_dot(b))) return true;
    if (a.empty() || b.empty() || a.front() != '[' || b.front() != '[') return false;
    const std::optional<IpAddress> left = IpAddress::parse(a);
    return left && left == IpAddress::parse(b);
}

}  // namespace signalbox::sip
