// Reads the answers of DNS. Implements: RFC 1035 §4.1; RFC 2181 §8; RFC 2308 §5; RFC 2782; RFC 3403
// §4.1
#include "io/dns_message.h"

#include <ares.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace signalbox::io {
namespace {

using resolver::Outcome;
using resolver::RecordSet;
using resolver::RecordType;

constexpr size_t kHeaderBytes = 12;
constexpr uint16_t kTypeSoa = 6, kTypeSrv = 33, kTypeNaptr = 35;
constexpr Duration kNegativeDefault = std::chrono::seconds(10);
constexpr size_t kSectionMax = 512;  // records that are looked at

/// Walks over a message; after a fault everything reads as zero and is_ok() is false.
class Reader final {
 public:
    Reader(std::string_view message, size_t at, size_t end)
        : message_(message), at_(at), end_(std::min(end, message.size())) {}

    bool is_ok() const { return is_ok_; }
    size_t at() const { return at_; }
    uint16_t u16() {
        const std::string_view octets = take(2);
        if (octets.empty()) return 0;
        return static_cast<uint16_t>(octet(octets[0]) << 8 | octet(octets[1]));
    }
    uint32_t u32() {
        const uint32_t high = u16();
        return high << 16 | u16();
    }
    std::string_view take(size_t size) {
        if (!is_ok_ || end_ < at_ || end_ - at_ < size) {
            is_ok_ = false;
            return {};
        }
        at_ += size;
        return message_.substr(at_ - size, size);
    }
    /// A <character-string>.
    std::string text() {
        const std::string_view size = take(1);
        return size.empty() ? std::string{} : std::string(take(octet(size[0])));
    }
    /// A name, in lower case; the root is empty.
    std::string name() {
        const auto* const all = reinterpret_cast<const unsigned char*>(message_.data());
        char* expanded = nullptr;
        long size = 0;
        if (!is_ok_ || at_ >= end_ ||
            ares_expand_name(all + at_, all, static_cast<int>(message_.size()), &expanded, &size) !=
                ARES_SUCCESS) {
            is_ok_ = false;
            return {};
        }
        std::string result = text::to_lower(expanded);
        ares_free_string(expanded);
        at_ += static_cast<size_t>(size);
        if (!result.empty() && result.back() == '.') result.pop_back();
        return result;
    }

 private:
    static uint32_t octet(char c) { return static_cast<unsigned char>(c); }
    std::string_view message_;
    size_t at_, end_;
    bool is_ok_ = true;
};

struct Record {
    uint16_t type = 0;
    Duration ttl{};
    size_t data_begin = 0;
    size_t data_size = 0;
};

Record read_record(Reader& reader) {
    Record record;
    reader.name();
    record.type = reader.u16();
    reader.u16();  // class
    const uint32_t ttl = reader.u32();
    // A TTL with the highest bit is none (RFC 2181 §8).
    record.ttl = std::chrono::seconds(ttl > INT32_MAX ? 0 : ttl);
    record.data_size = reader.u16();
    record.data_begin = reader.at();
    reader.take(record.data_size);
    return record;
}

/// False when the record's data cannot be read.
bool add_record(std::string_view message, const Record& record, RecordSet& records) {
    Reader data(message, record.data_begin, record.data_begin + record.data_size);
    if (record.type == kTypeSrv) {
        resolver::SrvRecord srv;
        srv.priority = data.u16();
        srv.weight = data.u16();
        srv.port = data.u16();
        srv.target = data.name();
        records.services.push_back(std::move(srv));
    } else {
        resolver::NaptrRecord naptr;
        naptr.order = data.u16();
        naptr.preference = data.u16();
        naptr.flags = data.text();
        naptr.service = data.text();
        naptr.regexp = data.text();
        naptr.replacement = data.name();
        records.pointers.push_back(std::move(naptr));
    }
    return data.is_ok();
}

/// How long the proof holds that there is nothing (RFC 2308 §5).
Duration negative_ttl(std::string_view message, const Record& soa) {
    Reader data(message, soa.data_begin, soa.data_begin + soa.data_size);
    data.name();
    data.name();
    data.take(16);
    const Duration minimum = std::chrono::seconds(data.u32());
    return data.is_ok() ? std::min(soa.ttl, minimum) : kNegativeDefault;
}

}  // namespace

std::optional<RecordSet> read_dns_answer(std::string_view message, RecordType type) {
    const uint16_t wanted = type == RecordType::Srv ? kTypeSrv : kTypeNaptr;
    Reader header(message, 4, kHeaderBytes);
    const uint16_t questions = header.u16();
    const uint16_t answers = header.u16();
    const uint16_t authorities = header.u16();
    if (!header.is_ok() || questions > 1) return std::nullopt;
    Reader reader(message, kHeaderBytes, message.size());
    for (uint16_t i = 0; i < questions; ++i) {
        reader.name();
        reader.take(4);
    }
    RecordSet records;
    records.ttl = Duration::max();
    const size_t looked_at = std::min<size_t>(answers, kSectionMax);
    for (size_t i = 0; i < looked_at && reader.is_ok(); ++i) {
        const Record record = read_record(reader);
        records.ttl = std::min(records.ttl, record.ttl);
        const size_t count = records.services.size() + records.pointers.size();
        if (!reader.is_ok() || record.type != wanted || count == RecordSet::kRecordsMax) continue;
        if (!add_record(message, record, records)) return std::nullopt;
    }
    if (!reader.is_ok()) return std::nullopt;
    if (!records.services.empty() || !records.pointers.empty()) {
        records.outcome = Outcome::Found;
        return records;
    }
    records.outcome = Outcome::None;
    records.ttl = kNegativeDefault;
    for (size_t i = 0; i < std::min<size_t>(authorities, kSectionMax); ++i) {
        const Record record = read_record(reader);
        if (!reader.is_ok()) break;
        if (record.type == kTypeSoa) records.ttl = negative_ttl(message, record);
    }
    return records;
}

}  // namespace signalbox::io
