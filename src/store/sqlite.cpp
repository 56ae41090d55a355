// SQLite as values: a database, prepared statements, and sentences about what went wrong.
#include "store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace signalbox::store::sqlite {

namespace {

/// SQLite takes most failed writes for errors of the disk, a full one too.
bool is_disk_full(const std::string& path) {
    struct statvfs disk {};
    const std::string folder = std::filesystem::path(path).parent_path();
    return ::statvfs(folder.empty() ? "." : folder.c_str(), &disk) == 0 &&
           (disk.f_bavail == 0 || disk.f_favail == 0);
}

std::string sentence(const std::string& path, int code, const std::string& message) {
    if ((code & 0xff) == SQLITE_IOERR && is_disk_full(path)) code = SQLITE_FULL;
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "The database " + path +
                   " is locked by another program. End what holds it (sqlite3, a backup), or wait.";
        case SQLITE_FULL:
            return "The disk of the database " + path + " is full. Make room on it.";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "The database " + path +
                   " is damaged. Move it away and start again: records and registrations come back "
                   "from the journal, users must be imported again.";
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return "The database " + path + " cannot be written: " + message +
                   ". Give the server's user the right to write it.";
        case SQLITE_CANTOPEN:
            return "The database " + path + " cannot be opened: " + message +
                   ". See that its directory exists and that the server's user may use it.";
        default:
            return "The database " + path + " failed: " + message + ".";
    }
}

}  // namespace

void Statement::Deleter::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Statement& Statement::reset() {
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
    next_ = 1;
    return *this;
}

Statement& Statement::bind(int64_t value) {
    sqlite3_bind_int64(statement_.get(), next_++, value);
    return *this;
}

Statement& Statement::bind_text(std::string_view value) {
    // A null pointer would bind NULL.
    const char* data = value.data() == nullptr ? "" : value.data();
    sqlite3_bind_text64(statement_.get(), next_++, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind_blob(std::string_view value) {
    const char* data = value.data() == nullptr ? "" : value.data();
    sqlite3_bind_blob64(statement_.get(), next_++, data, value.size(), SQLITE_STATIC);
    return *this;
}

Statement& Statement::bind_null() {
    sqlite3_bind_null(statement_.get(), next_++);
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) database_->note_failure();
    sqlite3_reset(statement_.get());
    return false;
}

bool Statement::run() {
    const int code = sqlite3_step(statement_.get());
    if (code != SQLITE_DONE && code != SQLITE_ROW) database_->note_failure();
    sqlite3_reset(statement_.get());
    return code == SQLITE_DONE || code == SQLITE_ROW;
}

int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::string Statement::text(int column) const {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    if (data == nullptr) return {};
    return std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

Outcome<std::unique_ptr<Database>> Database::open(const std::string& path, Mode mode,
                                                  std::chrono::milliseconds busy_timeout) {
    if (mode == Mode::ReadWrite) {
        // SQLite gives its files the mode of the database: that must be 0600 from the first moment.
        // Only a new file is opened here: closing a descriptor of one that SQLite has open would
        // drop SQLite's locks.
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (descriptor < 0 && errno != EEXIST) {
            return failure(sentence(path, SQLITE_CANTOPEN, std::strerror(errno)));
        }
        if (descriptor >= 0) ::close(descriptor);
    }
    const int flags = (mode == Mode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                      SQLITE_OPEN_NOMUTEX;
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    std::unique_ptr<Database> database(new Database(handle, path));
    if (code != SQLITE_OK) {
        return failure(
            sentence(path, code, handle == nullptr ? "no memory" : sqlite3_errmsg(handle)));
    }
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
    return database;
}

Database::~Database() {
    sqlite3_close_v2(handle_);
}

Outcome<void> Database::execute(const std::string& sql) {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    note_failure();
    return tl::unexpected(trouble());
}

Outcome<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
        note_failure();
        return tl::unexpected(trouble());
    }
    Statement prepared;
    prepared.statement_.reset(statement);
    prepared.database_ = this;
    return prepared;
}

void Database::note_failure() {
    is_ok_ = false;
    code_ = sqlite3_extended_errcode(handle_);
    message_ = sqlite3_errmsg(handle_);
}

Failure Database::trouble() const {
    return Failure{sentence(path_, code_, message_)};
}

int64_t Database::changes() const {
    return sqlite3_changes64(handle_);
}

}  // namespace signalbox::store::sqlite
