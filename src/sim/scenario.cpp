// What happens in the world of one seed.
#include "sim/scenario.h"

#include <algorithm>
#include <utility>

namespace signalbox::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Draws and plays one scenario. Everything comes from the seed.
class Scenario final {
 public:
    Scenario(uint64_t seed, Trace::Detail detail)
        : random_({seed, 77}), instance_random_({seed, 78}), dns_random_({seed, 79}) {
        WorldSetup setup;
        setup.seed = seed;
        setup.detail = detail;
        setup.shards = static_cast<uint8_t>(1 + below(3));
        draw_network(setup.faults);
        if (chance(25)) {
            setup.stream_failure_permille = static_cast<uint32_t>(1 + below(40));
            is_calm_ = false;
        }
        draw_settings(setup.settings);
        draw_dns(setup);
        world_ = std::make_unique<World>(std::move(setup));
    }

    SeedResult play(uint64_t seed);

 private:
    static constexpr IpAddress kForeign = IpAddress{{203, 0, 113, 77}, Family::V4};
    static constexpr IpAddress kTrusted = IpAddress{{192, 0, 2, 200}, Family::V4};
    static constexpr IpAddress kStranger = IpAddress{{203, 0, 113, 66}, Family::V4};
    enum class Kind : uint8_t { User, WrongPassword, Stranger, Foreign, Trusted };

    uint64_t below(uint64_t bound) { return random_.below(bound); }
    bool chance(uint64_t percent) { return below(100) < percent; }
    template <class T>
    const T& pick(const std::vector<T>& list) {
        return list[below(list.size())];
    }
    Duration between(Duration min, Duration max) {
        return min + Duration(static_cast<int64_t>(
                         below(static_cast<uint64_t>((max - min).count()) + 1)));
    }

    void draw_dns(WorldSetup& setup);
    void draw_network(NetworkFaults& faults);
    void draw_settings(ports::Snapshot& settings);
    void draw_forking(ports::ForkingSettings& forking, bool& recurse);
    void draw_people();
    void draw_phone(const std::string& user, Kind kind);
    void draw_instance(PhoneConfig& config);
    AnswerStyle draw_style();
    void draw_actions();
    void draw_action(Duration at);
    void draw_call(Phone& caller, Duration at);
    void draw_trouble(Duration at);
    std::string draw_target();
    void draw_server_events();
    void check_calm();

    Random random_;
    Random instance_random_;  // apart, so that the other draws of a seed stay what they were
    Random dns_random_;       // so is this
    std::unique_ptr<World> world_;
    std::vector<std::string> users_;
    std::vector<Phone*> members_;  // phones of users
    std::vector<Phone*> outsiders_;
    Duration active_{};
    bool is_calm_ = true;  // nothing happens after which a request may be lost
    uint64_t restarts_ = 0;
    uint64_t reloads_ = 0;
};

/// The foreign domain has one server, or several of which one lives, in any order.
void Scenario::draw_dns(WorldSetup& setup) {
    auto& zone = setup.zone;
    zone["foreign.example.org"].addresses = {kForeign};
    if (dns_random_.below(100) < 25) setup.settings.proxy.datagram_max = 500;
    if (dns_random_.below(100) < 30) return;
    setup.dns_failure_permille = dns_random_.below(2) == 0 ? 0 : 100;
    auto& services = zone["_sip._udp.foreign.example.org"].services;
    zone["live.example.org"].addresses = {kForeign};
    services.push_back({static_cast<uint16_t>(dns_random_.below(3)),
                        static_cast<uint16_t>(dns_random_.below(50)), 5060, "live.example.org"});
    for (uint64_t i = dns_random_.below(4); i > 0; --i) {
        const std::string name = "dead" + std::to_string(i) + ".example.org";
        if (dns_random_.below(4) != 0) {
            zone[name].addresses = {IpAddress::v4(203, 0, 113, static_cast<uint8_t>(200 + i))};
        }
        services.push_back({static_cast<uint16_t>(dns_random_.below(3)),
                            static_cast<uint16_t>(dns_random_.below(50)), 5060, name});
    }
}

