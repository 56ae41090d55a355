// Finds in one pass what the load must check in a received message; it shares no code with the
// server that it judges.
#include "load/message_scan.h"

#include <charconv>
#include <cstring>

namespace bench {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Takes a line that ends in CR LF; nothing when there is none.
std::optional<std::string_view> take_line(std::string_view& rest) {
    const void* const found = std::memchr(rest.data(), '\n', rest.size());
    if (found == nullptr) return std::nullopt;
    const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - rest.data());
    if (length == 0 || rest[length - 1] != '\r') return std::nullopt;
    const std::string_view line = rest.substr(0, length - 1);
    rest.remove_prefix(length + 1);
    return line;
}

bool read_start_line(std::string_view line, MessageScan& message) {
    constexpr std::string_view kVersion = "SIP/2.0";
    if (line.starts_with(kVersion)) {
        if (line.size() < 12 || line[7] != ' ') return false;
        const std::optional<std::uint32_t> status = to_number(line.substr(8, 3));
        if (!status || *status < 100 || *status > 699) return false;
        message.is_response = true;
        message.status = *status;
        return true;
    }
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return false;
    message.method = line.substr(0, first);
    message.request_uri = line.substr(first + 1, last - first - 1);
    return line.substr(last + 1) == kVersion;
}

bool read_cseq(std::string_view value, MessageScan& message) {
    const std::size_t space = value.find(' ');
    if (space == std::string_view::npos) return false;
    const std::optional<std::uint32_t> number = to_number(value.substr(0, space));
    if (!number) return false;
    message.cseq = *number;
    message.cseq_method = trim(value.substr(space));
    return true;
}

/// Keeps the value when the header matters here. Returns false when it makes the message malformed.
bool read_header(std::string_view name, std::string_view value, MessageScan& message,
                 std::optional<std::uint32_t>& content_length) {
    const auto is = [name](std::string_view full) { return equals_ignoring_case(name, full); };
    switch (lower(name.empty() ? ':' : name.front())) {
        case 'v':
            return is("via") || is("v") ? message.vias.add(value) : true;
        case 'f':
            if (is("from") || is("f")) message.from = value;
            return true;
        case 't':
            if (is("to") || is("t")) message.to = value;
            return true;
        case 'i':
            if (is("i")) message.call_id = value;
            return true;
        case 'c':
            if (is("call-id")) message.call_id = value;
            if (is("cseq")) return read_cseq(value, message);
            if (is("content-length")) return (content_length = to_number(value)).has_value();
            return is("contact") ? message.contacts.add(value) : true;
        case 'm':
            if (is("max-forwards")) return (message.max_forwards = to_number(value)).has_value();
            return is("m") ? message.contacts.add(value) : true;
        case 'l':
            return is("l") ? (content_length = to_number(value)).has_value() : true;
        case 'r':
            if (is("route")) ++message.route_count;
            if (is("retry-after")) message.has_retry_after = !value.empty();
            return is("record-route") ? message.record_routes.add(value) : true;
        case 'w':
        case 'p':
            if (is("www-authenticate") || is("proxy-authenticate")) message.challenge = value;
            return true;
        default:
            return true;
    }
}

}  // namespace

std::optional<MessageScan> scan_message(std::string_view bytes) {
    MessageScan message;
    std::optional<std::uint32_t> content_length;
    std::optional<std::string_view> line = take_line(bytes);
    if (!line || !read_start_line(*line, message)) return std::nullopt;
    for (;;) {
        line = take_line(bytes);
        if (!line) return std::nullopt;
        if (line->empty()) break;
        const std::size_t colon = line->find(':');
        if (colon == std::string_view::npos || line->front() == ' ' || line->front() == '\t') {
            return std::nullopt;
        }
        if (!read_header(trim(line->substr(0, colon)), trim(line->substr(colon + 1)), message,
                         content_length)) {
            return std::nullopt;
        }
    }
    message.body = bytes;
    if (content_length && *content_length != bytes.size()) return std::nullopt;
    const bool is_complete = message.vias.count > 0 && !message.from.empty() &&
                             !message.to.empty() && !message.call_id.empty() &&
                             !message.cseq_method.empty();
    return is_complete ? std::optional(message) : std::nullopt;
}

std::string_view parameter(std::string_view value, std::string_view name) {
    const std::size_t bracket = value.rfind('>');
    if (bracket != std::string_view::npos) value.remove_prefix(bracket);
    std::size_t semicolon = value.find(';');
    while (semicolon != std::string_view::npos) {
        value.remove_prefix(semicolon + 1);
        semicolon = value.find(';');
        const std::string_view one = trim(value.substr(0, semicolon));
        const std::size_t equal = one.find('=');
        if (equal != std::string_view::npos &&
            equals_ignoring_case(trim(one.substr(0, equal)), name)) {
            return trim(one.substr(equal + 1));
        }
    }
    return {};
}

std::string_view uri_of(std::string_view value) {
    const std::size_t open = value.find('<');
    if (open == std::string_view::npos) return trim(value.substr(0, value.find(';')));
    const std::size_t close = value.find('>', open);
    if (close == std::string_view::npos) return {};
    return value.substr(open + 1, close - open - 1);
}

std::string_view take_value(std::string_view& rest) {
    bool is_quoted = false;
    bool is_bracketed = false;
    std::size_t i = 0;
    for (; i < rest.size(); ++i) {
        const char c = rest[i];
        if (is_quoted) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                is_quoted = false;
            }
        } else if (c == '"') {
            is_quoted = true;
        } else if (c == '<' || c == '>') {
            is_bracketed = c == '<';
        } else if (c == ',' && !is_bracketed) {
            break;
        }
    }
    const std::string_view value = trim(rest.substr(0, i));
    rest.remove_prefix(i < rest.size() ? i + 1 : rest.size());
    return value;
}

std::optional<std::uint32_t> to_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

}  // namespace bench
