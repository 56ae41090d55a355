// Which SIP domains a certificate speaks for. Implements: RFC 5922 §7.1, §7.2; RFC 5924 §4
#include "io/tls_identity.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "io/openssl_handles.h"

namespace signalbox::io {

namespace {

constexpr size_t kIdentitiesMax = 64;
constexpr const char* kSipDomainUsage = "1.3.6.1.5.5.7.3.20";  // id-kp-sipDomain
constexpr std::string_view kSipScheme = "sip:";

using NamesPtr = std::unique_ptr<GENERAL_NAMES, FreedBy<GENERAL_NAMES_free>>;
using UsagesPtr = std::unique_ptr<EXTENDED_KEY_USAGE, FreedBy<EXTENDED_KEY_USAGE_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, FreedBy<ASN1_OBJECT_free>>;

std::string_view text_of(const ASN1_STRING* string) {
    const auto* octets = ::ASN1_STRING_get0_data(string);
    return {reinterpret_cast<const char*>(octets),
            static_cast<size_t>(::ASN1_STRING_length(string))};
}

NamesPtr alternative_names(X509* certificate) {
    return NamesPtr(static_cast<GENERAL_NAMES*>(
        ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

/// No usages at all allow everything.
bool may_speak_sip(X509* certificate) {
    const UsagesPtr usages(static_cast<EXTENDED_KEY_USAGE*>(
        ::X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
    if (!usages) return true;
    const ObjectPtr sip(::OBJ_txt2obj(kSipDomainUsage, 1));
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
        const ASN1_OBJECT* usage = sk_ASN1_OBJECT_value(usages.get(), i);
        const int nid = ::OBJ_obj2nid(usage);
        if (nid == NID_server_auth || nid == NID_client_auth || nid == NID_anyExtendedKeyUsage) {
            return true;
        }
        if (sip && ::OBJ_cmp(usage, sip.get()) == 0) return true;
    }
    return false;
}

/// The domain that a name stands for; nothing when it is no SIP domain identity.
std::optional<std::string> domain_of(const GENERAL_NAME* name) {
    if (name->type == GEN_DNS) return text::to_lower(text_of(name->d.dNSName));
    if (name->type != GEN_URI) return std::nullopt;
    std::string_view uri = text_of(name->d.uniformResourceIdentifier);
    if (!text::istarts_with(uri, kSipScheme)) return std::nullopt;
    uri.remove_prefix(kSipScheme.size());
    // A URI with a user is a person's, not a domain's.
    if (uri.find('@') != std::string_view::npos) return std::nullopt;
    return text::to_lower(uri.substr(0, uri.find_first_of(":;?")));
}

std::optional<std::string> common_name(X509* certificate) {
    const X509_NAME* subject = ::X509_get_subject_name(certificate);
    const int index = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return std::nullopt;
    return text::to_lower(
        text_of(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, index))));
}

/// A name with an octet that no host name has (a wildcard, an embedded zero) is not taken.
bool is_plain(const std::string& domain) {
    return !domain.empty() && std::all_of(domain.begin(), domain.end(), [](char c) {
        return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}

}  // namespace

std::vector<std::string> domain_identities(X509* certificate) {
    std::vector<std::string> domains;
    if (!may_speak_sip(certificate)) return domains;
    const auto add = [&domains](std::optional<std::string> domain) {
        if (!domain || !is_plain(*domain) || domains.size() == kIdentitiesMax) return;
        if (std::find(domains.begin(), domains.end(), *domain) != domains.end()) return;
        domains.push_back(std::move(*domain));
    };
    const NamesPtr names = alternative_names(certificate);
    if (!names) {
        add(common_name(certificate));
        return domains;
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        add(domain_of(sk_GENERAL_NAME_value(names.get(), i)));
    }
    return domains;
}

bool is_certificate_of(X509* certificate, std::string_view domain) {
    if (domain.ends_with('.')) domain.remove_suffix(1);
    const std::vector<std::string> identities = domain_identities(certificate);
    return std::any_of(identities.begin(), identities.end(), [domain](const std::string& identity) {
        return text::iequals(identity, domain);
    });
}

bool is_certificate_of(X509* certificate, const IpAddress& address) {
    const NamesPtr names = alternative_names(certificate);
    if (!names || !may_speak_sip(certificate)) return false;
    const std::string_view wanted(reinterpret_cast<const char*>(address.octets.data()),
                                  address.family == Family::V6 ? 16 : 4);
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_IPADD && text_of(name->d.iPAddress) == wanted) return true;
    }
    return false;
}

}  // namespace signalbox::io
