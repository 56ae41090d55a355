// Tests of sinks/log: the form of a line, levels, files. Not covered: what a writer that falls
// behind drops.
#include "sinks/log.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signalbox::sinks {
namespace {

TEST(Log_Behaviour, WritesKeysAndValues) {
    EXPECT_EQ(format_line("listening", {{"transport", "udp"}, {"port", 5060}}),
              "listening transport=udp port=5060");
    EXPECT_EQ(format_line("stopped", {}), "stopped");
}

TEST(Log_Behaviour, QuotesWhatCouldForgeALine) {
    EXPECT_EQ(format_line("e", {{"k", "two words"}}), "e k=\"two words\"");
    EXPECT_EQ(format_line("e", {{"k", "a\nlevel=error"}}), "e k=\"a\\x0alevel=error\"");
    EXPECT_EQ(format_line("e", {{"k", "a\"b\\c"}}), "e k=\"a\\\"b\\\\c\"");
    EXPECT_EQ(format_line("e", {{"k", ""}}), "e k=\"\"");
    EXPECT_EQ(format_line("e", {{"k", "\x1b[31m"}}), "e k=\"\\x1b[31m\"");
}

TEST(Log_Behaviour, WritesToItsFileWhatItsLevelLets) {
    const auto file = std::filesystem::temp_directory_path() / "signalbox-log-test.log";
    std::filesystem::remove(file);
    {
        std::string trouble;
        const auto log = Log::open({LogLevel::Warning, file.string()}, trouble);
        ASSERT_NE(log, nullptr) << trouble;
        log->info("hidden");
        log->error("shown", {{"key", 1}});
        log->set_level(LogLevel::Info);
        log->info("shown_now");
        EXPECT_TRUE(log->reopen());
        log->info("after_reopening");
    }
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(file).permissions() & perms::others_all, perms::none);
    std::ifstream stream(file);
    const std::string content(std::istreambuf_iterator<char>(stream), {});
    EXPECT_THAT(content, testing::HasSubstr("level=error event=shown key=1\n"));
    EXPECT_THAT(content, testing::HasSubstr("level=info event=shown_now\n"));
    EXPECT_THAT(content, testing::HasSubstr("event=after_reopening\n"));
    EXPECT_THAT(content, testing::Not(testing::HasSubstr("hidden")));
    std::filesystem::remove(file);
}

TEST(Log_Behaviour, SaysWhyItsFileCannotBeOpened) {
    std::string trouble;
    EXPECT_EQ(Log::open({LogLevel::Info, "/proc/nonexistent/log"}, trouble), nullptr);
    EXPECT_THAT(trouble, testing::HasSubstr("The log file /proc/nonexistent/log cannot be opened"));
}

TEST(Log_Behaviour, KnowsItsLevels) {
    EXPECT_EQ(parse_log_level("debug"), LogLevel::Debug);
    EXPECT_EQ(parse_log_level("warning"), LogLevel::Warning);
    EXPECT_EQ(parse_log_level("error"), LogLevel::Error);
    EXPECT_EQ(parse_log_level("info"), LogLevel::Info);
}

}  // namespace
}  // namespace signalbox::sinks
