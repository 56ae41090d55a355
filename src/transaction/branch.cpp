// The branch parameter of the Vias that we add, to text and back.
// Implements: RFC 3261 §8.1.1.7, §16.6 step 8; RFC 5393 §4.2
#include "transaction/branch.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/text.h"

namespace signalbox::transaction {

namespace {

constexpr std::string_view kMagicCookie = "z9hG4bK";
constexpr size_t kPayloadBytes = 1 + 4 + 4 + 8 + 8;  // kind, index, generation, cookie, loop hash
constexpr size_t kTokenTextSize =
    crypto::base32_size(crypto::kTokenHeaderBytes + kPayloadBytes + crypto::kSiphashTagBytes);
// Eight characters of base32 are exactly five octets: version, key id, node, shard.
constexpr size_t kHeaderTextSize = crypto::base32_size(crypto::kTokenHeaderBytes);
constexpr size_t kShardOffset = 4;

static_assert(std::endian::native == std::endian::little);
static_assert(kMagicCookie.size() + crypto::kTokenTextMax <= 256);
static_assert(kMagicCookie.size() + kTokenTextSize <= sizeof(BranchText::text));
static_assert(crypto::kTokenHeaderBytes == 5 && kHeaderTextSize == 8);

template <class T>
char* put(char* out, T value) {
    std::memcpy(out, &value, sizeof(value));
    return out + sizeof(value);
}

template <class T>
const char* get(const char* in, T& value) {
    std::memcpy(&value, in, sizeof(value));
    return in + sizeof(value);
}

/// What stands behind the magic cookie; empty when the length or the cookie is not ours.
std::string_view token_of(std::string_view branch) {
    if (branch.size() != kMagicCookie.size() + kTokenTextSize) return {};
    if (!text::istarts_with(branch, kMagicCookie)) return {};
    return branch.substr(kMagicCookie.size());
}

}  // namespace

BranchText make_branch(const BranchFields& fields, const crypto::TokenKeys& keys) {
    std::array<char, kPayloadBytes> payload;
    char* out = put(payload.data(), fields.kind);
    out = put(out, fields.index);
    out = put(out, fields.generation);
    out = put(out, fields.cookie);
    put(out, fields.loop_hash);

    crypto::TokenFields token;
    token.node = fields.node;
    token.shard = fields.shard;
    token.payload = {payload.data(), payload.size()};
    BranchText branch;
    std::array<char, crypto::kTokenTextMax> sealed;
    const size_t size = crypto::seal_siphash(crypto::purpose::kBranch, token, keys, sealed.data());
    DCHECK(size == kTokenTextSize);
    const size_t cookie_size = kMagicCookie.copy(branch.text.data(), branch.text.size());
    std::memcpy(branch.text.data() + cookie_size, sealed.data(), kTokenTextSize);
    branch.size = static_cast<uint8_t>(cookie_size + size);
    return branch;
}

std::optional<BranchFields> read_branch(std::string_view branch, const crypto::TokenKeys& keys,
                                        WallTime now) {
    const std::string_view token = token_of(branch);
    if (token.empty()) return std::nullopt;
    const auto opened = crypto::open_siphash(crypto::purpose::kBranch, token, keys, now);
    if (!opened || opened->payload().size() != kPayloadBytes) return std::nullopt;

    BranchFields fields;
    fields.node = opened->node;
    fields.shard = opened->shard;
    const char* in = get(opened->payload().data(), fields.kind);
    in = get(in, fields.index);
    in = get(in, fields.generation);
    in = get(in, fields.cookie);
    get(in, fields.loop_hash);
    if (fields.kind < BranchKind::Stateful || fields.kind > BranchKind::KeepAlive) {
        return std::nullopt;
    }
    return fields;
}

std::optional<uint8_t> peek_branch_shard(std::string_view branch) {
    const std::string_view token = token_of(branch);
    if (token.empty()) return std::nullopt;
    std::array<char, crypto::kTokenHeaderBytes> header;
    const auto size =
        crypto::base32_decode(token.substr(0, kHeaderTextSize), header.data(), header.size());
    if (size != header.size()) return std::nullopt;
    if (static_cast<uint8_t>(header[0]) != crypto::kTokenVersion) return std::nullopt;
    return static_cast<uint8_t>(header[kShardOffset]);
}

}  // namespace signalbox::transaction
