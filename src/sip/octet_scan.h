// Runs of octets, 16 at a time where the processor can: the inner loops of every parse. Nothing
// outside the given range is read.
#pragma once

#include <cstddef>
#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

namespace signalbox::sip {

/// What one look takes in.
inline constexpr ptrdiff_t kScanOctets = 16;

#if defined(__SSE2__)
inline __m128i scan_octets(const char* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
/// One bit for each octet that is all ones; the first octet has the lowest.
inline unsigned scan_bits(__m128i octets) {
    return static_cast<unsigned>(_mm_movemask_epi8(octets));
}
/// All ones where an octet is one of the `count` that begin with `first`.
inline __m128i scan_range(__m128i octets, char first, char count) {
    const __m128i from_first = _mm_sub_epi8(octets, _mm_set1_epi8(first));
    const __m128i last = _mm_set1_epi8(static_cast<char>(count - 1));
    return _mm_cmpeq_epi8(_mm_min_epu8(from_first, last), from_first);
}
/// The bits of letters, digits and "-._".
inline unsigned scan_host_octets(__m128i octets) {
    const __m128i letters = scan_range(_mm_or_si128(octets, _mm_set1_epi8(0x20)), 'a', 26);
    const __m128i digits = scan_range(octets, '0', 10);
    const __m128i dashes_and_dots = scan_range(octets, '-', 2);
    const __m128i underscores = _mm_cmpeq_epi8(octets, _mm_set1_epi8('_'));
    return scan_bits(
        _mm_or_si128(_mm_or_si128(letters, digits), _mm_or_si128(dashes_and_dots, underscores)));
}
/// The bits of the octets `each`.
template <class... Octet>
unsigned scan_each(__m128i octets, Octet... each) {
    return scan_bits((_mm_cmpeq_epi8(octets, _mm_set1_epi8(each)) | ...));
}
/// The bits of control octets.
inline unsigned scan_controls(__m128i octets) {
    return scan_bits(scan_range(octets, '\0', 0x20)) | scan_each(octets, '\x7f');
}
/// To the first octet of [at, end) that has a bit in `others_of` the 16 among which it is; to where
/// fewer than 16 are left when there is none.
template <class OthersOf>
const char* skip_to_others(const char* at, const char* end, OthersOf others_of) {
    for (; end - at >= kScanOctets; at += kScanOctets) {
        const unsigned others = others_of(scan_octets(at));
        if (others != 0) return at + std::countr_zero(others);
    }
    return at;
}
#endif

/// The first CR or LF in [at, end), or `end`.
inline const char* find_line_break(const char* at, const char* end) {
#if defined(__SSE2__)
    at = skip_to_others(at, end, [](__m128i octets) { return scan_each(octets, '\r', '\n'); });
#endif
    while (at != end && *at != '\r' && *at != '\n') ++at;
    return at;
}

/// The first colon among the next 16 octets of [at, end), or null: also when there are fewer.
inline const char* find_near_colon([[maybe_unused]] const char* at,
                                   [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    if (end - at < kScanOctets) return nullptr;
    const unsigned found = scan_each(scan_octets(at), ':');
    return found == 0 ? nullptr : at + std::countr_zero(found);
#else
    return nullptr;
#endif
}

// What follows may stop before the end of a run, never behind it.

/// Over letters, digits and "-._".
inline const char* skip_host_octets(const char* at, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    at = skip_to_others(at, end, [](__m128i octets) { return scan_host_octets(octets) ^ 0xffffU; });
#endif
    return at;
}

/// Over visible octets of ASCII but '<' and '>'.
inline const char* skip_request_uri_octets(const char* at, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    at = skip_to_others(at, end, [](__m128i octets) {
        const unsigned past_ascii = scan_bits(octets);
        return scan_controls(octets) | scan_each(octets, ' ', '<', '>') | past_ascii;
    });
#endif
    return at;
}

/// Over what stands between quotes as it is: all but quotes, backslashes and control octets.
inline const char* skip_quoted_octets(const char* at, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    at = skip_to_others(at, end, [](__m128i octets) {
        return scan_controls(octets) | scan_each(octets, '"', '\\');
    });
#endif
    return at;
}

}  // namespace signalbox::sip
