// Covers the control socket's lines, limits and misbehaving clients, and questions to shards. No
// RFC: the driver's own behaviour. Not covered: the time limits of a session (a minute and ten
// seconds of real time).
#include "node/control_server.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>

#include "base/check.h"
#include "io/file_descriptor.h"
#include "node/shard_queries.h"
#include "tests/io/loopback.h"

namespace signalbox::node {
namespace {

using sinks::Json;

class ControlServer_Behaviour : public ::testing::Test {
 protected:
    ControlServer_Behaviour() {
        CHECK(::mkdtemp(directory.data()) != nullptr);
        server = std::make_unique<ControlServer>(
            context, [this](const Json& request, ControlServer::Reply reply) {
                ++requests;
                if (request.contains("later")) {
                    kept = std::move(reply);
                } else {
                    reply({{"ok", true}, {"echo", request}});
                }
            });
    }
    ~ControlServer_Behaviour() override { std::filesystem::remove_all(directory); }

    io::FileDescriptor connect() {
        io::FileDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof(address.sun_path) - 1);
        EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)),
                  0);
        return client;
    }
    std::string path() const { return directory + "/control.sock"; }
    /// The next line, without its end; empty when the server closed.
    std::string line(const io::FileDescriptor& client) {
        std::string out;
        for (;;) {
            char octet = 0;
            ssize_t size = -1;
            const bool came = io::run_until(context, [&] {
                size = ::recv(client.get(), &octet, 1, MSG_DONTWAIT);
                return size >= 0 || errno != EAGAIN;
            });
            if (!came || size <= 0 || octet == '\n') return out;
            out.push_back(octet);
        }
    }
    Json answer(const io::FileDescriptor& client, std::string_view request) {
        io::write_all(client, request);
        return Json::parse(line(client), nullptr, false);
    }

    boost::asio::io_context context{1};
    std::string directory = ::testing::TempDir() + "signalbox-control-XXXXXX";
    int requests = 0;
    ControlServer::Reply kept;
    std::unique_ptr<ControlServer> server;
};

TEST_F(ControlServer_Behaviour, AnswersLineByLine) {
    ASSERT_TRUE(server->listen(directory).has_value());
    const io::FileDescriptor client = connect();
    EXPECT_EQ(answer(client, "{\"a\":1}\n")["echo"]["a"], 1);
    EXPECT_EQ(answer(client, "{\"a\":2}\n{\"a\":3}\n")["echo"]["a"], 2);
    EXPECT_EQ(Json::parse(line(client))["echo"]["a"], 3);
}

