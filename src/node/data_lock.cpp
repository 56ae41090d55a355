// One server for one data directory.
#include "node/data_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace signalbox::node {

store::Outcome<DataLock> DataLock::acquire(const std::string& data_dir) {
    const std::string path = data_dir + "/lock";
    io::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) {
        return store::failure("The file " + path + " cannot be opened: " + std::strerror(errno) +
                              ".");
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        std::array<char, 32> text{};
        const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
        const std::string_view pid =
            text::trim({text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0))});
        const std::string holder = pid.empty() ? std::string() : " (pid " + std::string(pid) + ")";
        return store::failure("Another Signalbox" + holder + " already uses the data directory " +
                              data_dir + ". Stop it, or give this one its own data_dir.");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) != 0 ||
        ::pwrite(file.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        // The lock holds all the same; only the pid in another server's message will be missing.
        static_cast<void>(::ftruncate(file.get(), 0) == 0);
    }
    return DataLock(std::move(file));
}

}  // namespace signalbox::node
