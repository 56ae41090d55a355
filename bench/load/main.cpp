// The load program of the benchmark: caller, callee and phones in one process against a SIP server.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "load/load_run.h"
#include "load/options.h"
#include "load/report.h"

namespace {

/// Returns false when the file cannot be written whole.
bool write_file(const std::string& path, const std::string& text) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    if (file == nullptr) return false;
    const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    return std::fclose(file) == 0 && is_written;
}

/// Lets each connection have its descriptor, as far as the system allows.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::Options options = bench::read_options(argc, argv);
    raise_descriptor_limit();
    // OpenSSL writes to a connection that the server has closed: an error, not the end of the run.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        bench::LoadRun load(options);
        const bench::Measurement measurement = load.run();
        const std::string json = bench::json_report(options, load.ledger(), measurement);
        if (options.json_path == "-") {
            std::fputs(json.c_str(), stdout);
        } else {
            std::fputs(bench::text_report(options, load.ledger(), measurement).c_str(), stdout);
        }
        if (!options.json_path.empty() && options.json_path != "-" &&
            !write_file(options.json_path, json)) {
            std::fprintf(stderr, "signalbox-load: cannot write %s.\n", options.json_path.c_str());
            return 2;
        }
        return bench::is_clean(load.ledger()) ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "signalbox-load: %s.\n", error.what());
        return 2;
    }
}
