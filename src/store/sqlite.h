// SQLite as values: a database, prepared statements, and sentences about what went wrong.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "store/outcome.h"

struct sqlite3;
struct sqlite3_stmt;

namespace signalbox::store::sqlite {

class Database;

/// A prepared statement: bind from 1 in order, step, read columns from 0. Resets itself before each
/// use.
class Statement final {
 public:
    Statement() = default;

    /// Begins anew and forgets what was bound.
    Statement& reset();
    Statement& bind(int64_t value);
    Statement& bind(uint64_t value) { return bind(static_cast<int64_t>(value)); }
    Statement& bind(uint32_t value) { return bind(static_cast<int64_t>(value)); }
    Statement& bind(int value) { return bind(static_cast<int64_t>(value)); }
    /// Views: `value` must live until the statement was run.
    Statement& bind_text(std::string_view value);
    Statement& bind_blob(std::string_view value);
    Statement& bind_null();

    /// True: a row is there. False: no more, or a failure (Database::is_ok() tells).
    bool step();
    /// Runs a statement without rows; false when it failed.
    bool run();

    int64_t integer(int column) const;
    uint64_t natural(int column) const { return static_cast<uint64_t>(integer(column)); }
    bool is_null(int column) const;
    std::string text(int column) const;

 private:
    friend class Database;
    struct Deleter {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Deleter> statement_;
    Database* database_ = nullptr;
    int next_ = 1;
};

/// A connection. Used by one thread at a time. Must outlive its statements and not move while they
/// live.
class Database final {
 public:
    enum class Mode : uint8_t { ReadOnly, ReadWrite };

    /// Opens `path`, which is made with 0600 when `mode` allows and it does not exist.
    static Outcome<std::unique_ptr<Database>> open(const std::string& path, Mode mode,
                                                   std::chrono::milliseconds busy_timeout);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Outcome<void> execute(const std::string& sql);
    Outcome<Statement> prepare(std::string_view sql);

    /// False when a statement failed since clear().
    bool is_ok() const { return is_ok_; }
    void clear() { is_ok_ = true; }
    /// What failed, as a sentence with the way out.
    Failure trouble() const;
    /// Rows that the last statement changed.
    int64_t changes() const;

 private:
    friend class Statement;
    Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
    void note_failure();

    sqlite3* handle_;
    std::string path_;
    bool is_ok_ = true;
    int code_ = 0;
    std::string message_;
};

}  // namespace signalbox::store::sqlite
