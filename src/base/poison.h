// Tells AddressSanitizer which bytes of a pool nobody may touch; nothing in other builds.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SIGNALBOX_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIGNALBOX_ASAN 1
#endif
#endif

#ifdef SIGNALBOX_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace signalbox {

/// Any access to these bytes is reported until unpoison().
inline void poison([[maybe_unused]] const void* bytes, [[maybe_unused]] size_t size) {
#ifdef SIGNALBOX_ASAN
    __asan_poison_memory_region(bytes, size);
#endif
}

inline void unpoison([[maybe_unused]] const void* bytes, [[maybe_unused]] size_t size) {
#ifdef SIGNALBOX_ASAN
    __asan_unpoison_memory_region(bytes, size);
#endif
}

}  // namespace signalbox
