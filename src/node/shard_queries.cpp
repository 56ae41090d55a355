// Questions to the shards whose answers come by mailbox, each with a deadline.
#include "node/shard_queries.h"

#include <boost/asio/post.hpp>

namespace signalbox::node {

void ShardQueries::ask(const Make& make, Done done, std::chrono::milliseconds deadline) {
    const uint64_t id = next_id_++;
    auto& question = *(questions_[id] = std::make_unique<Question>(context_));
    question.answers.replies.resize(shards_);
    question.is_asked.resize(shards_);
    question.done = std::move(done);
    for (uint8_t shard = 0; shard < shards_; ++shard) {
        std::optional<ports::Command> command = make(shard, id);
        if (!command) continue;
        question.is_asked[shard] = true;
        ++question.missing;
        post_(shard, std::move(*command));
    }
    if (question.missing == 0) {
        boost::asio::post(context_, [this, id] { finish(id); });
        return;
    }
    question.timer.expires_after(deadline);
    question.timer.async_wait([this, id](const boost::system::error_code& error) {
        if (!error) finish(id);
    });
}

void ShardQueries::on_reply(uint8_t shard, ports::CommandReply reply) {
    const auto found = questions_.find(reply.id);
    if (found == questions_.end() || shard >= shards_) return;
    Question& question = *found->second;
    if (!question.is_asked[shard] || question.answers.replies[shard]) return;
    question.answers.replies[shard] = std::move(reply);
    if (--question.missing == 0) finish(found->first);
}

void ShardQueries::finish(uint64_t id) {
    const auto found = questions_.find(id);
    if (found == questions_.end()) return;
    const std::unique_ptr<Question> question = std::move(found->second);
    questions_.erase(found);
    question->timer.cancel();
    for (uint8_t shard = 0; shard < shards_; ++shard) {
        const bool is_silent = question->is_asked[shard] && !question->answers.replies[shard];
        if (is_silent) question->answers.silent.push_back(shard);
    }
    question->done(std::move(question->answers));
}

}  // namespace signalbox::node
