// Challenges, written without allocation: they answer strangers.
#include "auth/challenge.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/digest.h"
#include "crypto/token.h"
#include "sip/header_id.h"

namespace signalbox::auth {

namespace {

/// Room for a realm in which every octet is escaped, a nonce, and the words around them.
constexpr size_t kChallengeBytesMax = 2 * kRealmBytesMax + crypto::kTokenTextMax + 128;

class ChallengeText final {
 public:
    /// What does not fit is cut.
    void add(std::string_view text) {
        const size_t size = std::min(text.size(), text_.size() - size_);
        std::memcpy(text_.data() + size_, text.data(), size);
        size_ += size;
    }
    /// As the inside of a quoted string.
    void add_quoted(std::string_view text) {
        for (const char& c : text.substr(0, kRealmBytesMax)) {
            if (c == '"' || c == '\\') add("\\");
            add({&c, 1});
        }
    }
    std::string_view view() const { return {text_.data(), size_}; }

 private:
    std::array<char, kChallengeBytesMax> text_;
    size_t size_ = 0;
};

}  // namespace

void append_challenges(sip::ResponseBuilder& response, int status, const ports::Snapshot& snapshot,
                       std::string_view nonce, bool stale) {
    const sip::HeaderId id =
        status == 407 ? sip::HeaderId::ProxyAuthenticate : sip::HeaderId::WwwAuthenticate;
    for (const ports::AuthAlgorithm algorithm : snapshot.auth.algorithms) {
        ChallengeText text;
        text.add("Digest realm=\"");
        text.add_quoted(snapshot.auth.realm);
        text.add("\", nonce=\"");
        text.add(nonce.substr(0, crypto::kTokenTextMax));
        text.add("\", algorithm=");
        text.add(crypto::digest_name(static_cast<crypto::DigestAlgorithm>(algorithm)));
        text.add(", qop=\"auth\"");
        if (stale) text.add(", stale=true");
        response.add(sip::header_name(id), text.view());
    }
}

}  // namespace signalbox::auth
