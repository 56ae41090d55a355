// Indexes a message in one pass.
// Implements: RFC 3261 §7, §7.3.1, §7.5, §18.3, §25.1
#include "sip/message_view.h"

#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"
#include "sip/octet_scan.h"

namespace signalbox::sip {

namespace {

constexpr size_t kHeaderNameMax = 255;
constexpr std::string_view kVersion = "SIP/2.0";

/// "SIP/" 1*DIGIT "." 1*DIGIT.
bool is_version(std::string_view text) {
    if (!text::istarts_with(text, "SIP/")) return false;
    text.remove_prefix(4);
    const size_t dot = text.find('.');
    if (dot == 0 || dot == std::string_view::npos || dot + 1 == text.size()) return false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (i != dot && !text::is_digit(text[i])) return false;
    }
    return true;
}

/// No space and no control character. What else a URI may not hold is for parse_uri() to say, where
/// it is needed.
bool is_request_uri(std::string_view uri) {
    const char* const end = uri.data() + uri.size();
    for (const char* at = skip_request_uri_octets(uri.data(), end); at != end; ++at) {
        if (!lexer::is(*at, lexer::kVisible) || *at == '<' || *at == '>') return false;
    }
    return !uri.empty();
}

bool is_reason(std::string_view reason) {
    for (const char c : reason) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        if (control && c != '\t') return false;
    }
    return true;
}

}  // namespace

/// Walks over the octets once and fills a view. Lives for one call of parse_message().
class MessageParser final {
 public:
    MessageParser(std::string_view bytes, MessageView& view)
        : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), view_(view) {}

    Result<void> run();

 private:
    void read_start_line();
    void read_status_line(std::string_view line);
    void read_request_line(std::string_view line);
    inline bool read_headers();
    inline bool read_header();
    bool find_line_end(const char* from, bool& is_clean);
    inline bool read_known_header();
    inline void add_field(HeaderId id, const char* name_end, const char* colon);
    void read_cseq();
    void read_body();

    size_t offset(const char* position) const { return static_cast<size_t>(position - begin_); }
    /// Keeps the first error: what follows from it is of no interest.
    void note(ErrorCode code, const char* position) {
        if (result_) result_ = fail(code, offset(position));
    }

    const char* begin_;
    const char* at_;
    const char* end_;
    const char* line_begin_ = nullptr;
    MessageView& view_;
    Result<void> result_;
};

Result<void> MessageParser::run() {
    view_.bytes_ = {begin_, offset(end_)};
    view_.body_ = view_.method_text_ = view_.request_uri_ = view_.reason_ = {};
    view_.headers_end_ = view_.bytes_.size();
    view_.status_ = 0;
    view_.method_ = Method::Extension;
    view_.cseq_.reset();
    view_.field_count_ = 0;
    view_.repeated_ = 0;
    view_.first_.fill(MessageView::kNone);
    if (view_.bytes_.size() > kMessageBytesMax) {
        return fail(ErrorCode::message_too_large, kMessageBytesMax);
    }
    read_start_line();
    const bool complete = read_headers();
    read_cseq();
    if (complete) read_body();
    return result_;
}

void MessageParser::read_start_line() {
    const char* line_end = find_line_break(at_, end_);
    const bool ends_well = end_ - line_end >= 2 && line_end[0] == '\r' && line_end[1] == '\n';
    const std::string_view line(at_, offset(line_end));
    if (text::istarts_with(line, "SIP/")) {
        read_status_line(line);
        if (!ends_well) note(ErrorCode::malformed_status_line, line_end);
    } else {
        read_request_line(line);
        if (!ends_well) note(ErrorCode::malformed_request_line, line_end);
    }
    at_ = line_end;
    if (ends_well) {
        at_ += 2;
    } else if (at_ != end_) {
        ++at_;
    }
}

