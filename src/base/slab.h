// Objects owned in place and named by index and generation, so that a late answer to a dead object
// is noticed.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/check.h"

namespace signalbox {

/// Names an object of a Slab<T>. A default handle names nothing. Values only; it never keeps the
/// object alive.
template <class T>
struct Handle {
    uint32_t index = 0;
    uint32_t generation = 0;  // 0 is never given out

    explicit operator bool() const { return generation != 0; }
    friend bool operator==(const Handle&, const Handle&) = default;

    uint64_t packed() const { return (uint64_t{generation} << 32) | index; }
    static Handle unpack(uint64_t packed) {
        return Handle{static_cast<uint32_t>(packed), static_cast<uint32_t>(packed >> 32)};
    }
};

/// Owns objects of one type in chunks that never move. Single-threaded. Grows by a chunk up to
/// `capacity`, never shrinks; a freed place is used again first, with its next generation.
template <class T>
class Slab final {
 public:
    /// `first_generation`, not 0: of each place. Names that are kept outside, where a new slab may
    /// meet those of an old one, need another one each time.
    explicit Slab(uint32_t capacity, uint32_t first_generation = 1)
        : capacity_(capacity), first_generation_(first_generation) {
        CHECK(first_generation != 0);
    }
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;
    ~Slab() {
        for (uint32_t index = 0; index < used_; ++index) {
            if (place(index).live) place(index).object()->~T();
        }
    }

    /// Makes an object. Returns a null handle when `capacity` objects live.
    template <class... Args>
    Handle<T> emplace(Args&&... args) {
        const uint32_t index = take_place();
        if (index == kNone) return {};
        Place& p = place(index);
        ::new (static_cast<void*>(p.storage)) T(std::forward<Args>(args)...);
        p.live = true;
        ++size_;
        return {index, p.generation};
    }

    /// The object, or null when the handle is stale. Valid until that object is erased.
    T* get(Handle<T> handle) {
        if (handle.generation == 0 || handle.index >= used_) return nullptr;
        Place& p = place(handle.index);
        return p.live && p.generation == handle.generation ? p.object() : nullptr;
    }
    const T* get(Handle<T> handle) const { return const_cast<Slab*>(this)->get(handle); }

    /// Destroys the object; false when the handle is stale.
    bool erase(Handle<T> handle) {
        if (get(handle) == nullptr) return false;
        Place& p = place(handle.index);
        p.live = false;
        p.object()->~T();
        if (++p.generation == 0) p.generation = 1;
        p.next_free = free_;
        free_ = handle.index;
        --size_;
        return true;
    }

    uint32_t size() const { return size_; }
    uint32_t capacity() const { return capacity_; }

    /// Calls `visit(Handle<T>, T&)` for each live object in the order of their places. `visit` may
    /// erase it.
    template <class Visit>
    void for_each(Visit&& visit) {
        for (uint32_t index = 0; index < used_; ++index) {
            Place& p = place(index);
            if (p.live) visit(Handle<T>{index, p.generation}, *p.object());
        }
    }

    /// The handle of the live object in place `index`, or null: for walks that go on later.
    Handle<T> at(uint32_t index) {
        if (index >= used_ || !place(index).live) return {};
        return {index, place(index).generation};
    }
    /// One past the highest place ever used.
    uint32_t places() const { return used_; }

 private:
    static constexpr uint32_t kNone = UINT32_MAX;
    static constexpr uint32_t kChunk = 256;
    struct Place {
        alignas(T) unsigned char storage[sizeof(T)];
        uint32_t generation = 0;
        uint32_t next_free = kNone;
        bool live = false;
        T* object() { return std::launder(reinterpret_cast<T*>(storage)); }
    };

    Place& place(uint32_t index) { return chunks_[index / kChunk][index % kChunk]; }

    uint32_t take_place() {
        if (free_ != kNone) {
            const uint32_t index = free_;
            free_ = place(index).next_free;
            return index;
        }
        if (used_ == capacity_) return kNone;
        if (used_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Place[]>(kChunk));
        place(used_).generation = first_generation_;
        return used_++;
    }

    uint32_t capacity_;
    uint32_t first_generation_;
    uint32_t size_ = 0;
    uint32_t used_ = 0;
    uint32_t free_ = kNone;
    std::vector<std::unique_ptr<Place[]>> chunks_;
};

}  // namespace signalbox