void Scenario::draw_network(NetworkFaults& faults) {
    faults.delay_min = milliseconds(1 + below(20));
    faults.delay_max = faults.delay_min + milliseconds(below(60));
    if (chance(30)) return;
    is_calm_ = false;
    faults.loss_permille = static_cast<uint32_t>(chance(50) ? below(50) : below(250));
    faults.duplicate_permille = static_cast<uint32_t>(below(100));
    faults.late_permille = static_cast<uint32_t>(below(60));
}

void Scenario::draw_settings(ports::Snapshot& settings) {
    settings.registrar.expires_min_s = static_cast<uint32_t>(1 + below(60));
    settings.registrar.expires_max_s = static_cast<uint32_t>(120 + below(400));
    settings.registrar.expires_default_s = static_cast<uint32_t>(60 + below(60));
    settings.auth.nonce_lifetime = seconds(5 + below(200));
    using ports::AuthAlgorithm;
    const std::vector<std::vector<AuthAlgorithm>> algorithms{
        {AuthAlgorithm::Md5},
        {AuthAlgorithm::Sha256, AuthAlgorithm::Md5},
        {AuthAlgorithm::Sha512_256},
    };
    settings.auth.algorithms = pick(algorithms);
    settings.proxy.record_route = !chance(10);
    settings.proxy.inbound = chance(10) ? ports::Inbound::Trusted : ports::Inbound::Anyone;
    settings.timers.c = seconds(chance(50) ? 185 : 20 + below(60));
    draw_forking(settings.forking, settings.proxy.recurse);
    settings.trusted = {signalbox::Network{kTrusted, 32}};
    settings.limits.call_max = std::chrono::minutes(5 + below(10));
    if (chance(30)) settings.server_name = "Signalbox";
    if (chance(20)) settings.limits.auth_failures_max = static_cast<uint32_t>(1 + below(5));
}

void Scenario::draw_forking(ports::ForkingSettings& forking, bool& recurse) {
    forking.order = static_cast<ports::ForkOrder>(below(3));
    forking.ring_time = seconds(chance(20) ? 0 : 1 + below(12));
    if (chance(40)) forking.delay = milliseconds(1 + below(5000));
    forking.keep_ringing = chance(50);
    recurse = chance(50);
}

AnswerStyle Scenario::draw_style() {
    const std::vector<Answer> answers{
        Answer::Accept,  Answer::Accept,      Answer::Accept,      Answer::Accept, Answer::Busy,
        Answer::Decline, Answer::Unavailable, Answer::RingForever, Answer::Silent, Answer::Moved};
    const std::vector<Reply> replies{Reply::Ok,     Reply::Ok,   Reply::Refuse,
                                     Reply::Silent, Reply::Slow, Reply::Progress};
    AnswerStyle style;
    style.answers.clear();
    style.replies.clear();
    for (uint64_t i = 0; i <= below(3); ++i) style.answers.push_back(pick(answers));
    for (uint64_t i = 0; i <= below(3); ++i) style.replies.push_back(pick(replies));
    style.ring_after = milliseconds(chance(80) ? below(200) : below(3000));
    // A narrow span makes the contacts of a fork answer at the same time.
    style.answer_after_min = milliseconds(chance(50) ? 1000 : below(6000));
    style.answer_after_max = style.answer_after_min + milliseconds(chance(50) ? 20 : below(8000));
    style.hang_up_permille = chance(50) ? 400 : 0;
    style.talk_max = seconds(1 + below(20));
    return style;
}

