// Keeps docs/configuration.md equal to the table of keys. To write it anew: SIGNALBOX_WRITE_DOCS=1
// test_config.
#include "config/documentation.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace signalbox::config {
namespace {

TEST(Documentation_Behaviour, IsWhatTheTableSays) {
    const auto file = std::filesystem::path(SIGNALBOX_SOURCE_DIR) / "docs" / "configuration.md";
    if (std::getenv("SIGNALBOX_WRITE_DOCS") != nullptr) std::ofstream(file) << documentation();
    std::ifstream stream(file);
    const std::string content(std::istreambuf_iterator<char>(stream), {});
    EXPECT_TRUE(content == documentation())
        << "docs/configuration.md is out of date. Run SIGNALBOX_WRITE_DOCS=1 test_config.";
}

TEST(Documentation_Behaviour, ShowsTypeDefaultAndHelpOfAKey) {
    const std::string all = documentation();
    EXPECT_NE(all.find("| `contacts_max` | number, 1 to 60 | `10` | How many"), std::string::npos);
    EXPECT_NE(all.find("## [[listen]]"), std::string::npos);
}

}  // namespace
}  // namespace signalbox::config
