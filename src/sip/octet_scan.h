// The next CR or LF, 16 octets at a time where the processor can: the inner loop of every parse.
#pragma once

#include <cstddef>
#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

namespace signalbox::sip {

/// The first CR or LF in [at, end), or `end`. Reads nothing outside that range.
inline const char* find_line_break(const char* at, const char* end) {
#if defined(__SSE2__)
    const __m128i carriage_return = _mm_set1_epi8('\r');
    const __m128i line_feed = _mm_set1_epi8('\n');
    while (end - at >= 16) {
        const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(octets, carriage_return),
                                           _mm_cmpeq_epi8(octets, line_feed));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
        if (mask != 0) return at + std::countr_zero(mask);
        at += 16;
    }
#endif
    while (at != end && *at != '\r' && *at != '\n') ++at;
    return at;
}

}  // namespace signalbox::sip
