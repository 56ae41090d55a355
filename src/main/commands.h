// The commands of the program. Each returns the exit code.
#pragma once

#include <string>
#include <vector>

#include "main/password.h"

namespace signalbox::cli {

struct ListOptions {
    std::string config_file;
    bool is_json = false;
};

int run(const std::string& config_file, const std::string& version);
int check(const std::string& config_file);

struct UserOptions {
    std::string config_file;
    std::string name;
    std::string file;  // import
    PasswordSource password;
    std::vector<std::string> addresses;
    bool is_json = false;
};
int user_add(const UserOptions& options);
int user_list(const UserOptions& options);
int user_remove(const UserOptions& options);
int user_passwd(const UserOptions& options);
int user_import(const UserOptions& options);

int registrations(const ListOptions& options);
struct CallsOptions {
    ListOptions list;
    bool is_live = false;
    uint32_t last = 0;  // 0: all
};
int calls(const CallsOptions& options);
int stats(const ListOptions& options);

}  // namespace signalbox::cli
