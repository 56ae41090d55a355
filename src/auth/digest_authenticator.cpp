// The steps from credentials to a verdict.
// Implements: RFC 3261 §22.4; RFC 7616 §3.3, §3.4.1, §3.4.2, §3.4.3, §3.4.6; RFC 8760 §2.6
#include "auth/digest_authenticator.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "auth/claimed_user.h"
#include "auth/nonce.h"
#include "auth/quoted_pairs.h"
#include "base/text.h"
#include "crypto/constant_time.h"
#include "sip/uri.h"

namespace signalbox::auth {

namespace {

/// Stands in for the hash of a user who does not exist.
constexpr std::array<char, crypto::kDigestBytesMax> kNobodysHash{};

Verdict malformed(std::string_view reason) {
    return Verdict{Verdict::Kind::Malformed, {}, reason, false};
}

Verdict verdict(Verdict::Kind kind) {
    return Verdict{kind, {}, {}, false};
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return text::hex_digit(c) >= 0; });
}

/// Of the digest's uri only the host is compared: proxies on the way may have rewritten the rest of
/// the Request-URI. It must be ours, or the Request-URI's.
bool is_uri_ours(std::string_view uri_text, const CredentialCheck& check) {
    const auto uri = sip::parse_uri(uri_text);
    if (!uri) return false;
    if (check.snapshot.tenant_of_identity(*uri) != ports::kNoTenant) return true;
    const auto request_uri = sip::parse_uri(check.request_uri);
    if (!request_uri) return false;
    if (!uri->is_sip() || !request_uri->is_sip()) return uri_text == check.request_uri;
    return sip::hosts_equal(uri->host, request_uri->host);
}

bool is_offered(const ports::Snapshot& snapshot, crypto::DigestAlgorithm algorithm) {
    const auto& offered = snapshot.auth.algorithms;
    return std::find(offered.begin(), offered.end(),
                     static_cast<ports::AuthAlgorithm>(algorithm)) != offered.end();
}

}  // namespace

/// Credentials whose form was found right. Views: the request, or resolved.
struct DigestAuthenticator::Parsed {
    std::string_view realm, nonce, uri, response, cnonce, qop, nc;
    crypto::DigestAlgorithm algorithm = crypto::DigestAlgorithm::Md5;
    uint32_t count = 0;  // nc as a number
    ClaimedUser user;
    std::array<std::string, 7> resolved;

    /// Takes the texts over; quoted pairs, which are rare, are resolved in copies.
    explicit Parsed(const sip::Credentials& given) {
        const std::array<std::string_view, 7> from{
            given.realm, given.nonce, given.uri, given.response, given.cnonce, given.qop, given.nc};
        const std::array<std::string_view*, 7> to{&realm,  &nonce, &uri, &response,
                                                  &cnonce, &qop,   &nc};
        for (size_t i = 0; i < from.size(); ++i) {
            if (given.has_quoted_pair) resolved[i] = resolve_pairs(from[i]);
            *to[i] = given.has_quoted_pair ? std::string_view(resolved[i]) : from[i];
        }
    }
    Parsed(const Parsed&) = delete;
    Parsed& operator=(const Parsed&) = delete;

    /// Why the form is wrong; empty: it is right.
    std::string_view check_form() {
        for (const std::string_view text : {realm, nonce, uri, response, cnonce, qop, nc}) {
            if (text.size() > kCredentialBytesMax) return "Digest parameter too long";
        }
        if (nonce.empty()) return "Digest without nonce";
        if (uri.empty()) return "Digest without uri";
        if (response.size() != 2 * crypto::digest_size(algorithm) || !is_hex(response)) {
            return "Malformed digest response";
        }
        if (qop.empty()) return {};
        if (!text::iequals(qop, "auth")) return "Unsupported digest qop";
        if (cnonce.empty()) return "Digest without cnonce";
        if (nc.size() != 8 || !is_hex(nc)) return "Malformed digest nc";
        for (const char c : nc) count = count * 16 + static_cast<uint32_t>(text::hex_digit(c));
        if (count == 0) return "Digest nc counts from 1";
        return {};
    }
};

