// Date: RFC 1123's form, always GMT, without the C library's locales and zones.
// Implements: RFC 3261 §20.17
#include <array>
#include <chrono>

#include "base/text.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// The index of `name` in `names`, or their number.
template <size_t N>
unsigned index_of(const std::array<std::string_view, N>& names, std::string_view name) {
    unsigned index = 0;
    while (index < N && !text::iequals(names[index], name)) ++index;
    return index;
}

/// Exactly `width` digits.
std::optional<unsigned> take_digits(lexer::Cursor& cursor, size_t width) {
    const char* begin = cursor.position();
    while (text::is_digit(cursor.peek())) cursor.take(cursor.peek());
    const std::string_view digits = cursor.since(begin);
    if (digits.size() != width) return std::nullopt;
    return lexer::number(digits, 9999);
}

struct Fields {
    unsigned day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0;
};

bool take_date(lexer::Cursor& cursor, Fields& out) {
    const std::optional<unsigned> day = take_digits(cursor, 2);
    cursor.skip_white();
    out.month = index_of(kMonths, cursor.run(lexer::kToken)) + 1;
    cursor.skip_white();
    const std::optional<unsigned> year = take_digits(cursor, 4);
    if (!day || !year || out.month > kMonths.size()) return false;
    out.day = *day;
    out.year = *year;
    return true;
}

bool take_time(lexer::Cursor& cursor, Fields& out) {
    const std::optional<unsigned> hour = take_digits(cursor, 2);
    if (!hour || !cursor.take(':')) return false;
    const std::optional<unsigned> minute = take_digits(cursor, 2);
    if (!minute || !cursor.take(':')) return false;
    const std::optional<unsigned> second = take_digits(cursor, 2);
    // 60 is a leap second; it counts as the first of the next minute.
    if (!second || *hour > 23 || *minute > 59 || *second > 60) return false;
    out.hour = *hour;
    out.minute = *minute;
    out.second = *second;
    return true;
}

void append_two_digits(std::string& out, unsigned value) {
    out.push_back(static_cast<char>('0' + value / 10 % 10));
    out.push_back(static_cast<char>('0' + value % 10));
}

}  // namespace

Result<WallTime> parse_date(std::string_view value) {
    namespace chrono = std::chrono;
    lexer::Cursor cursor(value);
    cursor.skip_white();
    if (index_of(kDays, cursor.run(lexer::kToken)) == kDays.size() || !cursor.take(',')) {
        return fail(ErrorCode::malformed_date);
    }
    cursor.skip_white();
    Fields at;
    if (!take_date(cursor, at)) return fail(ErrorCode::malformed_date);
    cursor.skip_white();
    if (!take_time(cursor, at)) return fail(ErrorCode::malformed_date);
    cursor.skip_white();
    const std::string_view zone = cursor.run(lexer::kToken);
    cursor.skip_white();
    if (!text::iequals(zone, "GMT") || !cursor.at_end()) return fail(ErrorCode::malformed_date);

    const chrono::year_month_day date{chrono::year(static_cast<int>(at.year)),
                                      chrono::month(at.month), chrono::day(at.day)};
    if (!date.ok()) return fail(ErrorCode::malformed_date);
    const chrono::seconds midnight = chrono::sys_days(date).time_since_epoch();
    return WallTime(midnight + chrono::hours(at.hour) + chrono::minutes(at.minute) +
                    chrono::seconds(at.second));
}

std::string format_date(WallTime at) {
    namespace chrono = std::chrono;
    const chrono::sys_seconds seconds(chrono::seconds(unix_seconds(at)));
    const auto day = chrono::floor<chrono::days>(seconds);
    const chrono::year_month_day date(day);
    const chrono::hh_mm_ss time(seconds - day);
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    std::string out;
    out.reserve(29);
    out += kDays[chrono::weekday(day).c_encoding()];
    out += ", ";
    append_two_digits(out, static_cast<unsigned>(date.day()));
    out += ' ';
    out += kMonths[static_cast<unsigned>(date.month()) - 1];
    out += ' ';
    append_two_digits(out, year / 100);
    append_two_digits(out, year % 100);
    out += ' ';
    append_two_digits(out, static_cast<unsigned>(time.hours().count()));
    out += ':';
    append_two_digits(out, static_cast<unsigned>(time.minutes().count()));
    out += ':';
    append_two_digits(out, static_cast<unsigned>(time.seconds().count()));
    out += " GMT";
    return out;
}

}  // namespace signalbox::sip
