// The command line's way to the running server: one JSON object a line through the socket in
// data_dir.
#pragma once

#include <functional>
#include <string>

#include "sinks/json.h"
#include "store/outcome.h"

namespace signalbox::cli {

/// One connection. Blocking, with a limit of 10 s for each answer.
class ControlClient final {
 public:
    /// Nobody listening is an answer like any other: is_connected() is false then.
    explicit ControlClient(const std::string& data_dir);
    ~ControlClient();
    ControlClient(const ControlClient&) = delete;
    ControlClient& operator=(const ControlClient&) = delete;

    bool is_connected() const { return descriptor_ >= 0; }
    /// The reply, whose "ok" is true; a failure with the server's own sentence when it is false.
    store::Outcome<sinks::Json> ask(const sinks::Json& request);
    /// Asks for page after page of `request` and hands each element of the list `name` to `visit`.
    /// A shard that stayed silent is named on standard error.
    store::Outcome<void> for_each(sinks::Json request, const std::string& name,
                                  const std::function<void(const sinks::Json&)>& visit);

 private:
    int descriptor_ = -1;
    std::string received_;
};

}  // namespace signalbox::cli
