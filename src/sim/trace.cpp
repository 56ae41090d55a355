// What was sent between the hosts of a world, and the ladder diagram that shows it.
#include "sim/trace.h"

#include <algorithm>
#include <cstdio>

#include "sim/text_message.h"

namespace signalbox::sim {

namespace {

constexpr size_t kColumnWidth = 10;

std::string time_text(Instant at) {
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%12.6f ", static_cast<double>(us) / 1e6);
    return text.data();
}

std::string summary(std::string_view bytes) {
    const auto message = TextMessage::parse(bytes);
    if (!message) return "(" + std::to_string(bytes.size()) + " octets that are no message)";
    return message->first_line() + "  [" + message->call_id().substr(0, 12) + ' ' +
           std::string(message->header("CSeq")) + ']';
}

}  // namespace

void Trace::name_host(const IpAddress& address, std::string name) {
    names_[column(address)] = std::move(name);
}

size_t Trace::column(const IpAddress& address) {
    const auto [found, is_new] = columns_.try_emplace(address, names_.size());
    if (is_new) names_.push_back(address.to_string());
    return found->second;
}

void Trace::message(Instant at, const IpAddress& from, const IpAddress& to, std::string_view bytes,
                    std::string_view fate) {
    ++message_count_;
    if (detail_ == Detail::Nothing) return;
    std::string text = summary(bytes);
    if (!fate.empty()) text += "  " + std::string(fate);
    if (detail_ == Detail::WholeMessages) text += "\n\n" + std::string(bytes) + '\n';
    lines_.push_back({at, column(from), column(to), std::move(text)});
}

void Trace::note(Instant at, std::string text) {
    if (detail_ != Detail::Nothing) lines_.push_back({at, kNoHost, kNoHost, std::move(text)});
}

std::string Trace::ladder() const {
    std::string out(13, ' ');
    for (const std::string& name : names_) {
        std::string cell = name.substr(0, kColumnWidth - 1);
        cell.resize(kColumnWidth, ' ');
        out += cell;
    }
    out += '\n';
    for (const Line& line : lines_) {
        std::string lanes(names_.size() * kColumnWidth, ' ');
        for (size_t i = 0; i < names_.size(); ++i) lanes[i * kColumnWidth] = '|';
        if (line.from != kNoHost && line.from != line.to) {
            const size_t left = std::min(line.from, line.to) * kColumnWidth;
            const size_t right = std::max(line.from, line.to) * kColumnWidth;
            std::fill(lanes.begin() + static_cast<std::ptrdiff_t>(left) + 1,
                      lanes.begin() + static_cast<std::ptrdiff_t>(right), '-');
            lanes[line.from < line.to ? right - 1 : left + 1] = line.from < line.to ? '>' : '<';
        }
        out += time_text(line.at) + lanes + "  " + line.text + '\n';
    }
    return out;
}

}  // namespace signalbox::sim
