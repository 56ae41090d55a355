// The instance-id of a phone.
#include "location/instance_id.h"

#include <algorithm>
#include <array>

#include "base/random.h"
#include "base/text.h"
#include "sip/params.h"

namespace signalbox::location {

namespace {

constexpr std::array<uint64_t, 2> kInstanceKey{0x5349502b696e7374, 0x616e63652d696421};
constexpr std::array<uint64_t, 2> kRegistrationKey{0x726567697374726e, 0x43616c6c2d494421};

/// How many octets of a URN are compared without regard to case: "urn:" and the namespace, and all
/// of a UUID.
size_t caseless_size(std::string_view urn) {
    constexpr std::string_view kUuid = "urn:uuid:";
    if (text::iequals(urn.substr(0, kUuid.size()), kUuid)) return urn.size();
    const size_t scheme_end = urn.find(':');
    const size_t namespace_end =
        scheme_end == std::string_view::npos ? scheme_end : urn.find(':', scheme_end + 1);
    return namespace_end == std::string_view::npos ? 0 : namespace_end;
}

}  // namespace

std::string_view instance_of(std::string_view parameters) {
    if (parameters.empty()) return {};
    const auto param = sip::find_param(parameters, "+sip.instance");
    if (!param || !param->value) return {};
    std::string_view value = *param->value;
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
    if (value.size() >= 2 && value.front() == '<' && value.back() == '>')
        value = value.substr(1, value.size() - 2);
    return value;
}

bool same_instance(std::string_view a, std::string_view b) {
    if (a.empty() || a.size() != b.size()) return false;
    const size_t caseless = caseless_size(a);
    return caseless == caseless_size(b) &&
           text::iequals(a.substr(0, caseless), b.substr(0, caseless)) &&
           a.substr(caseless) == b.substr(caseless);
}

uint64_t instance_hash(std::string_view instance) {
    if (instance.empty()) return 0;
    std::array<char, 256> folded;
    const size_t size = std::min(instance.size(), folded.size());
    const size_t caseless = std::min(caseless_size(instance), size);
    for (size_t i = 0; i < size; ++i) {
        folded[i] = i < caseless ? text::lower(instance[i]) : instance[i];
    }
    std::array<uint64_t, 2> key = kInstanceKey;
    if (size < instance.size()) key[0] ^= siphash(key, instance.substr(size));
    return std::max<uint64_t>(siphash(key, {folded.data(), size}), 1);
}

uint64_t registration_hash(std::string_view call_id) {
    return std::max<uint64_t>(siphash(kRegistrationKey, call_id), 1);
}

}  // namespace signalbox::location
