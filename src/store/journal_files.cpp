// Where the journal's files lie, which there are, and which may go.
#include "store/journal_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/text.h"
#include "store/checksum.h"

namespace signalbox::store {

namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr std::string_view kShardPrefix = "shard-";

/// The names in a directory; none when it cannot be read.
std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
         it.increment(error)) {
        names.push_back(it->path().filename().string());
    }
    return names;
}

uint64_t wall_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000 +
           static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

std::string shard_directory(const std::string& data_dir, uint8_t shard) {
    std::array<char, 16> name{};
    std::snprintf(name.data(), name.size(), "shard-%02u", unsigned{shard});
    return data_dir + "/journal/" + name.data();
}

std::string segment_path(const std::string& data_dir, uint8_t shard, uint64_t sequence) {
    std::array<char, 40> name{};
    std::snprintf(name.data(), name.size(), "/%010llu.journal",
                  static_cast<unsigned long long>(sequence));
    return shard_directory(data_dir, shard) + name.data();
}

uint64_t sequence_of(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (!name.ends_with(kSuffix)) return 0;
    return text::to_u64(name.substr(0, name.size() - kSuffix.size())).value_or(0);
}

std::vector<uint8_t> journal_shards(const std::string& data_dir) {
    std::vector<uint8_t> shards;
    for (const std::string& name : names_in(data_dir + "/journal")) {
        if (name.compare(0, kShardPrefix.size(), kShardPrefix) != 0) continue;
        const auto number = text::to_u32(std::string_view(name).substr(kShardPrefix.size()));
        if (number && *number <= UINT8_MAX) shards.push_back(static_cast<uint8_t>(*number));
    }
    std::sort(shards.begin(), shards.end());
    return shards;
}

std::vector<uint64_t> segment_sequences(const std::string& data_dir, uint8_t shard) {
    std::vector<uint64_t> sequences;
    for (const std::string& name : names_in(shard_directory(data_dir, shard))) {
        if (const uint64_t number = sequence_of(name); number != 0) sequences.push_back(number);
    }
    std::sort(sequences.begin(), sequences.end());
    return sequences;
}

std::optional<SegmentHeader> read_header(int descriptor) {
    SegmentHeader header;
    if (::pread(descriptor, &header, sizeof(header), 0) != static_cast<ssize_t>(sizeof(header))) {
        return std::nullopt;
    }
    if (header.magic != SegmentHeader::kMagic) return std::nullopt;
    if (header.version != SegmentHeader{}.version) return std::nullopt;
    const std::string_view covered(reinterpret_cast<const char*>(&header),
                                   offsetof(SegmentHeader, checksum));
    if (header.checksum != crc32c(0, covered)) return std::nullopt;
    return header;
}

std::vector<SegmentFile> list_segments(const std::string& data_dir, uint8_t shard) {
    std::vector<SegmentFile> files;
    for (const uint64_t sequence : segment_sequences(data_dir, shard)) {
        SegmentFile file;
        file.path = segment_path(data_dir, shard, sequence);
        const int descriptor = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) continue;
        const auto header = read_header(descriptor);
        struct stat status {};
        const bool is_known = ::fstat(descriptor, &status) == 0;
        ::close(descriptor);
        if (!header || !is_known || header->sequence != sequence) continue;
        file.header = *header;
        file.bytes = static_cast<uint64_t>(status.st_size);
        files.push_back(std::move(file));
    }
    return files;
}

uint64_t next_run(const std::string& data_dir) {
    uint64_t latest = 0;
    for (const uint8_t shard : journal_shards(data_dir)) {
        for (const SegmentFile& file : list_segments(data_dir, shard)) {
            latest = std::max(latest, file.header.run);
        }
    }
    return std::max(latest + 1, wall_ms());
}

uint64_t boot_hash() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return siphash({0x626f6f742d6964, 1}, id);
}

size_t trim_journal(const std::string& data_dir, const JournalKept& kept,
                    const std::map<uint8_t, JournalPosition>& folded) {
    struct Removable {
        SegmentFile file;
        bool is_outdated = false;
    };
    const int64_t since_us = kept.since.time_since_epoch().count();
    std::vector<Removable> removable;
    uint64_t bytes = 0;
    for (const uint8_t shard : journal_shards(data_dir)) {
        const std::vector<SegmentFile> files = list_segments(data_dir, shard);
        const auto position = folded.find(shard);
        for (size_t i = 0; i < files.size(); ++i) {
            bytes += files[i].bytes;
            const bool is_newest = i + 1 == files.size();
            if (is_newest || position == folded.end()) continue;
            if (files[i].header.sequence >= position->second.sequence) continue;
            // Nothing was written to it any more when the next one was begun.
            removable.push_back({files[i], files[i + 1].header.created_us < since_us});
        }
    }
    const auto is_older = [](const Removable& a, const Removable& b) {
        const SegmentHeader& left = a.file.header;
        const SegmentHeader& right = b.file.header;
        return left.run != right.run ? left.run < right.run : left.created_us < right.created_us;
    };
    std::stable_sort(removable.begin(), removable.end(), is_older);
    size_t removed = 0;
    for (const auto& [file, is_outdated] : removable) {
        if (bytes <= kept.bytes && !is_outdated) continue;
        if (::unlink(file.path.c_str()) != 0) continue;
        bytes -= file.bytes;
        ++removed;
    }
    return removed;
}

}  // namespace signalbox::store
