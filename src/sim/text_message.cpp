// A SIP message as the phones of the simulation read and write it.
#include "sim/text_message.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace signalbox::sim {

namespace {

using text::iequals;
using text::trim;

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kCompact{{
    {"v", "Via"},
    {"f", "From"},
    {"t", "To"},
    {"i", "Call-ID"},
    {"m", "Contact"},
    {"l", "Content-Length"},
    {"c", "Content-Type"},
    {"k", "Supported"},
}};

std::string_view long_name(std::string_view name) {
    for (const auto& [compact, whole] : kCompact) {
        if (iequals(name, compact)) return whole;
    }
    return name;
}

/// Calls take(part) for each part between commas that stand outside quotes and brackets.
std::vector<std::string> split_list(std::string_view value) {
    std::vector<std::string> parts;
    bool quoted = false;
    bool bracketed = false;
    size_t begin = 0;
    for (size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (quoted && c == '\\') {
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '<' || c == '>')) {
            bracketed = c == '<';
        } else if (!quoted && !bracketed && c == ',') {
            parts.emplace_back(trim(value.substr(begin, i - begin)));
            begin = i + 1;
        }
    }
    parts.emplace_back(trim(value.substr(begin)));
    return parts;
}

bool parse_start_line(std::string_view line, TextMessage& message) {
    if (line.starts_with("SIP/2.0 ")) {
        const auto code = text::to_u32(line.substr(8, 3));
        if (!code || *code < 100 || *code > 699) return false;
        message.status = static_cast<int>(*code);
        message.reason = line.size() > 12 ? line.substr(12) : std::string_view{};
        return true;
    }
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last == first) return false;
    if (line.substr(last + 1) != "SIP/2.0") return false;
    message.method = line.substr(0, first);
    message.uri = line.substr(first + 1, last - first - 1);
    return true;
}

bool parse_headers(std::string_view head, TextMessage& message) {
    while (!head.empty()) {
        size_t end = head.find("\r\n");
        if (end == std::string_view::npos) end = head.size();
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(std::min(head.size(), end + 2));
        if (line.starts_with(' ') || line.starts_with('\t')) {
            if (message.headers.empty()) return false;
            message.headers.back().value += ' ';
            message.headers.back().value += trim(line);
            continue;
        }
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos) return false;
        message.headers.push_back({std::string(long_name(trim(line.substr(0, colon)))),
                                   std::string(trim(line.substr(colon + 1)))});
    }
    return true;
}

std::string_view hostport_of(std::string_view uri) {
    const size_t scheme = uri.find(':');
    std::string_view rest = scheme == std::string_view::npos ? uri : uri.substr(scheme + 1);
    const size_t at = rest.find('@');
    if (at != std::string_view::npos) rest.remove_prefix(at + 1);
    return rest.substr(0, rest.find_first_of(";?"));
}

}  // namespace

std::optional<TextMessage> TextMessage::parse(std::string_view bytes) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view head = bytes.substr(0, end);
    const size_t line_end = std::min(head.find("\r\n"), head.size());
    TextMessage message;
    if (!parse_start_line(head.substr(0, line_end), message)) return std::nullopt;
    if (!parse_headers(head.substr(std::min(head.size(), line_end + 2)), message)) {
        return std::nullopt;
    }
    std::string_view body = bytes.substr(end + 4);
    if (const std::string_view length = message.header("Content-Length"); !length.empty()) {
        const auto size = text::to_u32(length);
        if (!size || *size > body.size()) return std::nullopt;
        body = body.substr(0, *size);
    }
    message.body = body;
    return message;
}

TextMessage TextMessage::request(std::string method, std::string uri) {
    TextMessage message;
    message.method = std::move(method);
    message.uri = std::move(uri);
    return message;
}

TextMessage TextMessage::response(int code, std::string_view phrase,
                                  std::string_view to_tag) const {
    TextMessage answer;
    answer.status = code;
    answer.reason = phrase;
    for (const Header& header : headers) {
        const std::string& name = header.name;
        const bool is_copied = iequals(name, "Via") || iequals(name, "From") ||
                               iequals(name, "Call-ID") || iequals(name, "CSeq") ||
                               (iequals(name, "Record-Route") && code > 100 && code < 300);
        if (is_copied) answer.headers.push_back(header);
        if (!iequals(name, "To")) continue;
        std::string value = header.value;
        if (!to_tag.empty() && !parameter(value, "tag")) value += ";tag=" + std::string(to_tag);
        answer.headers.push_back({"To", value});
    }
    return answer;
}