void Scenario::draw_phone(const std::string& user, Kind kind) {
    PhoneConfig config = world_->phone_config(user);
    config.style = draw_style();
    config.is_compact = chance(20);
    config.reuses_nonce = chance(50);
    config.is_lossy_tcp = chance(50);
    config.repeats_branch = chance(8);
    config.expires_s = static_cast<uint32_t>(30 + below(300));
    if (chance(40)) config.q = static_cast<uint16_t>(250 * below(5));
    if (chance(60)) config.moved_to = "sip:" + pick(users_) + "@example.test";
    if (chance(30)) config.transport = transport::Transport::Tcp;
    switch (kind) {
        case Kind::User:
            break;
        case Kind::WrongPassword:
            config.password = "wrong";
            break;
        case Kind::Stranger:
            config.has_credentials = false;
            config.domain = "stranger.example.org";
            config.endpoint = config.contact = Endpoint{kStranger, 5060};
            break;
        case Kind::Foreign:
            config.has_credentials = false;
            config.domain = "foreign.example.org";
            config.transport = transport::Transport::Udp;
            config.endpoint = config.contact = Endpoint{kForeign, 5060};
            break;
        case Kind::Trusted:
            config.has_credentials = false;
            config.domain = "gateway.example.org";
            config.endpoint = config.contact = Endpoint{kTrusted, 5060};
            break;
    }
    if ((kind == Kind::User || kind == Kind::Stranger) && chance(25)) {
        config.contact =
            Endpoint{IpAddress::v4(10, 0, 0, static_cast<uint8_t>(1 + below(4))), 5062};
        config.endpoint.port = static_cast<uint16_t>(20000 + below(30000));
    }
    if (kind == Kind::User) draw_instance(config);
    config.refuses_streams =
        config.transport == transport::Transport::Udp && dns_random_.below(2) == 0;
    Phone& phone = world_->add_phone(config);
    if (kind == Kind::WrongPassword) world_->wire().may_be_ignored(config.endpoint.address);
    (kind == Kind::User ? members_ : outsiders_).push_back(&phone);
}

/// Half of the phones have an instance-id, and some of these know outbound or move when they start
/// anew.
void Scenario::draw_instance(PhoneConfig& config) {
    const uint64_t draw = instance_random_.next();
    if (draw % 2 == 0) return;
    config.instance = "urn:uuid:" + std::to_string(draw);
    if (draw / 2 % 3 == 0) config.reg_id = static_cast<uint32_t>(1 + draw / 8 % 3);
    config.moves_at_boot = config.contact != config.endpoint && draw / 32 % 2 == 0;
}

void Scenario::draw_people() {
    const std::vector<std::string> names{"alice", "bob", "carol", "dave", "erin"};
    const uint64_t count = 2 + below(3);
    for (uint64_t i = 0; i < count; ++i) {
        users_.push_back(names[i]);
        world_->add_user(names[i]);
    }
    for (const std::string& user : users_) {
        const uint64_t contacts = chance(60) ? 1 : 2 + below(3);
        for (uint64_t i = 0; i < contacts; ++i) draw_phone(user, Kind::User);
    }
    if (chance(50)) draw_phone("mallory", Kind::Stranger);
    if (chance(30)) draw_phone(users_.front(), Kind::WrongPassword);
    if (chance(50)) draw_phone("frank", Kind::Foreign);
    if (chance(40)) draw_phone("trunk", Kind::Trusted);
}

std::string Scenario::draw_target() {
    const uint64_t kind = below(100);
    if (kind < 70) return "sip:" + pick(users_) + "@example.test";
    if (kind < 80) return "sip:" + pick(users_) + '@' + world_->server_address().to_string();
    if (kind < 85) return "sip:nobody@example.test";
    if (kind < 92) return "sip:frank@foreign.example.org";
    if (kind < 95) return "sip:frank@203.0.113.77:5060";
    if (kind < 97) return "sip:x@gone.example.org";
    return "sip:trunk@192.0.2.200:5060";
}

void Scenario::draw_call(Phone& caller, Duration at) {
    CallPlan plan;
    plan.target = draw_target();
    plan.talk = between(milliseconds(1), seconds(25));
    plan.hangs_up = chance(70);
    plan.reinvites = chance(30) ? static_cast<int>(1 + below(2)) : 0;
    if (chance(35)) plan.cancel_after = between(milliseconds(1), seconds(8));
    world_->at(at, [&caller, plan] { caller.call(plan); });
}

void Scenario::draw_action(Duration at) {
    const bool by_member = outsiders_.empty() || chance(80);
    Phone& phone = *(by_member ? pick(members_) : pick(outsiders_));
    const uint64_t kind = below(100);
    if (kind < 60) {
        draw_call(phone, at);
    } else if (kind < 75) {
        const std::vector<std::string> methods{"MESSAGE", "OPTIONS", "INFO", "SUBSCRIBE",
                                               "FROBNICATE"};
        const std::string method = pick(methods);
        const std::string target = chance(10) ? std::string("sip:example.test") : draw_target();
        world_->at(at, [&phone, method, target] { phone.send_request(method, target); });
    } else if (kind < 82) {
        world_->at(at, [&phone] { phone.register_contact(); });
    } else if (kind < 85) {
        world_->at(at, [&phone] { phone.unregister(); });
    } else if (kind < 86) {
        world_->at(at, [&phone] { phone.unregister_all(); });
    } else {
        draw_trouble(at);
    }
}