void MessageParser::read_status_line(std::string_view line) {
    view_.status_ = -1;
    const size_t space = line.find(' ');
    const std::string_view version = line.substr(0, space);
    if (!is_version(version)) return note(ErrorCode::malformed_status_line, at_);
    if (!text::iequals(version, kVersion)) return note(ErrorCode::unsupported_version, at_);
    const std::string_view rest = space == std::string_view::npos ? "" : line.substr(space + 1);
    const std::optional<uint32_t> status = lexer::number(rest.substr(0, 3), 699);
    const bool separated = rest.size() == 3 || (rest.size() > 3 && rest[3] == ' ');
    if (!status || *status < 100 || !separated) return note(ErrorCode::malformed_status_line, at_);
    const std::string_view reason = rest.size() > 4 ? rest.substr(4) : std::string_view{};
    if (!is_reason(reason)) return note(ErrorCode::malformed_status_line, at_);
    view_.status_ = static_cast<int>(*status);
    view_.reason_ = reason;
}

void MessageParser::read_request_line(std::string_view line) {
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    const std::string_view method = line.substr(0, first);
    if (!is_token(method)) return note(ErrorCode::malformed_request_line, at_);
    view_.method_text_ = method;
    view_.method_ = parse_method(method);
    if (first == last) return note(ErrorCode::malformed_request_line, at_);
    const std::string_view uri = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_request_uri(uri)) return note(ErrorCode::malformed_request_line, at_ + first + 1);
    view_.request_uri_ = uri;
    if (text::iequals(version, kVersion)) return;
    const bool other_version = is_version(version);
    note(other_version ? ErrorCode::unsupported_version : ErrorCode::malformed_request_line,
         at_ + last + 1);
}

/// Reads up to the empty line and beyond it. False when it is missing or there are too many header
/// fields.
bool MessageParser::read_headers() {
    while (at_ != end_) {
        if (end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n') {
            view_.headers_end_ = offset(at_);
            at_ += 2;
            return true;
        }
        if (view_.field_count_ == kHeadersMax) {
            note(ErrorCode::too_many_headers, at_);
            return false;
        }
        if (!read_header()) break;
    }
    note(ErrorCode::incomplete, end_);
    return false;
}

/// Indexes one header field, or leaves it out when it is malformed. False when its line has no end.
bool MessageParser::read_header() {
    line_begin_ = at_;
    if (read_known_header()) return true;
    const char* name_end = at_;
    while (name_end != end_ && lexer::is(*name_end, lexer::kToken)) ++name_end;
    const char* colon = name_end;
    while (colon != end_ && lexer::is_space(*colon)) ++colon;
    const bool has_name = name_end != line_begin_ && colon != end_ && *colon == ':' &&
                          name_end - line_begin_ <= static_cast<ptrdiff_t>(kHeaderNameMax);
    bool is_clean = true;
    if (!find_line_end(has_name ? colon + 1 : line_begin_, is_clean)) return false;
    if (has_name && is_clean) {
        const auto size = static_cast<size_t>(name_end - line_begin_);
        add_field(parse_header_name({line_begin_, size}), name_end, colon);
    } else {
        note(ErrorCode::malformed_header, line_begin_);
    }
    return true;
}

/// The short way of most lines: a short name that we know, at once a colon, and no fold. False,
/// with nothing done, for any other, and where find_near_colon() finds nothing.
bool MessageParser::read_known_header() {
    const char* colon = find_near_colon(at_, end_);
    if (colon == nullptr) return false;
    const HeaderId id = parse_header_name({at_, static_cast<size_t>(colon - at_)});
    if (id == HeaderId::Other) return false;
    const char* line_end = find_line_break(colon + 1, end_);
    const bool ends_well = end_ - line_end > 2 && line_end[0] == '\r' && line_end[1] == '\n' &&
                           !lexer::is_space(line_end[2]);
    if (!ends_well) return false;
    at_ = line_end + 2;
    add_field(id, colon, colon);
    return true;
}

