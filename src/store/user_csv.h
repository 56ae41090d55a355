// Lists of users as text: one "user,password" a line, without a header line.
// Implements: RFC 4180 §2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "store/outcome.h"

namespace signalbox::store {

inline constexpr size_t kUserNameBytesMax = 128;
inline constexpr size_t kPasswordBytesMax = 256;

struct UserLine {
    uint32_t line = 0;
    std::string name;
    std::string password;
};

/// Lines end in LF or CRLF; empty ones are skipped. A field may stand in double quotes, in which ""
/// is one quote. Either all lines, or a sentence for each bad one with its number: a field too few
/// or too many, a name that cannot be one, a name that was there before.
tl::expected<std::vector<UserLine>, std::vector<std::string>> parse_user_csv(std::string_view text);

/// The users of the file at `path`; a failure names the file and its first bad line.
Outcome<std::vector<UserLine>> read_users_file(const std::string& path);

/// Nothing when `name` can stand in the user part of a SIP address; else what is wrong with it, to
/// follow "The user name ... ".
std::string fault_of_user_name(std::string_view name);
/// The same for a password.
std::string fault_of_password(std::string_view password);

}  // namespace signalbox::store
