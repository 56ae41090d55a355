// What of a target's URI may stand in a Request-URI. Implements: RFC 3261 §16.6 step 2, §19.1.1
#include "proxy/request_uri.h"

#include "base/text.h"
#include "sip/uri.h"
#include "sip/uri_parts.h"

namespace signalbox::proxy {

std::string_view request_uri_of(std::string_view target, std::string& scratch) {
    // What may not stand there is behind one of these.
    const auto has = [&](char c) { return target.find(c) != std::string_view::npos; };
    if (!has(';') && !has('?')) return target;
    const auto uri = sip::parse_uri(target);
    if (!uri || !uri->is_sip()) return target;
    const std::string_view bare =
        uri->headers.empty()
            ? target
            : target.substr(0, static_cast<size_t>(uri->headers.data() - target.data()) - 1);
    if (!uri->param("method")) return bare;
    scratch.assign(target.substr(0, static_cast<size_t>(uri->params.data() - target.data()) - 1));
    sip::uri_parts::PairWalker walker(uri->params, ';');
    while (const auto pair = walker.next()) {
        if (sip::uri_parts::equal_escaped(pair->name, "method", sip::uri_parts::Case::Ignored))
            continue;
        scratch.append(";").append(pair->name);
        if (pair->value) scratch.append("=").append(*pair->value);
    }
    return scratch;
}

bool is_sip_uri(std::string_view target) {
    return text::istarts_with(target, "sip:") || text::istarts_with(target, "sips:");
}

}  // namespace signalbox::proxy
