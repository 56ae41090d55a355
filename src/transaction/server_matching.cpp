// By what a received request finds its server transaction. Implements: RFC 3261 §17.2.3, §9.2
#include "transaction/server_matching.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/lower_case.h"
#include "base/text.h"

namespace signalbox::transaction {

/// Hashes fields of any length in a small buffer: each full buffer is replaced by its hash.
class ServerMatching::Hasher final {
 public:
    explicit Hasher(const ServerMatching& matching) : matching_(matching) {}

    void add_number(uint32_t number) {
        make_room(sizeof(number));
        std::memcpy(buffer_.data() + size_, &number, sizeof(number));
        size_ += sizeof(number);
    }
    /// A field and its length, so that no two lists of fields give the same octets.
    void add(std::string_view field) {
        add_number(static_cast<uint32_t>(field.size()));
        while (!field.empty()) {
            make_room(1);
            const size_t copied = field.copy(buffer_.data() + size_, buffer_.size() - size_);
            size_ += copied;
            field.remove_prefix(copied);
        }
    }
    void add_lower_case(std::string_view field) {
        add_number(static_cast<uint32_t>(field.size()));
        while (!field.empty()) {
            make_room(1);
            const std::string_view part = field.substr(0, buffer_.size() - size_);
            copy_lower_case(part, buffer_.data() + size_);
            size_ += part.size();
            field.remove_prefix(part.size());
        }
    }
    void add(const ServerKey& key) {
        make_room(sizeof(key));
        std::memcpy(buffer_.data() + size_, &key, sizeof(key));
        size_ += sizeof(key);
    }
    ServerKey finish() {
        fold();
        return result_;
    }

 private:
    void make_room(size_t octets) {
        if (size_ + octets > buffer_.size()) fold();
    }
    void fold() {
        result_.check = mixed();
        result_.hash = siphash(matching_.hash_key_, {buffer_.data(), size_});
        std::memcpy(buffer_.data(), &result_.hash, sizeof(result_.hash));
        size_ = sizeof(result_.hash);
    }
    /// Quick and of another kind than SipHash: it need not resist anybody who cannot find
    /// collisions of that.
    uint64_t mixed() const {
        uint64_t mix = result_.check ^ size_;
        const auto add = [&](uint64_t word) {
            mix = std::rotl((mix ^ word) * matching_.check_key_, 29);
        };
        size_t at = 0;
        uint64_t word = 0;
        for (; at + sizeof(word) <= size_; at += sizeof(word)) {
            std::memcpy(&word, buffer_.data() + at, sizeof(word));
            add(word);
        }
        word = 0;
        for (; at < size_; ++at) word = word << 8 | static_cast<uint8_t>(buffer_[at]);
        add(word);
        return mix;
    }