/// Moves behind the line's CRLF, over folds. A CR or LF on its own makes the line unclean. False at
/// the end of the octets.
bool MessageParser::find_line_end(const char* from, bool& is_clean) {
    for (;;) {
        const char* found = find_line_break(from, end_);
        if (found == end_) return false;
        if (*found != '\r' || end_ - found < 2 || found[1] != '\n') {
            is_clean = false;
            from = found + 1;
        } else if (end_ - found > 2 && lexer::is_space(found[2])) {
            from = found + 3;
        } else {
            at_ = found + 2;
            return true;
        }
    }
}

void MessageParser::add_field(HeaderId id, const char* name_end, const char* colon) {
    const char* value_begin = colon + 1;
    const char* value_end = at_ - 2;
    while (value_begin != value_end && lexer::is_white(*value_begin)) ++value_begin;
    while (value_end != value_begin && lexer::is_white(value_end[-1])) --value_end;
    const auto name_size = static_cast<uint8_t>(name_end - line_begin_);
    HeaderField& field = view_.fields_[view_.field_count_];
    field.id = id;
    field.name_size = name_size;
    field.begin = static_cast<uint32_t>(offset(line_begin_));
    field.value_begin = static_cast<uint32_t>(offset(value_begin));
    field.value_end = static_cast<uint32_t>(offset(value_end));
    field.end = static_cast<uint32_t>(offset(at_));
    uint8_t& first = view_.first_[static_cast<size_t>(id)];
    if (first == MessageView::kNone) {
        first = static_cast<uint8_t>(view_.field_count_);
    } else {
        view_.repeated_ |= MessageView::bit_of(id);
    }
    ++view_.field_count_;
}

void MessageParser::read_cseq() {
    const Result<CSeq> cseq = parse_cseq(view_.value(HeaderId::CSeq));
    if (!cseq) return;
    view_.cseq_ = *cseq;
    if (view_.is_request()) return;
    view_.method_ = cseq->method;
    view_.method_text_ = cseq->method_text;
}

void MessageParser::read_body() {
    const size_t available = offset(end_) - offset(at_);
    size_t size = available;
    if (const HeaderField* field = view_.first(HeaderId::ContentLength)) {
        const Result<uint32_t> length = parse_content_length(view_.value(*field));
        if (!length) {
            note(ErrorCode::malformed_content_length, begin_ + field->value_begin);
        } else if (*length > available) {
            note(ErrorCode::body_too_short, end_);
        } else {
            size = *length;
        }
    }
    view_.body_ = {at_, size};
    view_.bytes_ = {begin_, offset(at_) + size};
}

Result<void> parse_message(std::string_view bytes, MessageView& view) {
    while (bytes.size() >= 2 && bytes[0] == '\r' && bytes[1] == '\n') bytes.remove_prefix(2);
    return MessageParser(bytes, view).run();
}

const HeaderField* MessageView::next_repeated(const HeaderField* field) const {
    const HeaderField* const end = fields_.data() + field_count_;
    for (const HeaderField* other = field + 1; other < end; ++other) {
        if (other->id == field->id) return other;
    }
    return nullptr;
}

const HeaderField* MessageView::find(std::string_view wanted) const {
    for (const HeaderField* field = first(HeaderId::Other); field != nullptr; field = next(field)) {
        if (text::iequals(name(*field), wanted)) return field;
    }
    return nullptr;
}

std::string_view unfold(std::string_view value, std::span<char> scratch) {
    if (value.find('\r') == std::string_view::npos) return value;
    size_t size = 0;
    for (size_t i = 0; i < value.size() && size < scratch.size();) {
        const bool folds = value[i] == '\r' && value.size() - i > 2 && value[i + 1] == '\n' &&
                           lexer::is_space(value[i + 2]);
        if (!folds) {
            scratch[size++] = value[i++];
            continue;
        }
        i += 3;
        while (i < value.size() && lexer::is_space(value[i])) ++i;
        scratch[size++] = ' ';
    }
    return {scratch.data(), size};
}

}  // namespace signalbox::sip
