// Wakes a shard that waits in its reactor; many calls before it wakes cost one system call.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "io/file_descriptor.h"

namespace signalbox::node {

/// Any thread may signal(); the shard waits for fd() and calls acknowledge() before it looks at
/// what it was woken for.
class WakeUp final {
 public:
    WakeUp() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_.get() >= 0); }

    int fd() const { return event_.get(); }
    void signal() {
        if (is_pending_.exchange(true, std::memory_order_acq_rel)) return;
        const uint64_t one = 1;
        // Fails only when the counter is full, and then the shard is awake already.
        static_cast<void>(!::write(event_.get(), &one, sizeof(one)));
    }
    void acknowledge() {
        uint64_t count = 0;
        static_cast<void>(!::read(event_.get(), &count, sizeof(count)));
        is_pending_.exchange(false, std::memory_order_acq_rel);
    }

 private:
    io::FileDescriptor event_;
    std::atomic<bool> is_pending_{false};
};

}  // namespace signalbox::node
