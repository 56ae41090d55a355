// The users of one shard: what is needed to check their credentials and the addresses that they
// may use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_index.h"
#include "base/stepped_pool.h"
#include "crypto/digest.h"
#include "ports/user_record.h"

namespace signalbox::auth {

/// How a phone writes its user name.
enum class NameForm : uint8_t {
    Plain,       // "alice"
    WithDomain,  // "alice@example.test"
};

/// A user in one block, made and kept by UserTable: hashes, name and addresses stand behind it.
class User final {
 public:
    ports::TenantId tenant() const { return tenant_; }
    std::string_view name() const { return {text() + hash_bytes_, name_size_}; }
    /// For which the hashes hold.
    std::string_view realm() const { return *realm_; }
    /// The domain of NameForm::WithDomain.
    std::string_view domain() const { return *domain_; }
    /// H(name:realm:password), raw octets; empty: not kept.
    std::string_view ha1(crypto::DigestAlgorithm algorithm, NameForm form) const;
    /// True when `name`, a canonical user part, is his own name or a further address of his.
    bool may_use(std::string_view name) const;

 private:
    friend class UserTable;
    User() = default;
    const char* text() const { return reinterpret_cast<const char*>(this + 1); }

    const std::string* realm_ = nullptr;
    const std::string* domain_ = nullptr;
    ports::TenantId tenant_ = 0;
    uint16_t hash_bytes_ = 0;
    uint16_t name_size_ = 0;
    uint32_t addresses_size_ = 0;  // each with its length (2 octets) before it
    uint8_t kept_hashes_ = 0;      // bit 2 * algorithm + form
};

/// Single-threaded; one per shard. One block per user (40 octets, his name, his hashes and his
/// addresses); realms and domains, which all users share, are kept once.
class UserTable final {
 public:
    UserTable() : index_(KeyOf{}) {}
    UserTable(const UserTable&) = delete;
    UserTable& operator=(const UserTable&) = delete;

    /// Adds, replaces or removes the user of that tenant and name. A hash that is not of its
    /// algorithm's size counts as not kept, and so does every text of more than 65,535 octets.
    void update(const ports::UserRecord& record);
    /// Null when there is none. Valid until that user is updated.
    const User* find(ports::TenantId tenant, std::string_view name) const;
    size_t size() const { return index_.size(); }
    /// Octets of the users' blocks.
    size_t bytes() const { return pool_.bytes_out(); }

 private:
    struct KeyOf {
        NameKey operator()(const User* user) const;
    };
    using Index = NameIndex<const User*, KeyOf>;
    static size_t block_size(const User& user);
    const std::string* intern(std::string_view text);

    SteppedPool pool_;
    Index index_;
    std::vector<std::unique_ptr<const std::string>> shared_texts_;  // realms and domains: a handful
};

}  // namespace signalbox::auth
