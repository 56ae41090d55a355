// signalbox-idle: thousands of phones over streams that register and are silent. A script tells it
// what to do, a line at a time, and reads what came of it as a line of JSON.
#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "idle/phone_set.h"

namespace bench {
namespace {

constexpr const char* kHelp =
    R"(signalbox-idle STREAM ADDRESS PORT PHONES SOURCES RESUME

  STREAM     tcp, tls, ws or wss
  SOURCES    from how many addresses, from 127.0.1.1 on, the phones come
  RESUME     1: who comes again offers its TLS session; 0: each handshake is a full one

It obeys these lines on its standard input and answers each with one line of JSON:

  open COUNT WINDOW SECONDS    opens and registers the first COUNT phones, WINDOW at a time
  drop COUNT                   ends the connections of the first COUNT
  lost                         how many connections the server has ended
)";

Stream read_stream(const std::string& name) {
    if (name == "tcp") return Stream::Tcp;
    if (name == "tls") return Stream::Tls;
    if (name == "ws") return Stream::Ws;
    if (name == "wss") return Stream::Wss;
    std::fputs(kHelp, stderr);
    std::exit(2);
}

SSL_CTX* make_context() {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return context;
}

void obey(PhoneSet& phones, const std::string& line, std::uint32_t lost) {
    std::istringstream words(line);
    std::string verb;
    std::uint32_t count = 0, window = 0;
    double seconds = 0;
    words >> verb >> count >> window >> seconds;
    if (verb == "open") {
        const Opening opening = phones.open(count, window, seconds);
        std::printf(
            "{\"registered\": %u, \"resumed\": %u, \"attempts\": %u, \"seconds\": %.3f, "
            "\"median_s\": %.3f, \"longest_s\": %.3f}\n",
            opening.registered, opening.resumed, opening.attempts, opening.seconds,
            opening.median_s, opening.longest_s);
    } else if (verb == "drop") {
        phones.drop(count);
        std::printf("{}\n");
    } else {
        std::printf("{\"lost\": %u}\n", lost);
    }
    std::fflush(stdout);
}

int run(int count, char** arguments) {
    if (count != 7) {
        std::fputs(kHelp, stderr);
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    PhoneSettings settings;
    settings.stream = read_stream(arguments[1]);
    settings.server.sin_family = AF_INET;
    ::inet_pton(AF_INET, arguments[2], &settings.server.sin_addr);
    settings.server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(arguments[3])));
    settings.sources = static_cast<std::uint32_t>(std::max(1, std::atoi(arguments[5])));
    settings.resumes = arguments[6][0] == '1';
    settings.tls = make_context();
    {
        PhoneSet phones(settings, static_cast<std::uint32_t>(std::atoi(arguments[4])));
        std::string line;
        for (;;) {
            const std::uint32_t lost = phones.watch(STDIN_FILENO);
            if (!std::getline(std::cin, line)) break;
            obey(phones, line, lost);
        }
    }
    SSL_CTX_free(settings.tls);
    return 0;
}

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
    return bench::run(count, arguments);
}
