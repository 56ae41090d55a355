// The data directory: who may read it, the name that the realm never leaves, and the keys of our
// tokens.
#include "store/data_dir.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/result.h"
#include "base/text.h"
#include "crypto/constant_time.h"

namespace signalbox::store {

namespace {

constexpr std::chrono::hours kKeyLifetime{30 * 24};
constexpr std::chrono::hours kOldKeyLifetime{24};
/// The current key's tokens never end by themselves: a restart replaces it.
constexpr WallTime kNever = WallTime::max();

std::string because() {
    return std::strerror(errno);
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t size = ::write(descriptor, content.data(), content.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return false;
        content.remove_prefix(static_cast<size_t>(size));
    }
    return true;
}

/// One key as it stands in the file: "key <id> <made> <not after, 0: never> <secret>".
struct StoredKey {
    crypto::TokenKey key;
    WallTime made;
};

std::optional<WallTime> parse_seconds(std::string_view text) {
    const auto seconds = text::to_u64(text);
    if (!seconds || *seconds > 100'000'000'000) return std::nullopt;
    return WallTime(std::chrono::seconds(static_cast<int64_t>(*seconds)));
}

std::optional<StoredKey> parse_key(const std::string& line) {
    std::istringstream words(line);
    std::string tag, id_text, made_text, not_after_text, secret_text, rest;
    words >> tag >> id_text >> made_text >> not_after_text >> secret_text;
    if (tag != "key" || (words >> rest)) return std::nullopt;
    const auto id = text::to_u32(id_text);
    const auto made = parse_seconds(made_text);
    const auto not_after = parse_seconds(not_after_text);
    auto secret = text::from_hex(secret_text);
    if (!id || *id > UINT8_MAX || !made || !not_after || !secret) return std::nullopt;
    if (secret->size() != crypto::kTokenSecretBytes) return std::nullopt;
    StoredKey stored;
    stored.key.id = static_cast<uint8_t>(*id);
    std::copy(secret->begin(), secret->end(), stored.key.secret.begin());
    stored.key.not_after = *not_after == WallTime{} ? kNever : *not_after;
    stored.made = *made;
    crypto::wipe(*secret);
    return stored;
}

std::string format_keys(const std::vector<StoredKey>& keys) {
    std::string out =
        "# Keys of this server's tokens. Keep this file secret. Format: key id made not-after "
        "secret\n";
    for (const StoredKey& stored : keys) {
        const bool is_current = stored.key.not_after == kNever;
        const std::string_view secret(reinterpret_cast<const char*>(stored.key.secret.data()),
                                      stored.key.secret.size());
        out += "key " + std::to_string(stored.key.id) + " " +
               std::to_string(unix_seconds(stored.made)) + " " +
               std::to_string(is_current ? 0 : unix_seconds(stored.key.not_after)) + " " +
               text::to_hex(secret) + "\n";
    }
    return out;
}

Outcome<StoredKey> new_key(uint8_t id, WallTime now) {
    StoredKey stored;
    stored.key.id = id;
    stored.key.not_after = kNever;
    stored.made = now;
    auto& secret = stored.key.secret;
    if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
        return failure("The system gave no random octets for the keys: " + because() + ".");
    }
    return stored;
}

Outcome<std::vector<StoredKey>> read_keys(const std::string& path) {
    std::vector<StoredKey> keys;
    const auto content = read_file(path);
    if (!content) return keys;
    std::istringstream lines(*content);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        const auto key = parse_key(line);
        if (!key) {
            keys.clear();
            break;
        }
        keys.push_back(*key);
    }
    if (keys.empty() || keys.size() > crypto::kTokenKeysMax) {
        return failure(
            "The file of keys " + path +
            " is damaged. Restore it from a backup, or remove it: then calls that are up "
            "cannot be ended through the server.");
    }
    return keys;
}

/// Drops keys that are past their time and makes a new current one when the old one has served long
/// enough. True: something changed.
Outcome<bool> rotate(std::vector<StoredKey>& keys, WallTime now) {
    const size_t before = keys.size();
    std::erase_if(keys, [now](const StoredKey& stored) { return stored.key.not_after < now; });
    const bool has_current = !keys.empty() && keys.front().key.not_after == kNever;
    // A clock that was set back must not keep a key for ever.
    const bool is_fresh = has_current && now - keys.front().made < kKeyLifetime &&
                          keys.front().made - now < kKeyLifetime;
    if (is_fresh) return keys.size() != before;
    uint8_t id = 1;
    if (!keys.empty()) id = static_cast<uint8_t>(keys.front().key.id + 1);
    for (StoredKey& stored : keys) {
        stored.key.not_after = std::min(stored.key.not_after, now + kOldKeyLifetime);
    }
    if (keys.size() == crypto::kTokenKeysMax) keys.pop_back();
    auto key = new_key(id, now);
    if (!key) return tl::unexpected(key.error());
    keys.insert(keys.begin(), *key);
    return true;
}

}  // namespace