void Scenario::draw_trouble(Duration at) {
    Phone& phone = *pick(members_);
    const uint64_t kind = below(100);
    if (kind < 25) {
        const std::vector<std::string> octets{
            std::string("\r\n\r\n"), std::string("\0\0\1\2", 4),
            "INVITE sip:alice@example.test SIP/2.0\r\n\r\n",
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n"};
        if (transport::is_reliable(phone.config().transport)) return;
        world_->at(at, [&phone, bytes = pick(octets)] { phone.send_raw(bytes); });
        return;
    }
    if (world_->network().faults().is_perfect() && is_calm_ && chance(70)) return;
    is_calm_ = false;
    if (kind < 60) {
        world_->at(at, [&phone] { phone.drop_streams(); });
        return;
    }
    world_->at(at, [&phone] { phone.crash(); });
    if (chance(30)) return;
    world_->at(at + between(milliseconds(10), seconds(40)), [&phone] {
        if (phone.is_up()) return;
        phone.boot();
        phone.register_contact();
    });
}

void Scenario::draw_server_events() {
    if (chance(30)) {
        is_calm_ = false;
        const Duration at = between(seconds(5), active_);
        world_->at(at, [this] { world_->kill_server(); });
        world_->at(at + between(milliseconds(200), seconds(4)), [this] {
            world_->start_server();
            world_->compare_bindings();
        });
        ++restarts_;
    }
    if (!chance(30)) return;
    ++reloads_;
    const auto expires_max = static_cast<uint32_t>(120 + below(400));
    const Duration timer_c = seconds(20 + below(200));
    world_->at(between(seconds(5), active_), [this, expires_max, timer_c] {
        world_->reload([&](ports::Snapshot& settings) {
            settings.registrar.expires_max_s =
                std::max(expires_max, settings.registrar.expires_max_s);
            settings.timers.c = std::max(timer_c, settings.timers.c);
        });
    });
}

void Scenario::draw_actions() {
    active_ = seconds(30 + below(120));
    for (Phone* phone : members_) {
        if (chance(5)) continue;
        world_->at(between(milliseconds(1), seconds(3)), [phone] { phone->register_contact(); });
    }
    for (Phone* phone : outsiders_) {
        if (chance(30)) world_->at(seconds(2), [phone] { phone->register_contact(); });
    }
    const uint64_t count = 8 + below(40);
    for (uint64_t i = 0; i < count; ++i) draw_action(between(seconds(4), active_));
    draw_server_events();
}

/// Where nothing is ever lost, every call comes to an end that its caller learns.
void Scenario::check_calm() {
    if (!is_calm_) return;
    for (const auto& phone : world_->phones()) {
        if (phone->config().password == "wrong") continue;
        for (const CallReport& report : phone->reports()) {
            if (report.has_timed_out || report.final_status == 0) {
                world_->broken("every call ends", "call " + report.call_id + " of " +
                                                      phone->config().name +
                                                      " got no final response");
            }
        }
    }
}

SeedResult Scenario::play(uint64_t seed) {
    draw_people();
    draw_actions();
    world_->start();
    world_->run_for(active_);
    world_->compare_bindings();
    world_->finish();
    check_calm();
    SeedResult result;
    result.seed = seed;
    result.faults = world_->report().faults();
    result.calls = world_->records().calls();
    for (const ports::CallRecord& record : world_->records().records()) {
        if (record.is_answered()) ++result.answered;
    }
    result.messages = world_->trace().message_count();
    result.restarts = restarts_;
    result.reloads = reloads_;
    result.virtual_time = world_->elapsed();
    result.coverage = world_->coverage();
    result.ladder = world_->trace().ladder();
    return result;
}

}  // namespace

SeedResult run_seed(uint64_t seed, Trace::Detail detail) {
    return Scenario(seed, detail).play(seed);
}

}  // namespace signalbox::sim
