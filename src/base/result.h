// The result of an operation that bad input or the outside world can fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace signalbox {

/// What went wrong. Each value names the field or the limit, because its text goes into the reason
/// phrase of a 400 or into a log line.
enum class ErrorCode : uint16_t {
#define SIGNALBOX_ERROR(name, text) name,
#include "base/errors.def"
#undef SIGNALBOX_ERROR
};

/// An operating error: what, and at which octet of the input (0 where that has no meaning).
struct Error {
    ErrorCode code = ErrorCode::malformed;
    uint32_t offset = 0;
    friend bool operator==(const Error&, const Error&) = default;
};

/// The phrase of an error, for people: "Malformed Via".
std::string_view error_text(ErrorCode code);

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, size_t offset = 0) {
    return tl::unexpected<Error>(Error{code, static_cast<uint32_t>(offset)});
}

}  // namespace signalbox

#define SIGNALBOX_CONCAT_(a, b) a##b
#define SIGNALBOX_CONCAT(a, b) SIGNALBOX_CONCAT_(a, b)

/// Leaves the function with the error of `expression`, a Result<void>.
#define TRY(expression)                                             \
    do {                                                            \
        auto try_result = (expression);                             \
        if (!try_result) return tl::unexpected(try_result.error()); \
    } while (false)

/// Declares `name` with the value of `expression`, or leaves the function with its error.
#define TRY_ASSIGN(name, expression)                                    \
    auto SIGNALBOX_CONCAT(name, _result) = (expression);                \
    if (!SIGNALBOX_CONCAT(name, _result)) {                             \
        return tl::unexpected(SIGNALBOX_CONCAT(name, _result).error()); \
    }                                                                   \
    auto name = std::move(*SIGNALBOX_CONCAT(name, _result))
