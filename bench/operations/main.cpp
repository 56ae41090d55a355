// One kind of operation, again and again, in a world without sockets and threads: what callgrind
// counts is the core's own work. bench/budget runs it.
#include <valgrind/callgrind.h>

#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;

constexpr int kUsers = 1000;
/// Between two operations: finished transactions are let go of after 3,200 of them.
constexpr Duration kPause = milliseconds(10);

const std::string kSdp =
    "v=0\r\no=- 3724394400 3724394405 IN IP4 198.51.100.10\r\ns=call\r\n"
    "c=IN IP4 198.51.100.10\r\nt=0 0\r\nm=audio 49170 RTP/AVP 9 8 0 101\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    "a=rtcp:49171\r\n";

ports::Snapshot settings(ports::ProxyMode mode) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.0/24")};
    snapshot.proxy.mode = mode;
    return snapshot;
}

/// A caller who needs no credentials, phones of our users, and a peer's server.
struct Office {
    explicit Office(ports::ProxyMode mode = ports::ProxyMode::Stateful) : world(settings(mode)) {
        ports::UpdateUsers users;
        ports::RestoreBindings bindings;
        for (int i = 0; i < kUsers; ++i) {
            const std::string name = "u" + std::to_string(i);
            users.users.push_back(user_record(name));
            ports::BindingsEvent event;
            event.header.tenant = ports::kDefaultTenant;
            event.aor = name;
            ports::BindingRecord record;
            record.contact = "sip:" + name + "@203.0.113.20:5060";
            record.call_id = "registration-of-" + name;
            record.expires = world.now.wall + std::chrono::hours(2);
            record.updated = world.now.wall;
            record.flow = callee.flow();
            event.bindings.push_back(record);
            bindings.bindings.push_back(event);
        }
        world.command(0, users);
        world.command(0, bindings);
    }

    /// As a desk phone writes it.
    RequestText dressed(RequestText request) {
        return request.with("User-Agent: Desk Phone 8.1 build 24-110")
            .with(
                "Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, OPTIONS, UPDATE, SUBSCRIBE, INFO")
            .with("Supported: replaces, outbound, gruu, timer");
    }
    std::string next_user() { return "sip:u" + std::to_string(++user_ % kUsers) + "@example.test"; }

    void call(const std::string& uri) {
        RequestText request =
            dressed(caller.make("INVITE", uri)).with("Content-Type: application/sdp");
        request.body = kSdp;
        Outgoing invite = caller.send(request);
        const bool is_stateful = world.snapshot.proxy.mode == ports::ProxyMode::Stateful;
        if (is_stateful) invite.expect(100);
        const Incoming leg = callee.expects("INVITE");
        leg.answers(180);
        invite.expect(180);
        leg.answers(200, {"Content-Type: application/sdp"}, kSdp);
        invite.expect(200).ack();
        callee.expects("ACK");
        Dialog dialog = invite.dialog();
        Outgoing bye = caller.send_in(dialog, "BYE");
        callee.expects("BYE").answers(200);
        bye.expect(200);
    }
    void ask(std::string_view method, const std::string& uri, const std::string& body = {}) {
        RequestText request = dressed(caller.make(method, uri));
        if (!body.empty()) request.with("Content-Type: text/plain");
        request.body = body;
        Outgoing sent = caller.send(request);
        callee.expects(method).answers(200);
        sent.expect(200);
    }
    void refresh(Phone& phone, bool is_challenged) {
        RequestText request = dressed(phone.registration());
        request.call_id = "registration-of-" + phone.place().user;
        request.cseq = cseq_ += 2;
        Outgoing sent = phone.send(request);
        if (is_challenged) {
            sent.expect(401);
            sent = phone.send(phone.with_credentials(request, sent.response(), "secret"));
        }
        sent.expect(200);
    }

    World world;
    Phone& caller = world.stranger("alice", "198.51.100.10:5060");
    Phone& callee = world.stranger("bob", "203.0.113.20:5060");

    Phone& trusted = world.phone({"u1", "example.test", "198.51.100.31:5060", {}, {}});
    Phone& home = world.phone({"u2", "example.test", "203.0.113.31:5060", {}, {}});

 private:
    int user_ = 0;
    uint32_t cseq_ = 0;
};

using Operation = std::function<void(Office&)>;

struct Kind {
    Operation run;
    ports::ProxyMode mode = ports::ProxyMode::Stateful;
};

const std::map<std::string, Kind> kKinds = {
    {"call", {[](Office& office) { office.call(office.callee.contact()); }}},
    {"call-lookup", {[](Office& office) { office.call(office.next_user()); }}},
    {"call-stateless",
     {[](Office& office) { office.call(office.callee.contact()); }, ports::ProxyMode::Stateless}},
    {"options", {[](Office& office) { office.ask("OPTIONS", office.callee.contact()); }}},
    {"options-stateless",
     {[](Office& office) { office.ask("OPTIONS", office.callee.contact()); },
      ports::ProxyMode::Stateless}},
    {"message",
     {[](Office& office) { office.ask("MESSAGE", office.next_user(), "Lunch at noon?"); }}},
    {"register", {[](Office& office) { office.refresh(office.trusted, false); }}},
    {"register-auth", {[](Office& office) { office.refresh(office.home, true); }}},
};

int run(const std::string& name, int warm, int count) {
    const auto kind = kKinds.find(name);
    if (kind == kKinds.end()) {
        std::cerr << "No such operation: " << name << ". There are:";
        for (const auto& [known, unused] : kKinds) std::cerr << ' ' << known;
        std::cerr << '\n';
        return 2;
    }
    Office office(kind->second.mode);
    for (int i = 0; i < warm + count; ++i) {
        if (i == warm) CALLGRIND_ZERO_STATS;
        kind->second.run(office);
        office.world.wait(kPause);
        office.world.journal.clear();
    }
    return 0;
}

}  // namespace
}  // namespace signalbox::core::testing

/// signalbox-operations NAME WARM COUNT
int main(int count, char** arguments) {
    if (count != 4) {
        std::cerr << "usage: signalbox-operations NAME WARM COUNT\n";
        return 2;
    }
    return signalbox::core::testing::run(arguments[1], std::stoi(arguments[2]),
                                         std::stoi(arguments[3]));
}