    const ServerMatching& matching_;
    std::array<char, 256> buffer_;
    size_t size_ = 0;
    ServerKey result_;
};

namespace {

constexpr std::string_view kInvite = "INVITE";

std::string_view tag_of(const sip::MessageView& request, sip::HeaderId id) {
    const ErrorCode bad =
        id == sip::HeaderId::To ? ErrorCode::malformed_to : ErrorCode::malformed_from;
    const Result<sip::NameAddr> address = sip::parse_name_addr(request.value(id), bad);
    return address ? address->tag : std::string_view{};
}

}  // namespace

ServerKey ServerMatching::key(const sip::MessageView& request, const sip::Via& via) const {
    const bool is_ack = request.method() == sip::Method::Ack;
    if (is_ack && !via.has_magic_cookie()) {
        return legacy_ack_key(legacy_part(request, via), tag_of(request, sip::HeaderId::To));
    }
    return key_as(request, via, is_ack ? kInvite : request.method_text());
}

ServerKey ServerMatching::cancelled_key(const sip::MessageView& cancel, const sip::Via& via,
                                        sip::Method method) const {
    return key_as(cancel, via, sip::method_name(method));
}

ServerKey ServerMatching::key_as(const sip::MessageView& request, const sip::Via& via,
                                 std::string_view method) const {
    if (!via.has_magic_cookie()) {
        return legacy_key(legacy_part(request, via), method, tag_of(request, sip::HeaderId::To));
    }
    Hasher hasher(*this);
    hasher.add_lower_case(via.branch);
    hasher.add_lower_case(via.host);
    hasher.add_number(via.port_or_default());
    hasher.add(method);
    return hasher.finish();
}

ServerKey ServerMatching::legacy_part(const sip::MessageView& request, const sip::Via& via) const {
    const std::optional<sip::CSeq>& cseq = request.cseq();
    Hasher hasher(*this);
    hasher.add(request.request_uri());
    hasher.add_lower_case(tag_of(request, sip::HeaderId::From));
    hasher.add(request.value(sip::HeaderId::CallId));
    hasher.add_number(cseq ? cseq->number : 0);
    hasher.add(via.text);
    return hasher.finish();
}

ServerKey ServerMatching::legacy_ack_key(const ServerKey& part,
                                         std::string_view response_to_tag) const {
    return legacy_key(part, "ACK", response_to_tag);
}

ServerKey ServerMatching::legacy_key(const ServerKey& part, std::string_view method,
                                     std::string_view to_tag) const {
    Hasher hasher(*this);
    hasher.add(part);
    hasher.add(method);
    hasher.add_lower_case(to_tag);
    return hasher.finish();
}

ServerHandle ServerIndex::find(const ServerKey& key) const {
    return parts_[key.check % kParts].find(key);
}

void ServerIndex::prefetch(const ServerKey& key) const {
    parts_[key.check % kParts].prefetch(key);
}

bool ServerIndex::insert(const ServerKey& key, ServerHandle server) {
    return part(key).insert(key, server);
}

void ServerIndex::erase(const ServerKey& key) {
    part(key).erase(key);
}

size_t ServerIndex::Part::place_of(const ServerKey& key) const {
    const uint8_t tag = tag_of(key);
    size_t place = home(key);
    while (tags_[place] != kFree && !(tags_[place] == tag && entries_[place].key == key))
        place = behind(place);
    return place;
}

ServerHandle ServerIndex::Part::find(const ServerKey& key) const {
    if (tags_.empty()) return {};
    const size_t place = place_of(key);
    return tags_[place] == kFree ? ServerHandle{} : entries_[place].server;
}

void ServerIndex::Part::prefetch(const ServerKey& key) const {
    if (tags_.empty()) return;
    constexpr int kToRead = 0;
    constexpr int kToWrite = 1;
    __builtin_prefetch(&tags_[home(key)], kToRead);
    __builtin_prefetch(&entries_[home(key)], kToWrite);
}

bool ServerIndex::Part::insert(const ServerKey& key, ServerHandle server) {
    // A quarter stays free, so that searches are short.
    if (used_ + 1 > tags_.size() / 4 * 3) grow();
    const size_t place = place_of(key);
    if (tags_[place] != kFree) return false;
    put(place, key, server);
    ++used_;
    return true;
}

void ServerIndex::Part::put(size_t place, const ServerKey& key, ServerHandle server) {
    tags_[place] = tag_of(key);
    entries_[place] = {key, server};
}

/// Those behind it come nearer to their homes, so that no search ends at the gap.
void ServerIndex::Part::erase(const ServerKey& key) {
    if (tags_.empty()) return;
    size_t gap = place_of(key);
    if (tags_[gap] == kFree) return;
    const size_t mask = tags_.size() - 1;
    for (size_t place = behind(gap); tags_[place] != kFree; place = behind(place)) {
        const Entry& entry = entries_[place];
        const size_t from_home = (place - home(entry.key)) & mask;
        if (from_home < ((place - gap) & mask)) continue;
        put(gap, entry.key, entry.server);
        gap = place;
    }
    tags_[gap] = kFree;
    --used_;
}

void ServerIndex::Part::grow() {
    constexpr size_t kLeast = 16;
    std::vector<uint8_t> tags(std::max(kLeast, tags_.size() * 2));
    std::vector<Entry> entries(tags.size());
    tags.swap(tags_);
    entries.swap(entries_);
    for (size_t place = 0; place < tags.size(); ++place) {
        const Entry& entry = entries[place];
        if (tags[place] != kFree) put(place_of(entry.key), entry.key, entry.server);
    }
}

}  // namespace signalbox::transaction
