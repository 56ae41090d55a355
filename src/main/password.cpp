// Passwords: made, typed, or read from a pipe.
#include "main/password.h"

#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <iostream>

#include "base/check.h"
#include "store/user_csv.h"

namespace signalbox::cli {

namespace {

constexpr std::string_view kConsonants = "bdfghjklmnprstvz";
constexpr std::string_view kVowels = "aeiou";
constexpr int kSyllables = 10;

/// A number below `bound`, each equally likely. `bound` is at most 256.
size_t random_below(size_t bound) {
    for (;;) {
        uint8_t octet = 0;
        CHECK(::getrandom(&octet, 1, 0) == 1);
        if (octet < 256 / bound * bound) return octet % bound;
    }
}

/// A line from the terminal that nobody sees.
std::string read_hidden(std::string_view prompt) {
    std::cerr << prompt << std::flush;
    termios shown{};
    const bool is_terminal = ::tcgetattr(STDIN_FILENO, &shown) == 0;
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_terminal) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    std::string line;
    std::getline(std::cin, line);
    if (is_terminal) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    std::cerr << '\n';
    return line;
}

store::Outcome<ObtainedPassword> checked(std::string password) {
    const std::string fault = store::fault_of_password(password);
    if (!fault.empty()) return store::failure("The password " + fault + ".");
    return ObtainedPassword{std::move(password), false};
}

}  // namespace

std::string make_password() {
    std::string password;
    for (int i = 0; i < kSyllables; ++i) {
        if (i != 0 && i % 2 == 0) password += '-';
        password += kConsonants[random_below(kConsonants.size())];
        password += kVowels[random_below(kVowels.size())];
    }
    return password;
}

store::Outcome<ObtainedPassword> obtain_password(const PasswordSource& source) {
    if (source.given) return checked(*source.given);
    if (source.is_from_stdin) {
        std::string line;
        std::getline(std::cin, line);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return checked(std::move(line));
    }
    if (::isatty(STDIN_FILENO) == 0) return ObtainedPassword{make_password(), true};
    std::string typed = read_hidden("Password (empty: one is made): ");
    if (typed.empty()) return ObtainedPassword{make_password(), true};
    if (read_hidden("The same again: ") != typed)
        return store::failure("The two passwords differ. Try again.");
    return checked(std::move(typed));
}

}  // namespace signalbox::cli
