// What a Privacy header field asks for, and what of it a proxy can give. Implements: RFC 3323 §4.2,
// §5; RFC 3325 §7, §9.3
#include "proxy/privacy.h"

#include <array>

#include "base/text.h"

namespace signalbox::proxy {
namespace {

void take(std::string_view value, Privacy& privacy) {
    const auto is = [value](std::string_view name) { return text::iequals(value, name); };
    if (value.empty()) return;
    if (is("none")) {
        privacy.is_none = true;
    } else if (is("critical")) {
        privacy.is_critical = true;
    } else if (is("id")) {
        privacy.id = true;
    } else if (is("header")) {
        privacy.header = true;
    } else if (is("session")) {
        privacy.session = true;
    } else if (is("user")) {
        privacy.user = true;
    } else {
        privacy.has_other = true;
    }
}

/// Static text, so that a refusal costs nothing.
std::string_view refusal_text(const Privacy& privacy) {
    static constexpr std::array<std::string_view, 8> kTexts{
        "Privacy Not Provided",
        "Privacy Not Provided: header",
        "Privacy Not Provided: session",
        "Privacy Not Provided: header, session",
        "Privacy Not Provided: user",
        "Privacy Not Provided: header, user",
        "Privacy Not Provided: session, user",
        "Privacy Not Provided: header, session, user",
    };
    return kTexts[(privacy.header ? 1u : 0u) | (privacy.session ? 2u : 0u) |
                  (privacy.user ? 4u : 0u)];
}

}  // namespace

Privacy read_privacy(const sip::MessageView& message) {
    Privacy privacy;
    for (const sip::HeaderField* field = message.first(sip::HeaderId::Privacy); field != nullptr;
         field = message.next(field)) {
        std::string_view rest = message.value(*field);
        // The grammar's separator is the semicolon; commas are in use as well.
        while (!rest.empty()) {
            const size_t end = std::min(rest.find_first_of(";,"), rest.size());
            take(text::trim(rest.substr(0, end)), privacy);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return privacy;
}

std::optional<Rejection> refuse_critical_privacy(const sip::MessageView& message) {
    if (message.first(sip::HeaderId::Privacy) == nullptr) return std::nullopt;
    const Privacy privacy = read_privacy(message);
    if (!privacy.is_critical || privacy.is_provided()) return std::nullopt;
    return Rejection{500, refusal_text(privacy), {}};
}

}  // namespace signalbox::proxy