Verdict DigestAuthenticator::verify(Now now, const CredentialCheck& check) {
    using Kind = Verdict::Kind;
    if (!check.has_live_binding_from_source && guard_.is_blocked(now, check.source)) {
        return verdict(Kind::Unanswered);
    }
    const sip::Credentials& given = check.credentials;
    if (!given.is_digest) return verdict(Kind::NotChecked);
    Parsed parsed(given);
    if (parsed.realm != check.snapshot.auth.realm) return verdict(Kind::NotChecked);
    if (given.has_duplicate) return malformed("Digest parameter given twice");
    if (given.userhash) return verdict(Kind::NotChecked);
    if (!given.algorithm.empty()) {
        const auto algorithm = crypto::parse_digest_name(given.algorithm);
        if (!algorithm) return verdict(Kind::NotChecked);
        parsed.algorithm = *algorithm;
    }
    if (!is_offered(check.snapshot, parsed.algorithm)) return verdict(Kind::NotChecked);
    auto user = claimed_user(given);
    if (!user) return malformed("Malformed digest username");
    parsed.user = std::move(*user);
    const std::string_view wrong_form = parsed.check_form();
    if (!wrong_form.empty()) return malformed(wrong_form);
    if (!is_uri_ours(parsed.uri, check)) return malformed("Digest uri names another host");
    return judge(now, check, parsed);
}

Verdict DigestAuthenticator::judge(Now now, const CredentialCheck& check, const Parsed& parsed) {
    using Kind = Verdict::Kind;
    // RFC 7616 §3.3 says stale=true for any nonce that is invalid. The digest is left alone:
    // whether it is right would tell a guesser for free what counts against nobody.
    const NonceCheck nonce =
        check_nonce(now, parsed.nonce, check.source, *keys_, check.snapshot.auth.nonce_lifetime);
    if (nonce.kind == NonceCheck::Kind::Foreign) return verdict(Kind::ForeignNonce);
    if (nonce.kind != NonceCheck::Kind::Valid) return verdict(Kind::Stale);
    const User* user = users_.find(check.tenant, parsed.user.name);
    if (!is_right(check, parsed, user)) {
        Verdict wrong = verdict(Kind::WrongCredentials);
        if (!check.has_live_binding_from_source) {
            wrong.begins_block = guard_.failed(now, check.source, check.snapshot.limits);
        }
        return wrong;
    }
    // A client without qop cannot count, so that it repeats its nonce in good faith.
    const bool counts = !parsed.qop.empty();
    switch (counts ? window_.use(nonce.id, parsed.count) : window_.use_up(nonce.id)) {
        case NonceWindow::Use::Fresh:
            return Verdict{Kind::Accepted, user->name(), {}, false};
        case NonceWindow::Use::Repeated:
            return verdict(counts ? Kind::Replayed : Kind::Stale);
        case NonceWindow::Use::Forgotten:
            return verdict(Kind::Stale);
    }
    return verdict(Kind::Stale);
}

crypto::DigestValue DigestAuthenticator::digest(crypto::DigestAlgorithm algorithm,
                                                std::initializer_list<std::string_view> parts) {
    ++digests_made_;
    return digester_.digest(algorithm, parts);
}

bool DigestAuthenticator::is_right(const CredentialCheck& check, const Parsed& parsed,
                                   const User* user) {
    const size_t size = crypto::digest_size(parsed.algorithm);
    std::string_view ha1(kNobodysHash.data(), size);
    bool is_known = false;
    if (user != nullptr && user->realm() == parsed.realm) {
        const bool has_domain = !parsed.user.domain.empty();
        const std::string_view kept =
            user->ha1(parsed.algorithm, has_domain ? NameForm::WithDomain : NameForm::Plain);
        is_known =
            !kept.empty() && (!has_domain || sip::hosts_equal(parsed.user.domain, user->domain()));
        if (is_known) ha1 = kept;
    }
    crypto::DigestValue value;
    std::copy(ha1.begin(), ha1.end(), value.octets.begin());
    value.size = static_cast<uint8_t>(size);
    std::array<char, 2 * crypto::kDigestBytesMax> a1;
    std::array<char, 2 * crypto::kDigestBytesMax> a2;
    const std::string_view a1_hex(a1.data(), value.write_hex(a1.data()));
    const crypto::DigestValue a2_value =
        digest(parsed.algorithm, {check.method_text, ":", parsed.uri});
    const std::string_view a2_hex(a2.data(), a2_value.write_hex(a2.data()));

    const crypto::DigestValue expected =
        parsed.qop.empty()
            ? digest(parsed.algorithm, {a1_hex, ":", parsed.nonce, ":", a2_hex})
            : digest(parsed.algorithm, {a1_hex, ":", parsed.nonce, ":", parsed.nc, ":",
                                        parsed.cnonce, ":", parsed.qop, ":", a2_hex});
    std::array<char, 2 * crypto::kDigestBytesMax> expected_hex;
    const size_t hex_size = expected.write_hex(expected_hex.data());
    std::array<char, 2 * crypto::kDigestBytesMax> given_hex;
    std::transform(parsed.response.begin(), parsed.response.end(), given_hex.begin(), text::lower);
    const bool is_equal =
        crypto::equal_constant_time({expected_hex.data(), hex_size}, {given_hex.data(), hex_size});
    return is_equal && is_known;
}

}  // namespace signalbox::auth
