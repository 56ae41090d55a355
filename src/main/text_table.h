// Lines of aligned columns for a terminal.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::cli {

/// `text` without anything that could steer a terminal: what came from the network is shown, never
/// obeyed.
std::string printable(std::string_view text);

/// Columns as wide as their widest cell, but at most `width_max`: a longer cell is cut and ends in
/// "~".
class TextTable final {
 public:
    struct Column {
        std::string_view title;
        size_t width_max = 32;
        bool is_right = false;
    };
    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool is_empty() const { return rows_.empty(); }
    void print(std::ostream& out) const;

 private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace signalbox::cli