TEST_F(ControlServer_Behaviour, IsForItsOwnUserOnly) {
    ASSERT_TRUE(server->listen(directory).has_value());
    struct stat status {};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(ControlServer_Behaviour, AnswersGarbageWithAnErrorAndGoesOn) {
    ASSERT_TRUE(server->listen(directory).has_value());
    const io::FileDescriptor client = connect();
    for (const char* garbage : {"\n", "garbage\n", "[1,2]\n", "{\"a\":\n", "{\"a\":\"\xff\"}\n"}) {
        EXPECT_EQ(answer(client, garbage)["ok"], false) << garbage;
    }
    EXPECT_EQ(answer(client, std::string(20000, '[') + "\n")["ok"], false);
    EXPECT_EQ(answer(client, "{}\n")["ok"], true);
    EXPECT_EQ(requests, 1);
}

TEST_F(ControlServer_Behaviour, EndsASessionWhoseLineIsTooLong) {
    ASSERT_TRUE(server->listen(directory).has_value());
    const io::FileDescriptor client = connect();
    EXPECT_EQ(answer(client, std::string(ControlServer::kLineBytesMax, 'x'))["ok"], false);
    EXPECT_EQ(line(client), "");
    EXPECT_EQ(answer(connect(), "{}\n")["ok"], true);
}

TEST_F(ControlServer_Behaviour, AClientThatWaitsOrLeavesHoldsUpNobody) {
    ASSERT_TRUE(server->listen(directory).has_value());
    const io::FileDescriptor silent = connect();
    io::FileDescriptor waiting = connect();
    io::write_all(waiting, "{\"later\":true}\n");
    ASSERT_TRUE(io::run_until(context, [this] { return kept != nullptr; }));
    EXPECT_EQ(answer(connect(), "{}\n")["ok"], true);
    waiting.reset();
    kept({{"ok", true}});
    EXPECT_EQ(answer(connect(), "{}\n")["ok"], true);
}

TEST_F(ControlServer_Behaviour, ClosesClientsPastTheLimit) {
    ASSERT_TRUE(server->listen(directory).has_value());
    std::vector<io::FileDescriptor> clients;
    for (size_t i = 0; i < ControlServer::kSessionsMax; ++i) {
        clients.push_back(connect());
        ASSERT_EQ(answer(clients.back(), "{}\n")["ok"], true);
    }
    EXPECT_EQ(line(connect()), "");
    clients.pop_back();
    EXPECT_TRUE(io::run_until(context, [this] {
        const io::FileDescriptor again = connect();
        return !answer(again, "{}\n").is_discarded();
    }));
}

TEST_F(ControlServer_Behaviour, ReplacesASocketLeftBehindAndRemovesItsOwn) {
    ASSERT_TRUE(server->listen(directory).has_value());
    auto next = std::make_unique<ControlServer>(context, nullptr);
    ASSERT_TRUE(next->listen(directory).has_value());
    next->close();
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ControlServer_Behaviour, TakesADirectoryWhosePathIsLongerThanASocketAddress) {
    const std::string deep = directory + "/" + std::string(200, 'd');
    std::filesystem::create_directory(deep);
    EXPECT_TRUE(server->listen(deep).has_value());
    EXPECT_TRUE(std::filesystem::exists(deep + "/control.sock"));
    ControlServer other(context, nullptr);
    EXPECT_FALSE(other.listen(directory + "/missing").has_value());
}

class ShardQueries_Behaviour : public ::testing::Test {
 protected:
    void ask(std::chrono::milliseconds deadline) {
        queries.ask(
            [](uint8_t shard, uint64_t id) -> std::optional<ports::Command> {
                if (shard == 2) return std::nullopt;
                return ports::QueryStats{id};
            },
            [this](ShardQueries::Answers got) { answers = std::move(got); }, deadline);
    }
    void reply(uint8_t shard, uint64_t id) { queries.on_reply(shard, {id, ports::StatsReply{}}); }

    boost::asio::io_context context{1};
    std::vector<std::pair<uint8_t, uint64_t>> posted;
    std::optional<ShardQueries::Answers> answers;
    ShardQueries queries{context, 3, [this](uint8_t shard, const ports::Command& command) {
                             posted.emplace_back(shard, std::get<ports::QueryStats>(command).id);
                         }};
};

TEST_F(ShardQueries_Behaviour, AsksOnlyWhoIsMeantAndAnswersWhenAllHave) {
    ask(std::chrono::seconds(5));
    ASSERT_EQ(posted.size(), 2u);
    reply(0, posted[0].second);
    reply(0, posted[0].second);
    reply(2, posted[0].second);
    EXPECT_FALSE(answers);
    reply(1, posted[1].second);
    ASSERT_TRUE(answers);
    EXPECT_TRUE(answers->silent.empty());
    EXPECT_TRUE(answers->replies[0]);
    EXPECT_TRUE(answers->replies[1]);
    EXPECT_FALSE(answers->replies[2]);
}

TEST_F(ShardQueries_Behaviour, NamesTheShardsThatStaySilent) {
    ask(std::chrono::milliseconds(1));
    reply(1, posted[1].second);
    ASSERT_TRUE(io::run_until(context, [this] { return answers.has_value(); }));
    EXPECT_EQ(answers->silent, std::vector<uint8_t>{0});
    EXPECT_TRUE(answers->replies[1]);
    answers.reset();
    reply(0, posted[0].second);
    EXPECT_FALSE(answers) << "a late answer is dropped";
}

}  // namespace
}  // namespace signalbox::node
