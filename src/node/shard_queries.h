// Questions to the shards whose answers come by mailbox, each with a deadline.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "ports/command.h"

namespace signalbox::node {

/// Main thread only.
class ShardQueries final {
 public:
    /// What came, by shard; empty for shards that were not asked or stayed silent.
    struct Answers {
        std::vector<std::optional<ports::CommandReply>> replies;
        std::vector<uint8_t> silent;
    };
    using Post = std::function<void(uint8_t shard, ports::Command command)>;
    /// The command for a shard, with `id` in it; nothing: it is not asked.
    using Make = std::function<std::optional<ports::Command>(uint8_t shard, uint64_t id)>;
    using Done = std::function<void(Answers)>;

    ShardQueries(boost::asio::io_context& context, uint8_t shards, Post post)
        : context_(context), shards_(shards), post_(std::move(post)) {}
    ShardQueries(const ShardQueries&) = delete;
    ShardQueries& operator=(const ShardQueries&) = delete;

    /// `done` is called once, later: when all have answered, or after `deadline` with what came.
    void ask(const Make& make, Done done, std::chrono::milliseconds deadline);
    void on_reply(uint8_t shard, ports::CommandReply reply);

 private:
    struct Question {
        explicit Question(boost::asio::io_context& context) : timer(context) {}
        Answers answers;
        size_t missing = 0;
        std::vector<bool> is_asked;
        Done done;
        boost::asio::steady_timer timer;
    };
    void finish(uint64_t id);

    boost::asio::io_context& context_;
    uint8_t shards_;
    Post post_;
    uint64_t next_id_ = 1;
    std::map<uint64_t, std::unique_ptr<Question>> questions_;
};

}  // namespace signalbox::node