std::string TextMessage::to_string() const {
    std::string text;
    if (is_request()) {
        text = method + ' ' + uri + " SIP/2.0\r\n";
    } else {
        text = "SIP/2.0 " + std::to_string(status) + ' ' + reason + "\r\n";
    }
    for (const Header& header : headers) {
        if (iequals(header.name, "Content-Length")) continue;
        text += header.name + ": " + header.value + "\r\n";
    }
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return text;
}

std::string_view TextMessage::header(std::string_view name) const {
    for (const Header& header : headers) {
        if (iequals(header.name, name)) return header.value;
    }
    return {};
}

std::vector<std::string> TextMessage::values(std::string_view name) const {
    std::vector<std::string> all;
    for (const Header& header : headers) {
        if (!iequals(header.name, name)) continue;
        for (std::string& value : split_list(header.value)) all.push_back(std::move(value));
    }
    return all;
}

void TextMessage::add(std::string_view name, std::string value) {
    headers.push_back({std::string(name), std::move(value)});
}

void TextMessage::add_first(std::string_view name, std::string value) {
    headers.insert(headers.begin(), {std::string(name), std::move(value)});
}

void TextMessage::set(std::string_view name, std::string value) {
    for (Header& header : headers) {
        if (!iequals(header.name, name)) continue;
        header.value = std::move(value);
        return;
    }
    add(name, std::move(value));
}

void TextMessage::remove(std::string_view name) {
    std::erase_if(headers, [&](const Header& header) { return iequals(header.name, name); });
}

uint32_t TextMessage::cseq() const {
    const std::string_view value = header("CSeq");
    return text::to_u32(value.substr(0, value.find(' '))).value_or(0);
}

std::string TextMessage::cseq_method() const {
    const std::string_view value = header("CSeq");
    const size_t space = value.find(' ');
    return space == std::string_view::npos ? std::string() : std::string(trim(value.substr(space)));
}

std::string TextMessage::from_tag() const {
    return parameter(header("From"), "tag").value_or("");
}

std::string TextMessage::to_tag() const {
    return parameter(header("To"), "tag").value_or("");
}

std::string TextMessage::top_via() const {
    const std::string_view value = header("Via");
    return value.empty() ? std::string() : split_list(value).front();
}

std::string TextMessage::branch() const {
    return parameter(top_via(), "branch").value_or("");
}

std::string TextMessage::first_line() const {
    if (is_request()) return method + ' ' + uri;
    return std::to_string(status) + ' ' + reason + " (" + cseq_method() + ')';
}

std::optional<std::string> parameter(std::string_view value, std::string_view name) {
    const size_t bracket = value.find('>');
    if (bracket != std::string_view::npos) value.remove_prefix(bracket);
    size_t begin = value.find(';');
    while (begin != std::string_view::npos) {
        const size_t end = value.find(';', begin + 1);
        const std::string_view part = trim(value.substr(begin + 1, end - begin - 1));
        const size_t equals = part.find('=');
        if (iequals(trim(part.substr(0, equals)), name)) {
            if (equals == std::string_view::npos) return std::string();
            return std::string(trim(part.substr(equals + 1)));
        }
        begin = end;
    }
    return std::nullopt;
}

std::string uri_of(std::string_view name_addr) {
    const size_t open = name_addr.find('<');
    if (open == std::string_view::npos) {
        return std::string(trim(name_addr.substr(0, name_addr.find(';'))));
    }
    const size_t close = name_addr.find('>', open);
    return std::string(name_addr.substr(open + 1, close - open - 1));
}

std::string user_of(std::string_view uri) {
    const size_t colon = uri.find(':');
    const size_t at = uri.find('@');
    if (colon == std::string_view::npos || at == std::string_view::npos) return {};
    return std::string(uri.substr(colon + 1, at - colon - 1));
}

std::optional<Endpoint> endpoint_of(std::string_view uri) {
    const std::string_view hostport = hostport_of(uri);
    if (const auto whole = Endpoint::parse(hostport)) return whole;
    const auto address = IpAddress::parse(hostport);
    if (!address) return std::nullopt;
    return Endpoint{*address, 5060};
}

bool wants_tcp(std::string_view uri) {
    return text::to_lower(uri).find(";transport=tcp") != std::string::npos;
}

std::string sent_by_of(std::string_view via) {
    const size_t space = via.find(' ');
    if (space == std::string_view::npos) return {};
    const std::string_view rest = trim(via.substr(space));
    return std::string(trim(rest.substr(0, rest.find(';'))));
}

}  // namespace signalbox::sim
