// One server for one data directory.
#pragma once

#include <string>

#include "io/file_descriptor.h"
#include "store/outcome.h"

namespace signalbox::node {

/// Holds data_dir/lock until it is destroyed or the process ends, however that happens.
class DataLock final {
 public:
    /// A failure names the process that holds it.
    static store::Outcome<DataLock> acquire(const std::string& data_dir);

 private:
    explicit DataLock(io::FileDescriptor file) : file_(std::move(file)) {}
    io::FileDescriptor file_;
};

}  // namespace signalbox::node
