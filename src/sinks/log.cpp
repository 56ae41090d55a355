// The log: one event a line, key=value, written by a thread of its own.
#include "sinks/log.h"

#include <fcntl.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

namespace signalbox::sinks {

namespace {

/// Lines that may wait for the writer.
constexpr size_t kQueueLines = 8192;

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::Debug:
            return spdlog::level::debug;
        case LogLevel::Info:
            return spdlog::level::info;
        case LogLevel::Warning:
            return spdlog::level::warn;
        case LogLevel::Error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

bool is_plain(char c) {
    return c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f;
}

void append_value(std::string& line, std::string_view value) {
    if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain)) {
        line += value;
        return;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    line += '"';
    for (const char c : value) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (octet < 0x20 || octet == 0x7f) {
            line += "\\x";
            line += kHex[octet >> 4];
            line += kHex[octet & 15];
        } else {
            line += c;
        }
    }
    line += '"';
}

/// A new log file is for the server's user and group only: it names who calls whom.
void make_private(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (descriptor >= 0) ::close(descriptor);
}

}  // namespace

LogLevel parse_log_level(std::string_view text) {
    if (text == "debug") return LogLevel::Debug;
    if (text == "warning") return LogLevel::Warning;
    if (text == "error") return LogLevel::Error;
    return LogLevel::Info;
}

std::string format_line(std::string_view event, std::initializer_list<LogField> fields) {
    std::string line(event);
    for (const LogField& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        append_value(line, field.value);
    }
    return line;
}

struct Log::Impl {
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::async_logger> logger;
    std::string file;
    LogLevel level = LogLevel::Info;
    std::mutex mutex;  // guards logger while it is exchanged

    /// False and a sentence when the file cannot be opened.
    bool make_logger(std::string& trouble) {
        try {
            spdlog::sink_ptr sink;
            if (file.empty()) {
                sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
            } else {
                make_private(file);
                sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
            }
            auto made = std::make_shared<spdlog::async_logger>(
                "signalbox", std::move(sink), pool, spdlog::async_overflow_policy::overrun_oldest);
            made->set_formatter(std::make_unique<spdlog::pattern_formatter>(
                "%Y-%m-%dT%H:%M:%S.%eZ level=%l event=%v", spdlog::pattern_time_type::utc));
            made->set_level(to_spdlog(level));
            made->flush_on(spdlog::level::info);
            const std::lock_guard lock(mutex);
            logger = std::move(made);
            return true;
        } catch (const spdlog::spdlog_ex& error) {
            trouble = "The log file " + file + " cannot be opened: " + error.what() + ".";
            return false;
        }
    }

    std::shared_ptr<spdlog::async_logger> current() {
        const std::lock_guard lock(mutex);
        return logger;
    }
};

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Log::~Log() {
    flush();
}

std::unique_ptr<Log> Log::open(const LogOptions& options, std::string& trouble) {
    auto impl = std::make_unique<Impl>();
    impl->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
    impl->file = options.file;
    impl->level = options.level;
    if (!impl->make_logger(trouble)) return nullptr;
    return std::unique_ptr<Log>(new Log(std::move(impl)));
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    const auto logger = impl_->current();
    const spdlog::level::level_enum as = to_spdlog(level);
    if (!logger->should_log(as)) return;
    logger->log(as, spdlog::string_view_t(format_line(event, fields)));
}

void Log::set_level(LogLevel level) {
    const std::lock_guard lock(impl_->mutex);
    impl_->level = level;
    impl_->logger->set_level(to_spdlog(level));
}

bool Log::reopen() {
    std::string trouble;
    return impl_->make_logger(trouble);
}

void Log::flush() {
    // The pool's destructor writes what waits; a flush in between only asks for it.
    impl_->current()->flush();
}

}  // namespace signalbox::sinks
