// Digest credentials and challenges.
// Implements: RFC 3261 §20.7, §20.27, §20.28, §20.44; RFC 7616 §3.3, §3.4
#include <array>

#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

template <class T>
struct TextField {
    std::string_view name;
    std::string_view T::*member;
};

constexpr std::array<TextField<Credentials>, 10> kCredentialFields = {{
    {"username", &Credentials::username},
    {"realm", &Credentials::realm},
    {"nonce", &Credentials::nonce},
    {"uri", &Credentials::uri},
    {"response", &Credentials::response},
    {"algorithm", &Credentials::algorithm},
    {"cnonce", &Credentials::cnonce},
    {"opaque", &Credentials::opaque},
    {"qop", &Credentials::qop},
    {"nc", &Credentials::nc},
}};

constexpr std::array<TextField<Challenge>, 6> kChallengeFields = {{
    {"realm", &Challenge::realm},
    {"nonce", &Challenge::nonce},
    {"opaque", &Challenge::opaque},
    {"algorithm", &Challenge::algorithm},
    {"qop", &Challenge::qop},
    {"domain", &Challenge::domain},
}};

/// The value without its quotes; quoted pairs stay.
std::string_view inside_quotes(std::string_view value) {
    if (value.empty() || value.front() != '"') return value;
    return value.substr(1, value.size() - 2);
}

/// Sets the member of that name; the index of its row, or the number of rows when the name is none
/// of them.
template <class T, size_t N>
size_t set_field(const std::array<TextField<T>, N>& fields, T& out, std::string_view name,
                 std::string_view value) {
    size_t index = 0;
    while (index < N && !lexer::is_name(name, fields[index].name)) ++index;
    if (index < N) out.*fields[index].member = value;
    return index;
}

/// Which parameters came, to notice the second of a kind.
class Seen final {
 public:
    /// True when `index` was marked before.
    bool mark(size_t index) {
        const uint32_t bit = 1U << index;
        const bool before = (bits_ & bit) != 0;
        bits_ |= bit;
        return before;
    }

 private:
    uint32_t bits_ = 0;
};

constexpr size_t kUsernameExtended = kCredentialFields.size();
constexpr size_t kUserhash = kUsernameExtended + 1;

void read_credential(Credentials& out, Seen& seen, const Param& param) {
    const std::string_view raw = param.value.value_or(std::string_view{});
    const std::string_view value = inside_quotes(raw);
    size_t index = set_field(kCredentialFields, out, param.name, value);
    if (index == kCredentialFields.size()) {
        if (lexer::is_name(param.name, "username*")) {
            out.username_extended = value;
            index = kUsernameExtended;
        } else if (lexer::is_name(param.name, "userhash")) {
            out.userhash = text::iequals(value, "true");
            index = kUserhash;
        } else {
            return;
        }
    }
    if (seen.mark(index)) out.has_duplicate = true;
    if (value.size() != raw.size() && value.find('\\') != std::string_view::npos) {
        out.has_quoted_pair = true;
    }
}

/// Takes the scheme and the white space behind it.
std::string_view take_scheme(lexer::Cursor& cursor) {
    cursor.skip_white();
    const std::string_view scheme = cursor.run(lexer::kToken);
    cursor.skip_white();
    return scheme;
}

}  // namespace

Result<Credentials> parse_credentials(std::string_view value) {
    lexer::Cursor cursor(value);
    const std::string_view scheme = take_scheme(cursor);
    if (scheme.empty()) return fail(ErrorCode::malformed_authorization);
    Credentials out;
    out.text = value;
    if (!lexer::is_name(scheme, "digest")) return out;
    out.is_digest = true;
    if (cursor.at_end()) return fail(ErrorCode::malformed_authorization);
    Seen seen;
    ParamWalker walker(cursor.rest(), ',');
    while (const std::optional<Param> param = walker.next()) {
        if (!param->value) return fail(ErrorCode::malformed_authorization);
        read_credential(out, seen, *param);
    }
    if (!walker.ok()) return fail(ErrorCode::malformed_authorization);
    return out;
}

Result<Challenge> parse_challenge(std::string_view value) {
    lexer::Cursor cursor(value);
    const std::string_view scheme = take_scheme(cursor);
    if (scheme.empty()) return fail(ErrorCode::malformed_authorization);
    Challenge out;
    if (!lexer::is_name(scheme, "digest")) return out;
    out.is_digest = true;
    if (cursor.at_end()) return fail(ErrorCode::malformed_authorization);
    ParamWalker walker(cursor.rest(), ',');
    while (const std::optional<Param> param = walker.next()) {
        if (!param->value) return fail(ErrorCode::malformed_authorization);
        const std::string_view text_value = inside_quotes(*param->value);
        set_field(kChallengeFields, out, param->name, text_value);
        if (lexer::is_name(param->name, "stale")) out.stale = text::iequals(text_value, "true");
    }
    if (!walker.ok()) return fail(ErrorCode::malformed_authorization);
    return out;
}

}  // namespace signalbox::sip
