// What changes in a forwarded message, rendered once: every other octet stays as received.
// Implements: RFC 3261 §16.6, §16.7
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sip/message_view.h"

namespace signalbox::sip {

/// A list of replacements over one message. Edits may be added in any order but must not overlap;
/// insertions at one place render in the order in which they were added, before what replaces the
/// octets behind that place. Inserted text is copied into the list, so that callers may build it on
/// the stack. Views: the message. Bounded: kEditsMax edits and kTextMax octets of new text; past
/// them, and after an overlap, ok() is false and render() must not be called.
class EditList final {
 public:
    static constexpr size_t kEditsMax = 256;
    static constexpr size_t kTextMax = 8192;

    explicit EditList(const MessageView& message) : message_(message) {}

    void insert(size_t offset, std::string_view text) { replace(offset, offset, text); }
    void remove(size_t begin, size_t end) { replace(begin, end, {}); }
    void replace(size_t begin, size_t end, std::string_view text);

    /// Replaces the Request-URI.
    void set_request_uri(std::string_view uri);
    /// Writes the version of SIP in upper case, however it came (RFC 3261 §7.1).
    void set_version();
    /// Replaces a header field's value, its name and line end stay.
    void set_value(const HeaderField& field, std::string_view value);
    /// Removes the whole line.
    void remove_header(const HeaderField& field);
    /// Inserts "Name: value\r\n" before the first header field of `before`, or, without one, before
    /// the first header field at all.
    void insert_header(HeaderId before, std::string_view name, std::string_view value);
    /// Inserts "Name: value\r\n" behind the last header field.
    void append_header(std::string_view name, std::string_view value);
    /// Removes the first value of the first header field of that id: a value of a comma list, or
    /// the line when it is the only one. Removing several from the top: call with count. Used for
    /// Via of responses and Route of requests.
    void remove_first_values(HeaderId id, size_t count);

    bool ok() const { return ok_; }
    size_t rendered_size() const;
    /// Writes the edited message to `out`, which must hold rendered_size() octets; returns one past
    /// the last.
    char* render(char* out) const;
    void render(std::string& out) const;

 private:
    /// Replaces by `size` octets, which the caller writes to where the result points; null, and
    /// ok() false, when that cannot be.
    char* make_room(size_t begin, size_t end, size_t size);
    void insert_field(size_t offset, std::string_view name, std::string_view value);

    struct Edit {
        uint32_t begin, end;
        uint32_t text_begin, text_size;
    };
    const MessageView& message_;
    std::array<Edit, kEditsMax> edits_;  // sorted by begin, stable
    size_t edit_count_ = 0;
    std::array<char, kTextMax> text_;
    size_t text_size_ = 0;
    bool ok_ = true;
};

}  // namespace signalbox::sip
