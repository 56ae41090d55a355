// One file of the journal: its header, its frames, and where new files come from.
#include "store/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "store/checksum.h"

namespace signalbox::store {

uint32_t frame_checksum(uint64_t sequence, uint64_t offset, std::string_view event) {
    const uint64_t place[3] = {sequence, offset, event.size()};
    const uint32_t seed =
        crc32c(0, std::string_view(reinterpret_cast<const char*>(place), sizeof(place)));
    return crc32c(seed, event);
}

std::unique_ptr<Segment> Segment::map(int descriptor, std::string path, uint64_t bytes) {
    void* map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED) {
        ::close(descriptor);
        ::unlink(path.c_str());
        return nullptr;
    }
    return std::unique_ptr<Segment>(
        new Segment(descriptor, std::move(path), static_cast<char*>(map), bytes));
}

Segment::~Segment() {
    ::munmap(map_, bytes_);
    const uint64_t used = used_.load(std::memory_order_relaxed);
    if (used == 0) {
        ::unlink(path_.c_str());
    } else if (::ftruncate(descriptor_, static_cast<off_t>(used)) != 0) {
        // The file keeps its unused end: the next start cuts it.
    }
    ::close(descriptor_);
}

bool Segment::activate(SegmentHeader header, const std::string& path) {
    header.checksum = crc32c(0, std::string_view(reinterpret_cast<const char*>(&header),
                                                 offsetof(SegmentHeader, checksum)));
    std::memcpy(map_, &header, sizeof(header));
    if (::rename(path_.c_str(), path.c_str()) != 0) return false;
    path_ = path;
    sequence_ = header.sequence;
    used_.store(kFirstFrame, std::memory_order_release);
    return true;
}

bool Segment::append(std::string_view event) {
    DCHECK(!event.empty());
    const uint64_t offset = used_.load(std::memory_order_relaxed);
    const uint64_t end = offset + frame_bytes(event.size());
    if (end > bytes_) return false;
    char* frame = map_ + offset;
    const uint32_t checksum = frame_checksum(sequence_, offset, event);
    std::memcpy(frame + sizeof(FrameHeader), event.data(), event.size());
    std::memcpy(frame + offsetof(FrameHeader, checksum), &checksum, sizeof(checksum));
    // The length comes last: who sees it sees the event.
    std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(frame))
        .store(static_cast<uint32_t>(event.size()), std::memory_order_release);
    used_.store(end, std::memory_order_release);
    return true;
}

namespace {

void sync_directory_of(const std::string& path) {
    const std::string directory = path.substr(0, path.rfind('/'));
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

}  // namespace

void Segment::sync() {
    const uint64_t end = used_.load(std::memory_order_acquire);
    if (end <= synced_) return;
    if (synced_ == 0) {
        ::fsync(descriptor_);
        sync_directory_of(path_);
    }
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    const uint64_t begin = synced_ / page * page;
    if (::msync(map_ + begin, end - begin, MS_SYNC) != 0) return;
    synced_ = end;
    // Nobody reads them here again, and the system may have the memory: what stands in them comes
    // from the file.
    const uint64_t whole = end / page * page;
    if (whole > begin) ::madvise(map_ + begin, whole - begin, MADV_DONTNEED);
}

std::unique_ptr<Segment> FileSegmentSource::make(const std::string& path, uint64_t bytes) {
    for (uint64_t size = std::max(bytes, kSegmentBytesMin);;
         size = std::max(size / 4, kSegmentBytesMin)) {
        const int descriptor =
            ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (descriptor < 0) return nullptr;
        // Reserved blocks are what keeps a write to the mapping from failing later.
        if (::posix_fallocate(descriptor, 0, static_cast<off_t>(size)) == 0) {
            return Segment::map(descriptor, path, size);
        }
        ::close(descriptor);
        ::unlink(path.c_str());
        if (size == kSegmentBytesMin) return nullptr;
    }
}

}  // namespace signalbox::store
