// The log: one event a line, key=value, written by a thread of its own.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace signalbox::sinks {

enum class LogLevel : uint8_t { Debug, Info, Warning, Error };
/// "debug", "info", "warning", "error"; anything else is Info.
LogLevel parse_log_level(std::string_view text);

/// A key and its value; a value with spaces, quotes or controls is quoted and escaped, so that no
/// input can forge a line.
struct LogField {
    std::string_view key;
    std::string value;
    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
    LogField(std::string_view k, const char* v) : key(k), value(v) {}
    LogField(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
};

struct LogOptions {
    LogLevel level = LogLevel::Info;
    std::string file;  // empty: standard error
};

/// Any thread may write. Never blocks: when the writer falls behind, the oldest lines are dropped.
/// Owned by main, outlives the node.
class Log final {
 public:
    /// Opens the log; null and a sentence in `trouble` when the file cannot be opened.
    static std::unique_ptr<Log> open(const LogOptions& options, std::string& trouble);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    /// `event` is one word in snake_case: "listening", "config_refused".
    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
    void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::Debug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::Info, event, fields);
    }
    void warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::Warning, event, fields);
    }
    void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::Error, event, fields);
    }

    void set_level(LogLevel level);
    /// Opens the file again (after a rotation). False: it could not be opened; the old one stays in
    /// use.
    bool reopen();
    /// Asks the writer to put out what was written so far; the destructor waits until it is out.
    void flush();

 private:
    struct Impl;
    explicit Log(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The line without its time and level: "event key=value key=\"two words\"".
std::string format_line(std::string_view event, std::initializer_list<LogField> fields);

}  // namespace signalbox::sinks
