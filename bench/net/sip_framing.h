// Where one message ends and the next begins on a stream.
// Implements: RFC 3261 §18.3; RFC 3261 §7.5
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace bench {

struct Frame {
    enum class Kind {
        Incomplete,  // more octets must come
        Whole,       // a message begins at `skipped` and has `size` octets
        Broken,      // no Content-Length, or no header at all within kStreamMessageBytesMax
    };
    Kind kind = Kind::Incomplete;
    std::size_t skipped = 0;  // empty lines before the message: keep-alives
    std::size_t size = 0;
};

inline constexpr std::size_t kStreamMessageBytesMax = 65536;

/// Finds the first message in `bytes`.
Frame frame_message(std::string_view bytes);

}  // namespace bench
