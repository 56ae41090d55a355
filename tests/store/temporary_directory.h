// A directory of one test's own, removed with all that is in it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace signalbox::store {

class TemporaryDirectory final {
 public:
    TemporaryDirectory() {
        std::string name =
            (std::filesystem::temp_directory_path() / "signalbox-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::string& path() const { return path_; }

 private:
    std::string path_;
};

}  // namespace signalbox::store
