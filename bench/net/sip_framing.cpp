// Where one message ends and the next begins on a stream.
// Implements: RFC 3261 §18.3; RFC 3261 §7.5
#include "net/sip_framing.h"

#include <strings.h>

#include <charconv>
#include <cstring>

namespace bench {
namespace {

/// The value of a Content-Length line, in its long or its compact form.
std::optional<std::size_t> content_length(std::string_view line) {
    constexpr std::string_view kLong = "content-length";
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view name = line.substr(0, colon);
    while (name.ends_with(' ')) name.remove_suffix(1);
    const bool is_compact = name == "l" || name == "L";
    const bool is_long =
        name.size() == kLong.size() && strncasecmp(name.data(), kLong.data(), kLong.size()) == 0;
    if (!is_compact && !is_long) return std::nullopt;
    std::string_view text = line.substr(colon + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value > kStreamMessageBytesMax) return std::nullopt;
    return value;
}

bool may_be_content_length(char first) {
    return first == 'C' || first == 'c' || first == 'l' || first == 'L';
}

}  // namespace

Frame frame_message(std::string_view bytes) {
    Frame frame;
    while (bytes.substr(frame.skipped).starts_with("\r\n")) frame.skipped += 2;
    std::size_t at = frame.skipped;
    std::optional<std::size_t> length;
    for (;;) {
        const void* const found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
        if (found == nullptr) {
            const bool is_endless = bytes.size() - frame.skipped > kStreamMessageBytesMax;
            frame.kind = is_endless ? Frame::Kind::Broken : Frame::Kind::Incomplete;
            return frame;
        }
        const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        const std::string_view line = bytes.substr(at, end - at);
        at = end + 1;
        if (line.size() <= 1) break;
        if (may_be_content_length(line.front()) && !length) length = content_length(line);
    }
    if (!length) {
        frame.kind = Frame::Kind::Broken;
        return frame;
    }
    frame.size = at - frame.skipped + *length;
    if (bytes.size() - frame.skipped >= frame.size) frame.kind = Frame::Kind::Whole;
    return frame;
}

}  // namespace bench
