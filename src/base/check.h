// Assertions on what the program itself must keep true; never on bytes from outside.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace signalbox {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
    std::abort();
}

}  // namespace signalbox

/// Ends the process when `condition` is false: a programmer's error, never an operating one.
#define CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::signalbox::check_failed(#condition, __FILE__, __LINE__))

/// CHECK for hot paths: on in debug and sanitizer builds only.
#ifdef SIGNALBOX_DCHECK
#define DCHECK(condition) CHECK(condition)
#else
#define DCHECK(condition) static_cast<void>(sizeof(condition))
#endif
