// A sorted list of replacements and its rendering.
// Implements: RFC 3261 §7.1, §16.6, §16.7
#include "sip/edit_list.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "sip/params.h"

namespace signalbox::sip {

namespace {

char* append(char* out, std::string_view text) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

}  // namespace

void EditList::replace(size_t begin, size_t end, std::string_view text) {
    if (char* out = make_room(begin, end, text.size())) append(out, text);
}

void EditList::insert_field(size_t offset, std::string_view name, std::string_view value) {
    char* out = make_room(offset, offset, name.size() + value.size() + 4);
    if (out == nullptr) return;
    out = append(append(out, name), ": ");
    append(append(out, value), "\r\n");
}

char* EditList::make_room(size_t begin, size_t end, size_t size) {
    const bool in_range = begin <= end && end <= message_.bytes().size();
    DCHECK(in_range);
    if (!in_range || edit_count_ == kEditsMax || size > kTextMax - text_size_) ok_ = false;
    if (!ok_) return nullptr;

    // Insertions stand before the replacement that begins at the same place, each kind in the order
    // of adding.
    const bool is_insertion = begin == end;
    Edit* const first = edits_.data();
    Edit* place = first + edit_count_;
    const auto belongs_before = [begin, is_insertion](const Edit& other) {
        if (other.begin != begin) return begin < other.begin;
        return is_insertion && other.begin != other.end;
    };
    while (place != first && belongs_before(place[-1])) --place;
    const bool overlaps_left = place != first && place[-1].end > begin;
    const bool overlaps_right = place != first + edit_count_ && place->begin < end;
    if (overlaps_left || overlaps_right) {
        ok_ = false;
        return nullptr;
    }
    std::move_backward(place, first + edit_count_, first + edit_count_ + 1);
    *place = Edit{static_cast<uint32_t>(begin), static_cast<uint32_t>(end),
                  static_cast<uint32_t>(text_size_), static_cast<uint32_t>(size)};
    ++edit_count_;
    char* const room = text_.data() + text_size_;
    text_size_ += size;
    return room;
}

void EditList::set_request_uri(std::string_view uri) {
    const std::string_view old = message_.request_uri();
    const auto begin = static_cast<size_t>(old.data() - message_.bytes().data());
    replace(begin, begin + old.size(), uri);
}

void EditList::set_version() {
    static constexpr std::string_view kVersion = "SIP/2.0";
    const std::string_view bytes = message_.bytes();
    const std::string_view uri = message_.request_uri();
    const size_t begin =
        message_.is_request() ? static_cast<size_t>(uri.data() + uri.size() + 1 - bytes.data()) : 0;
    if (bytes.substr(begin, kVersion.size()) != kVersion)
        replace(begin, begin + kVersion.size(), kVersion);
}

void EditList::set_value(const HeaderField& field, std::string_view value) {
    replace(field.value_begin, field.value_end, value);
}

void EditList::remove_header(const HeaderField& field) {
    remove(field.begin, field.end);
}

void EditList::insert_header(HeaderId before, std::string_view name, std::string_view value) {
    const HeaderField* field = message_.first(before);
    if (field == nullptr && !message_.headers().empty()) field = message_.headers().data();
    const size_t offset = field == nullptr ? message_.headers_end() : field->begin;
    insert_field(offset, name, value);
}

void EditList::append_header(std::string_view name, std::string_view value) {
    insert_field(message_.headers_end(), name, value);
}

void EditList::remove_first_values(HeaderId id, size_t count) {
    const HeaderField* field = message_.first(id);
    while (field != nullptr && count > 0) {
        const std::string_view value = message_.value(*field);
        ListWalker walker(value);
        std::optional<std::string_view> kept = walker.next();
        for (; kept && count > 0; kept = walker.next()) --count;
        if (kept) {
            remove(field->value_begin,
                   field->value_begin + static_cast<size_t>(kept->data() - value.data()));
        } else {
            remove_header(*field);
        }
        field = message_.next(field);
    }
}

size_t EditList::rendered_size() const {
    size_t size = message_.bytes().size() + text_size_;
    for (size_t i = 0; i < edit_count_; ++i) size -= edits_[i].end - edits_[i].begin;
    return size;
}

char* EditList::render(char* out) const {
    DCHECK(ok_);
    const std::string_view bytes = message_.bytes();
    size_t copied = 0;
    for (size_t i = 0; i < edit_count_; ++i) {
        const Edit& edit = edits_[i];
        out = append(out, bytes.substr(copied, edit.begin - copied));
        out = append(out, {text_.data() + edit.text_begin, edit.text_size});
        copied = edit.end;
    }
    return append(out, bytes.substr(copied));
}

void EditList::render(std::string& out) const {
    out.resize(rendered_size());
    render(out.data());
}

}  // namespace signalbox::sip
