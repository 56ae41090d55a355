// Users in one block each: hashes, name, addresses.
#include "auth/user_table.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

namespace signalbox::auth {

namespace {

static_assert(std::is_trivially_destructible_v<User>, "the pool frees users with their table");

unsigned hash_bit(size_t algorithm, NameForm form) {
    return 1U << (2 * algorithm + (form == NameForm::WithDomain ? 1U : 0U));
}

bool is_whole(std::string_view hash, size_t algorithm) {
    return hash.size() == crypto::digest_size(static_cast<crypto::DigestAlgorithm>(algorithm));
}

bool fits(std::string_view text) {
    return text.size() <= UINT16_MAX;
}

char* put(char* out, std::string_view text) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

}  // namespace

std::string_view User::ha1(crypto::DigestAlgorithm algorithm, NameForm form) const {
    const unsigned wanted = hash_bit(static_cast<size_t>(algorithm), form);
    if ((kept_hashes_ & wanted) == 0) return {};
    const char* hash = text();
    for (size_t i = 0; i < crypto::kDigestAlgorithms; ++i) {
        const size_t size = crypto::digest_size(static_cast<crypto::DigestAlgorithm>(i));
        for (const NameForm kept : {NameForm::Plain, NameForm::WithDomain}) {
            const unsigned bit = hash_bit(i, kept);
            if (bit == wanted) return {hash, size};
            if ((kept_hashes_ & bit) != 0) hash += size;
        }
    }
    return {};
}

bool User::may_use(std::string_view wanted) const {
    if (wanted == name()) return true;
    std::string_view rest(text() + hash_bytes_ + name_size_, addresses_size_);
    while (!rest.empty()) {
        uint16_t size = 0;
        std::memcpy(&size, rest.data(), sizeof(size));
        if (rest.substr(sizeof(size), size) == wanted) return true;
        rest.remove_prefix(sizeof(size) + size);
    }
    return false;
}

NameKey UserTable::KeyOf::operator()(const User* user) const {
    return {user->tenant(), user->name()};
}

size_t UserTable::block_size(const User& user) {
    return sizeof(User) + user.hash_bytes_ + user.name_size_ + user.addresses_size_;
}

const std::string* UserTable::intern(std::string_view text) {
    for (const auto& shared : shared_texts_) {
        if (*shared == text) return shared.get();
    }
    shared_texts_.push_back(std::make_unique<const std::string>(text));
    return shared_texts_.back().get();
}

const User* UserTable::find(ports::TenantId tenant, std::string_view name) const {
    return index_.find({tenant, name}).value_or(nullptr);
}

void UserTable::update(const ports::UserRecord& record) {
    const NameKey key{record.tenant, record.name};
    const User* old = find(record.tenant, record.name);
    if (old != nullptr) {
        index_.erase(key);
        pool_.give(const_cast<User*>(old), block_size(*old));
    }
    if (record.is_removed || !fits(record.name)) return;

    User user;
    user.tenant_ = record.tenant;
    user.realm_ = intern(record.realm);
    user.domain_ = intern(record.domain);
    user.name_size_ = static_cast<uint16_t>(record.name.size());
    size_t hash_bytes = 0;
    const auto each_hash = [&record](auto&& visit) {
        for (size_t i = 0; i < crypto::kDigestAlgorithms; ++i) {
            if (is_whole(record.ha1.plain[i], i)) {
                visit(hash_bit(i, NameForm::Plain), record.ha1.plain[i]);
            }
            if (is_whole(record.ha1.with_domain[i], i)) {
                visit(hash_bit(i, NameForm::WithDomain), record.ha1.with_domain[i]);
            }
        }
    };
    each_hash([&user, &hash_bytes](unsigned bit, const std::string& hash) {
        user.kept_hashes_ = static_cast<uint8_t>(user.kept_hashes_ | bit);
        hash_bytes += hash.size();
    });
    user.hash_bytes_ = static_cast<uint16_t>(hash_bytes);
    for (const std::string& address : record.addresses) {
        if (!fits(address)) continue;
        user.addresses_size_ += static_cast<uint32_t>(sizeof(uint16_t) + address.size());
    }

    auto* made = ::new (pool_.take(block_size(user))) User(user);
    char* out = reinterpret_cast<char*>(made + 1);
    each_hash([&out](unsigned, const std::string& hash) { out = put(out, hash); });
    out = put(out, record.name);
    for (const std::string& address : record.addresses) {
        if (!fits(address)) continue;
        const auto size = static_cast<uint16_t>(address.size());
        std::memcpy(out, &size, sizeof(size));
        out = put(out + sizeof(size), address);
    }
    index_.insert(made, {made->tenant(), made->name()});
}

}  // namespace signalbox::auth
