// The program signalbox: its commands and their help.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>

#include "base/counters.h"
#include "main/commands.h"
#include "main/context.h"

namespace signalbox::cli {
namespace {

constexpr const char* kVersion = SIGNALBOX_VERSION;

constexpr const char* kAbout =
    "Signalbox, a SIP server: registrar, proxy and call records in one process.\n"
    "\n"
    "A first call:\n"
    "  signalbox run                          start the server here; prints two users to register "
    "with\n"
    "  signalbox registrations                who is registered\n"
    "  signalbox calls                        what was called\n";

constexpr const char* kExamples =
    "Without --config, ./signalbox.toml is used where it exists, else the defaults. "
    "docs/configuration.md lists all keys.\n"
    "SIGTERM ends a server when its calls are set up or refused, SIGHUP makes it read its "
    "configuration again.\n"
    "Exit codes: 0 it worked, 1 it failed and standard error says why, 2 the command was not "
    "understood.\n";

constexpr const char* kConfigHelp =
    "With every command: --config FILE names the configuration; without it ./signalbox.toml is "
    "used "
    "where it exists.\n";

/// Everything that options are parsed into.
struct Parsed {
    std::string config_file;
    UserOptions user;
    ListOptions list;
    CallsOptions calls;
    std::string password;
};

std::string counters_help() {
    std::string help = "Counters:\n";
    for (size_t i = 0; i < kCounters; ++i) {
        const auto counter = static_cast<Counter>(i);
        help += "  " + std::string(counter_name(counter)) + "\n      " +
                std::string(counter_help(counter)) + ".\n";
    }
    return help;
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& help,
                      const std::string& footer = "") {
    CLI::App* command = app.add_subcommand(name, help);
    command->fallthrough();
    command->footer((footer.empty() ? "" : footer + "\n") + kConfigHelp);
    return command;
}

void add_password_options(CLI::App* command, Parsed& parsed) {
    CLI::Option* given = command->add_option(
        "--password", parsed.password,
        "The password; other users of this machine can see it in the process list");
    CLI::Option* piped = command->add_flag("--password-stdin", parsed.user.password.is_from_stdin,
                                           "Read the password from standard input");
    given->excludes(piped);
}

void add_user_commands(CLI::App& app, Parsed& parsed) {
    CLI::App* user =
        add_command(app, "user", "Add, list, remove and import users; also while the server runs",
                    "Examples:\n"
                    "  signalbox user add alice\n"
                    "  signalbox user add bob --address +15550100\n"
                    "  echo secret | signalbox user passwd alice --password-stdin\n"
                    "  signalbox user import users.csv\n"
                    "  signalbox user list --json\n");
    user->require_subcommand(1);
    CLI::App* add = add_command(
        *user, "add", "Add a user; asks for the password on a terminal, else makes one",
        "Examples:\n  signalbox user add alice\n  signalbox user add bob --password secret "
        "--address +15550100 --address sip:sales@example.test\n");
    add->add_option("name", parsed.user.name,
                    "The user part of the address, without a domain; in all configured domains")
        ->required();
    add->add_option("--address", parsed.user.addresses,
                    "A further address that the user may show in From, and register for as long "
                    "as no user has that name: a user part, a tel URI, or a SIP URI in one of the "
                    "configured domains; repeatable");
    add_password_options(add, parsed);
    CLI::App* passwd = add_command(*user, "passwd", "Give a user a new password");
    passwd->add_option("name", parsed.user.name, "The user")->required();
    add_password_options(passwd, parsed);
    add_command(*user, "remove",
                "Remove a user and whatever is registered for him; his calls go on")
        ->add_option("name", parsed.user.name, "The user")
        ->required();
    add_command(*user, "list", "List users")->add_flag("--json", parsed.user.is_json, "Print JSON");
    add_command(*user, "import",
                "Import users from a file: lines of user,password, without a header line",
                "Users that exist get the password of the file. When one line is bad, nothing is "
                "imported.\n"
                "Example:\n  signalbox user import users.csv\n")
        ->add_option("file", parsed.user.file, "The file; - for standard input")
        ->required();
}

void add_commands(CLI::App& app, Parsed& parsed) {
    app.add_option("--config", parsed.config_file,
                   "The configuration file (before or after the command)");
    app.require_subcommand(1);
    app.footer(kExamples);
    add_command(app, "run", "Start the server in the foreground",
                "Examples:\n  signalbox run\n  signalbox run --config /etc/signalbox.toml\n");
    add_command(app, "check",
                "Tell whether the configuration is right, with every fault and its line");
    add_user_commands(app, parsed);
    add_command(app, "registrations", "List who is registered, and where")
        ->add_flag("--json", parsed.list.is_json, "Print a JSON array");
    CLI::App* calls = add_command(app, "calls", "List the records of calls, the oldest first",
                                  "Examples:\n  signalbox calls --last 20\n  signalbox calls "
                                  "--json\n  signalbox calls --live\n");
    calls->add_flag("--json", parsed.list.is_json, "Print a JSON array");
    calls->add_flag("--live", parsed.calls.is_live, "The calls that are up now instead");
    calls->add_option("--last", parsed.calls.last, "Only so many, the latest")
        ->check(CLI::Range(1u, 100'000'000u));
    add_command(app, "stats", "Show every counter of the running server", counters_help())
        ->add_flag("--json", parsed.list.is_json, "Print JSON");
    add_command(app, "version", "Print the version");
}

int dispatch_user(const CLI::App& user, Parsed& parsed, bool has_password) {
    parsed.user.config_file = parsed.config_file;
    if (has_password) parsed.user.password.given = parsed.password;
    if (user.got_subcommand("add")) return user_add(parsed.user);
    if (user.got_subcommand("passwd")) return user_passwd(parsed.user);
    if (user.got_subcommand("remove")) return user_remove(parsed.user);
    if (user.got_subcommand("import")) return user_import(parsed.user);
    return user_list(parsed.user);
}

int dispatch(const CLI::App& app, Parsed& parsed) {
    parsed.list.config_file = parsed.config_file;
    parsed.calls.list = parsed.list;
    if (app.got_subcommand("run")) return run(parsed.config_file, kVersion);
    if (app.got_subcommand("check")) return check(parsed.config_file);
    if (app.got_subcommand("registrations")) return registrations(parsed.list);
    if (app.got_subcommand("calls")) return calls(parsed.calls);
    if (app.got_subcommand("stats")) return stats(parsed.list);
    if (app.got_subcommand("user")) {
        const CLI::App& user = *app.get_subcommand("user");
        bool has_password = false;
        for (const char* name : {"add", "passwd"}) {
            has_password |=
                user.got_subcommand(name) && user.get_subcommand(name)->count("--password") > 0;
        }
        return dispatch_user(user, parsed, has_password);
    }
    std::cout << "signalbox " << kVersion << '\n';
    return kOk;
}

/// The first word that stands where the name of a command should; empty when there is none. The
/// library says only that a command is missing.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
    const CLI::App* level = &app;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--config") ++i;
        if (word.rfind('-', 0) == 0) continue;
        const auto commands =
            level->get_subcommands([&word](const CLI::App* one) { return one->check_name(word); });
        if (commands.empty()) return level->get_require_subcommand_min() > 0 ? word : "";
        level = commands.front();
    }
    return "";
}

int refuse_arguments(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
    const std::string unknown = unknown_command(app, argc, argv);
    // Help and version are "errors" that succeed.
    if (unknown.empty() || error.get_exit_code() == 0) return app.exit(error) == 0 ? kOk : kUsage;
    std::cerr << "There is no command \"" << unknown
              << "\". Run with --help to see which there are.\n";
    return kUsage;
}

int run_program(int argc, char** argv) {
    CLI::App app(kAbout, "signalbox");
    app.set_version_flag("--version", std::string("signalbox ") + kVersion);
    Parsed parsed;
    add_commands(app, parsed);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return refuse_arguments(app, error, argc, argv);
    }
    return dispatch(app, parsed);
}

}  // namespace
}  // namespace signalbox::cli

int main(int argc, char** argv) {
    try {
        return signalbox::cli::run_program(argc, argv);
    } catch (const std::exception& error) {
        return signalbox::cli::fail(std::string("Something unexpected happened: ") + error.what() +
                                    ".");
    }
}
