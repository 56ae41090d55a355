// Lines of aligned columns for a terminal.
#include "main/text_table.h"

#include <algorithm>

namespace signalbox::cli {

namespace {

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Characters of UTF-8.
size_t length_of(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string cut(std::string_view text, size_t width) {
    if (length_of(text) <= width) return std::string(text);
    size_t at = 0;
    for (size_t count = 0; at < text.size(); ++at) {
        if (!is_continuation(text[at]) && ++count == width) break;
    }
    return std::string(text.substr(0, at)) + "~";
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        // C1 controls arrive in UTF-8 as c2 80 to c2 9f.
        const bool is_c1 = octet >= 0x80 && octet < 0xa0 && !out.empty() && out.back() == '\xc2';
        if (is_c1) out.pop_back();
        out += octet < 0x20 || octet == 0x7f || is_c1 ? '?' : c;
    }
    return out;
}

void TextTable::print(std::ostream& out) const {
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns_.size(); ++i) {
        size_t width = columns_[i].title.size();
        for (const auto& row : rows_) width = std::max(width, length_of(row[i]));
        widths.push_back(
            std::min(width, std::max(columns_[i].width_max, columns_[i].title.size())));
    }
    const auto print_row = [&](const auto& cell_of) {
        std::string line;
        for (size_t i = 0; i < columns_.size(); ++i) {
            const std::string cell = cut(cell_of(i), widths[i]);
            const std::string gap(widths[i] - length_of(cell), ' ');
            if (i != 0) line += "  ";
            line += columns_[i].is_right ? gap + cell : cell + gap;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
    };
    print_row([this](size_t i) { return columns_[i].title; });
    for (const auto& row : rows_) print_row([&row](size_t i) { return std::string_view(row[i]); });
}

}  // namespace signalbox::cli