Outcome<void> make_data_dir(const std::string& data_dir) {
    std::error_code error;
    const std::filesystem::path path(data_dir);
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(data_dir.c_str(), 0700) == 0) return {};
    if (errno != EEXIST) {
        return failure("The data directory " + data_dir + " cannot be made: " + because() + ".");
    }
    struct stat status {};
    if (::stat(data_dir.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return failure("The data directory " + data_dir + " is a file. Choose another data_dir.");
    }
    if (::access(data_dir.c_str(), R_OK | W_OK | X_OK) != 0) {
        return failure("The data directory " + data_dir + " cannot be used: " + because() +
                       ". Give the server's user the right to it, or choose another data_dir.");
    }
    return {};
}

Outcome<void> write_file_atomically(const std::string& path, std::string_view content) {
    const std::string temporary = path + ".new";
    const auto fail_with = [&path, &temporary](int descriptor) -> Outcome<void> {
        const std::string why = because();
        if (descriptor >= 0) ::close(descriptor);
        ::unlink(temporary.c_str());
        return failure("The file " + path + " cannot be written: " + why + ".");
    };
    const int descriptor =
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return fail_with(descriptor);
    if (!write_all(descriptor, content) || ::fsync(descriptor) != 0) return fail_with(descriptor);
    ::close(descriptor);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_with(-1);
    const std::string directory = std::filesystem::path(path).parent_path().string();
    const int parent = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        ::fsync(parent);
        ::close(parent);
    }
    return {};
}

Outcome<std::string> fixed_realm(const std::string& data_dir, std::string_view host_name) {
    const std::string path = data_dir + "/identity";
    constexpr std::string_view kKey = "realm ";
    if (const auto content = read_file(path)) {
        std::string_view line = text::trim(*content);
        if (line.substr(0, kKey.size()) == kKey && line.size() > kKey.size() &&
            line.find('\n') == std::string_view::npos) {
            return std::string(text::trim(line.substr(kKey.size())));
        }
        return failure("The file " + path + " is damaged: expected one line \"realm NAME\".");
    }
    std::string realm(host_name);
    TRY(write_file_atomically(path, std::string(kKey) + realm + "\n"));
    return realm;
}

Outcome<std::vector<crypto::TokenKey>> load_keys(const std::string& data_dir, WallTime now) {
    const std::string path = data_dir + "/keys";
    auto stored = read_keys(path);
    if (!stored) return tl::unexpected(stored.error());
    const auto is_changed = rotate(*stored, now);
    if (!is_changed) return tl::unexpected(is_changed.error());
    if (*is_changed) {
        std::string content = format_keys(*stored);
        TRY(write_file_atomically(path, content));
        crypto::wipe(content);
    }
    std::vector<crypto::TokenKey> keys;
    for (const StoredKey& one : *stored) keys.push_back(one.key);
    return keys;
}

}  // namespace signalbox::store
