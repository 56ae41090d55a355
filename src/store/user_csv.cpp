// Lists of users as text: one "user,password" a line, without a header line.
// Implements: RFC 4180 §2
#include "store/user_csv.h"

#include <fstream>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "base/text.h"

namespace signalbox::store {

namespace {

/// What RFC 3261 lets stand unescaped in a user part; other octets from 0x80 on are escaped on the
/// wire.
bool is_user_octet(char c) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x80 || text::is_alpha(c) || text::is_digit(c)) return true;
    return std::string_view("-_.!~*'()&=+$;?/").find(c) != std::string_view::npos;
}

/// The fields of one line; nothing when its quotes do not match.
std::optional<std::vector<std::string>> split_fields(std::string_view line) {
    std::vector<std::string> fields(1);
    size_t at = 0;
    while (at < line.size()) {
        if (line[at] == ',') {
            fields.emplace_back();
            ++at;
        } else if (line[at] == '"' && fields.back().empty()) {
            bool is_closed = false;
            for (++at; at < line.size() && !is_closed; ++at) {
                if (line[at] != '"') {
                    fields.back() += line[at];
                } else if (at + 1 < line.size() && line[at + 1] == '"') {
                    fields.back() += line[at++];
                } else {
                    is_closed = true;
                }
            }
            if (!is_closed || (at < line.size() && line[at] != ',')) return std::nullopt;
        } else {
            fields.back() += line[at++];
        }
    }
    return fields;
}

/// What is wrong with one line, or nothing: then `user` holds it.
std::string parse_line(std::string_view line, UserLine& user) {
    const auto fields = split_fields(line);
    if (!fields) return "its quotes do not match";
    if (fields->size() == 1) return "it has no comma: expected user,password";
    if (fields->size() > 2) {
        return "it has more than two fields: expected user,password (a password with a comma "
               "stands "
               "in double quotes)";
    }
    user.name = text::trim(fields->at(0));
    user.password = fields->at(1);
    const std::string name_fault = fault_of_user_name(user.name);
    if (!name_fault.empty()) return "the user name " + name_fault;
    const std::string password_fault = fault_of_password(user.password);
    if (!password_fault.empty()) return "the password " + password_fault;
    return {};
}

}  // namespace

std::string fault_of_user_name(std::string_view name) {
    if (name.empty()) return "is empty";
    if (name.size() > kUserNameBytesMax) {
        return "is longer than " + std::to_string(kUserNameBytesMax) + " octets";
    }
    for (const char c : name) {
        if (c == '@') return "has an \"@\": write it without a domain";
        if (c == ' ' || c == '\t') return "has a space";
        if (!is_user_octet(c)) {
            const auto octet = static_cast<unsigned char>(c);
            if (octet < 0x20 || octet == 0x7f) return "has a control character";
            return std::string("has \"") + c + "\", which no SIP user name may have";
        }
    }
    return {};
}

std::string fault_of_password(std::string_view password) {
    if (password.empty()) return "is empty";
    if (password.size() > kPasswordBytesMax) {
        return "is longer than " + std::to_string(kPasswordBytesMax) + " octets";
    }
    for (const char c : password) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet < 0x20 || octet == 0x7f) return "has a control character";
    }
    return {};
}

tl::expected<std::vector<UserLine>, std::vector<std::string>> parse_user_csv(
    std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
        text.remove_prefix(kByteOrderMark.size());
    }
    std::vector<UserLine> users;
    std::vector<std::string> faults;
    std::unordered_map<std::string, uint32_t> seen;
    for (uint32_t number = 1; !text.empty(); ++number) {
        const size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty()) continue;
        UserLine user;
        user.line = number;
        std::string fault = parse_line(line, user);
        if (fault.empty()) {
            const auto [before, is_new] = seen.emplace(user.name, number);
            if (!is_new) {
                fault = "the user " + user.name + " stands in line " +
                        std::to_string(before->second) + " already";
            }
        }
        if (fault.empty()) {
            users.push_back(std::move(user));
        } else {
            faults.push_back("Line " + std::to_string(number) + ": " + fault + ".");
        }
    }
    if (!faults.empty()) return tl::unexpected(std::move(faults));
    return users;
}

Outcome<std::vector<UserLine>> read_users_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    if (!file) {
        return failure("The users file " + path +
                       " cannot be read. Make it (one user,password a line), or change users_file "
                       "under [store].");
    }
    auto lines = parse_user_csv(content.str());
    if (!lines) return failure("The users file " + path + " is refused. " + lines.error().front());
    return std::move(*lines);
}

}  // namespace signalbox::store
