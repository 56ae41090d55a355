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
/// The bits of control octets, DEL, and three given ones.
inline unsigned scan_forbidden_octets(__m128i octets, char a, char b, char c) {
    const __m128i controls = scan_range(octets, '\0', 0x20);
    const __m128i one = _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8(a)),
                                     _mm_cmpeq_epi8(octets, _mm_set1_epi8(b)));
    const __m128i other = _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8(c)),
                                       _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f)));
    return scan_bits(_mm_or_si128(controls, _mm_or_si128(one, other)));
}
#endif

/// The first CR or LF in [at, end), or `end`.
inline const char* find_line_break(const char* at, const char* end) {
#if defined(__SSE2__)
    for (; end - at >= kScanOctets; at += kScanOctets) {
        const __m128i octets = scan_octets(at);
        const unsigned found = scan_bits(_mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('\r')),
                                                      _mm_cmpeq_epi8(octets, _mm_set1_epi8('\n'))));
        if (found != 0) return at + std::countr_zero(found);
    }
#endif
    while (at != end && *at != '\r' && *at != '\n') ++at;
    return at;
}

/// The first colon among the next 16 octets of [at, end), or null: also when there are fewer.
inline const char* find_near_colon([[maybe_unused]] const char* at,
                                   [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    if (end - at < kScanOctets) return nullptr;
    const unsigned found = scan_bits(_mm_cmpeq_epi8(scan_octets(at), _mm_set1_epi8(':')));
    return found == 0 ? nullptr : at + std::countr_zero(found);
#else
    return nullptr;
#endif
}

/// Over letters, digits and "-._". May stop before the end of their run, never behind it.
inline const char* skip_host_octets(const char* at, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    for (; end - at >= kScanOctets; at += kScanOctets) {
        const unsigned others = scan_host_octets(scan_octets(at)) ^ 0xffffU;
        if (others != 0) return at + std::countr_zero(others);
    }
#endif
    return at;
}

/// Over visible octets of ASCII but '<' and '>'. May stop before the end of their run, never behind
/// it.
inline const char* skip_request_uri_octets(const char* at, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    for (; end - at >= kScanOctets; at += kScanOctets) {
        const __m128i octets = scan_octets(at);
        const unsigned others =
            scan_forbidden_octets(octets, ' ', '<', '>') | scan_bits(octets);  // not of ASCII
        if (others != 0) return at + std::countr_zero(others);
    }
#endif
    return at;
}

/// Over what stands between quotes as it is: all but quotes, backslashes and control octets. May
/// stop before the end of their run, never behind it.
inline const char* skip_quoted_octets(const char* at, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
    for (; end - at >= kScanOctets; at += kScanOctets) {
        const unsigned others = scan_forbidden_octets(scan_octets(at), '"', '\\', '"');
        if (others != 0) return at + std::countr_zero(others);
    }
#endif
    return at;
}

}  // namespace signalbox::sip
