// docs/configuration.md, made from the table of keys.
#include "config/documentation.h"

#include "config/key_table.h"

namespace signalbox::config {

namespace {

constexpr std::string_view kOpening =
    "# Configuration\n"
    "\n"
    "<!-- Made from src/config/keys_*.cpp by a test (tests/config/documentation_test.cpp says "
    "how). Do not edit. -->\n"
    "\n"
    "Signalbox reads one file in [TOML](https://toml.io): the one that `--config FILE` names, else "
    "`signalbox.toml` in\n"
    "the working directory, else none. `signalbox check` tells whether a file is right, and names "
    "every fault in it with\n"
    "its line. An unknown key or a bad value is refused, never skipped. Relative paths are "
    "relative to the file.\n"
    "\n"
    "Durations are texts with a unit: `\"500ms\"`, `\"60s\"`, `\"5m\"`, `\"1h\"`, `\"1d\"`. Sizes "
    "likewise: `\"64MiB\"`,\n"
    "`\"10GiB\"`.\n"
    "\n"
    "SIGHUP makes a running server read the file again, all or nothing. Keys marked *at a start* "
    "take effect only when the\n"
    "server is started: a reload that changes one of them is refused as a whole.\n"
    "\n"
    "Without a configuration file the server listens on UDP and TCP port 5060 of all addresses, "
    "serves the machine's\n"
    "addresses and host name, keeps its data in `./data`, and makes two users at its first "
    "start.\n";

constexpr std::string_view kClosing =
    "\n"
    "## What lies in data_dir\n"
    "\n"
    "| name | what it is | when it is lost |\n"
    "|---|---|---|\n"
    "| `journal/` | every call and every change of a registration, as it happened | records and "
    "bindings that the database "
    "does not have yet are lost |\n"
    "| `signalbox.db` | users, bindings, call records (SQLite) | users are lost and must be "
    "imported again; bindings and "
    "records come back from the journal as far as it reaches |\n"
    "| `keys` | the keys of the server's tokens | calls that are up cannot be ended through the "
    "server |\n"
    "| `identity` | the realm of a server without domains | passwords stop working when the host "
    "name has changed |\n"
    "| `certificate.pem`, `private_key.pem` | what tls and wss listeners without a certificate "
    "show | they are made anew, and clients that remember the old one warn |\n"
    "| `control.sock` | how the other commands reach the running server | it is made at each start "
    "|\n"
    "\n"
    "All of it can be read by the owner only.\n";

void append_key(std::string& out, const Key& key) {
    out += "| `" + std::string(key.name) + "` | " + type_text(key) + " | ";
    if (key.is_required) {
        out += "required";
    } else if (key.default_text.empty()) {
        out += "none";
    } else {
        out += "`" + std::string(key.default_text) + "`";
    }
    out += " | " + std::string(key.help);
    if (key.when == When::AtStart) out += " *At a start.*";
    out += " |\n";
}

}  // namespace

std::string documentation() {
    std::string out(kOpening);
    for (const Section* section : sections()) {
        out += "\n## ";
        out += section->kind == SectionKind::Top ? "Top of the file" : bracketed(*section);
        out += "\n\n" + std::string(section->help) +
               "\n\n| key | value | default | meaning |\n|---|---|---|---|\n";
        for (const Key& key : section->keys) append_key(out, key);
    }
    out += kClosing;
    return out;
}

}  // namespace signalbox::config
