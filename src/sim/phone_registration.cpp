// A scripted user agent: how it registers and shows who it is. Implements: RFC 3261 §10.2, §22.2,
// §22.3; RFC 7616 §3.4
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "sim/phone.h"

namespace signalbox::sim {

namespace {

constexpr int kChallengesMax = 2;

/// The value of `name` in a comma list of name=value, without quotes.
std::string challenge_value(std::string_view challenge, std::string_view name) {
    std::string_view rest = challenge.substr(std::min(challenge.find(' '), challenge.size()));
    while (!rest.empty()) {
        rest.remove_prefix(std::min(rest.find_first_not_of(" ,\t"), rest.size()));
        const size_t equals = rest.find('=');
        if (equals == std::string_view::npos) return {};
        const std::string_view found = text::trim(rest.substr(0, equals));
        rest.remove_prefix(equals + 1);
        const bool is_quoted = rest.starts_with('"');
        if (is_quoted) rest.remove_prefix(1);
        const size_t end = std::min(rest.find(is_quoted ? '"' : ','), rest.size());
        if (text::iequals(found, name)) return std::string(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

std::string hex8(uint32_t value) {
    std::array<char, 9> text;
    std::snprintf(text.data(), text.size(), "%08x", value);
    return text.data();
}

/// "0.500".
std::string q_text(uint16_t thousandths) {
    const std::string digits = std::to_string(1000 + thousandths % 1000);
    return std::string(thousandths == 1000 ? "1." : "0.") + digits.substr(1);
}

}  // namespace

bool Phone::add_credentials(TextMessage& request, const TextMessage& challenge) {
    if (!config_.has_credentials) return false;
    const bool is_proxy = challenge.status == 407;
    const std::string_view name = is_proxy ? "Proxy-Authenticate" : "WWW-Authenticate";
    for (const TextMessage::Header& header : challenge.headers) {
        if (!text::iequals(header.name, name) || !text::istarts_with(header.value, "Digest "))
            continue;
        std::string algorithm = challenge_value(header.value, "algorithm");
        if (algorithm.empty()) algorithm = "MD5";
        if (!crypto::parse_digest_name(algorithm)) continue;
        realm_ = challenge_value(header.value, "realm");
        nonce_ = challenge_value(header.value, "nonce");
        algorithm_ = algorithm;
        has_qop_ = !challenge_value(header.value, "qop").empty();
        nonce_count_ = 0;
        add_known_credentials(request, is_proxy ? "Proxy-Authorization" : "Authorization");
        return true;
    }
    return false;
}

void Phone::add_known_credentials(TextMessage& request, std::string_view header) {
    if (nonce_.empty() || !config_.has_credentials) return;
    request.set(header, credentials(request));
}

std::string Phone::credentials(const TextMessage& request) {
    const crypto::DigestAlgorithm algorithm = *crypto::parse_digest_name(algorithm_);
    const auto hash = [&](std::initializer_list<std::string_view> parts) {
        return digester_.digest(algorithm, parts).hex();
    };
    const std::string ha1 = hash({config_.name, ":", realm_, ":", config_.password});
    const std::string ha2 = hash({request.method, ":", request.uri});
    const std::string nc = hex8(++nonce_count_);
    const std::string cnonce = token("n");
    std::string value = "Digest username=\"" + config_.name + "\", realm=\"" + realm_ +
                        "\", nonce=\"" + nonce_ + "\", uri=\"" + request.uri +
                        "\", algorithm=" + algorithm_;
    if (has_qop_) {
        value += ", qop=auth, nc=" + nc + ", cnonce=\"" + cnonce + "\", response=\"" +
                 hash({ha1, ":", nonce_, ":", nc, ":", cnonce, ":auth:", ha2}) + '"';
    } else {
        value += ", response=\"" + hash({ha1, ":", nonce_, ":", ha2}) + '"';
    }
    return value;
}

void Phone::register_contact() {
    if (!is_up_ || is_stopping_) return;
    send_register(contact_value(), config_.expires_s, 0);
}

void Phone::unregister() {
    if (is_up_ && !is_stopping_) send_register(contact_value(), 0, 0);
}

void Phone::unregister_all() {
    if (is_up_ && !is_stopping_) send_register("*", 0, 0);
}

void Phone::send_register(const std::string& contact, std::optional<uint32_t> expires,
                          int challenges) {
    if (register_call_id_.empty()) {
        register_call_id_ = token("r") + "@" + config_.name + ".invalid";
        register_cseq_ = 1;
    }
    TextMessage request = TextMessage::request("REGISTER", "sip:" + config_.domain);
    request.add("From", '<' + aor() + ">;tag=" + token("f"));
    request.add("To", '<' + aor() + '>');
    request.add("Call-ID", register_call_id_);
    request.add("CSeq", std::to_string(register_cseq_++) + " REGISTER");
    request.add("Max-Forwards", "70");
    request.add("User-Agent", "Simulated Phone");
    if (config_.reg_id != 0) request.add("Supported", "path, outbound");
    const bool in_contact = contact != "*" && random_.below(2) == 0;
    std::string value = contact;
    if (config_.q && contact != "*") value += ";q=" + q_text(*config_.q);
    if (expires && in_contact) {
        request.add("Contact", value + ";expires=" + std::to_string(*expires));
    } else {
        request.add("Contact", value);
        if (expires) request.add("Expires", std::to_string(*expires));
    }
    if (challenges > 0 || config_.reuses_nonce) add_known_credentials(request, "Authorization");
    start_client(request, server_path(),
                 [this, request, contact, expires, challenges](const TextMessage* response) {
                     on_register_response(response, request, contact, expires, challenges);
                 });
}

void Phone::on_register_response(const TextMessage* response, const TextMessage& request,
                                 const std::string& contact, std::optional<uint32_t> expires,
                                 int challenges) {
    last_register_status_ = response == nullptr ? 408 : response->status;
    if (is_stopping_) return;
    if (last_register_status_ == 408 || last_register_status_ == 503) {
        after(std::chrono::seconds(20), [this] { register_contact(); });
        return;
    }
    if (last_register_status_ == 401 && challenges < kChallengesMax) {
        TextMessage scratch = request;
        if (add_credentials(scratch, *response)) send_register(contact, expires, challenges + 1);
        return;
    }
    if (last_register_status_ == 423) {
        const auto least = text::to_u32(response->header("Min-Expires"));
        if (least && challenges < kChallengesMax) send_register(contact, least, challenges + 1);
        return;
    }
    if (last_register_status_ != 200) return;
    uint32_t granted = 0;
    for (const std::string& value : response->values("Contact")) {
        if (uri_of(value) != contact_uri()) continue;
        granted = text::to_u32(parameter(value, "expires").value_or("")).value_or(0);
    }
    registered_until_ = queue_.now().monotonic + std::chrono::seconds(granted);
    if (granted == 0) return;
    const Instant until = registered_until_;
    after(std::chrono::milliseconds(granted * (500 + random_.below(400))), [this, until] {
        if (registered_until_ == until) register_contact();
    });
}

}  // namespace signalbox::sim
