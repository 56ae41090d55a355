// One run of the load: sets up the bindings, warms up, measures, drains.
#include "load/load_run.h"

#include <poll.h>
#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "load/process_cpu.h"
#include "net/datagram_socket.h"
#include "net/stream_link.h"

namespace bench {
namespace {

constexpr double kForeverS = 1e9;
constexpr std::uint64_t kWaitNsMax = 100'000'000;

std::uint64_t clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t to_ns(double seconds) {
    return static_cast<std::uint64_t>(seconds * 1e9);
}

/// Branches and Call-IDs must differ between runs against one server.
std::string random_run() {
    std::uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number) {
        number = static_cast<std::uint32_t>(clock_ns());
    }
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", number);
    return digits.data();
}

std::unique_ptr<Link> make_link(const Options& options, Side side) {
    const bool is_caller = side == Side::Client;
    const sockaddr_in& local = is_caller ? options.caller : options.callee;
    const std::string& text = is_caller ? options.caller_text : options.callee_text;
    if (!is_stream(options.transport)) {
        return std::make_unique<DatagramSocket>(local, text, options.server);
    }
    const bool is_reached_by_address =
        !needs_bindings(options.scenario) && !is_register(options.scenario);
    StreamSettings settings;
    settings.transport = options.transport;
    settings.server = options.server;
    settings.server_text = options.server_text;
    settings.local = local;
    settings.local_text = text;
    settings.listens = !is_caller && is_reached_by_address;
    // A side that has nothing to say would be a silent peer, which a server may send away.
    const bool is_silent = is_caller
                               ? is_register(options.scenario)
                               : is_reached_by_address && options.server_kind != Server::Forwarder;
    settings.connections = is_silent ? 0 : options.connections;
    return std::make_unique<StreamLink>(std::move(settings));
}

}  // namespace

LoadRun::LoadRun(const Options& options)
    : options_(options),
      timers_(options.t1_ms, options.hold_ms),
      operations_(options.window),
      caller_(make_link(options, Side::Client)),
      callee_(make_link(options, Side::Server)),
      stage_{options, ledger_, timers_, operations_, *caller_, *callee_, random_run()},
      client_(stage_),
      server_(stage_) {}

Measurement LoadRun::run() {
    const bool is_forwarder = options_.server_kind == Server::Forwarder;
    const bool needs_setup =
        needs_bindings(options_.scenario) || options_.scenario == Scenario::Register;
    if (needs_setup && !is_forwarder) {
        drive({Scenario::Register, options_.users, 0, 0, kForeverS});
        if (has_given_up()) return {};
        // The books of the set-up are closed, but its failures must not be forgotten.
        if (is_clean(ledger_)) ledger_ = Ledger{};
    }
    if (!options_.profile.empty()) return drive_profile();
    return drive({options_.scenario, options_.operations_max, options_.rate, options_.warmup_s,
                  options_.duration_s});
}

Measurement LoadRun::drive(const Plan& plan) {
    const std::vector<int> processes =
        options_.server_pid != 0 ? process_tree(options_.server_pid) : std::vector<int>{};
    Measurement measurement;
    std::uint64_t now_ns = clock_ns();
    std::uint64_t begin_ns = now_ns + to_ns(plan.warmup_s);
    std::uint64_t end_ns = begin_ns + to_ns(plan.duration_s);
    std::uint64_t completed_before = 0;
    double cpu_before = 0;
    bool is_stopping = false;
    plan_started_ = 0;
    next_start_ns_ = now_ns;

    const auto begin = [&] {
        ledger_.is_measuring = true;
        begin_ns = now_ns;
        end_ns = begin_ns + to_ns(plan.duration_s);
        completed_before = ledger_.counters.completed;
        cpu_before = cpu_time_us(processes);
    };
    const auto end = [&] {
        ledger_.is_measuring = false;
        is_stopping = true;
        measurement.seconds = static_cast<double>(now_ns - begin_ns) / 1e9;
        measurement.completed = ledger_.counters.completed - completed_before;
        if (!processes.empty()) measurement.server_cpu_us = cpu_time_us(processes) - cpu_before;
    };

    // Draining needs no limit of its own: each operation ends by its timers.
    while (!has_given_up() && !(is_stopping && client_.outstanding() == 0)) {
        now_ns = clock_ns();
        if (!ledger_.is_measuring && !is_stopping && now_ns >= begin_ns) begin();
        if (ledger_.is_measuring && now_ns >= end_ns) end();
        if (!is_stopping) start_due(plan, now_ns);
        const bool is_spent = plan.operations_max != 0 && plan_started_ == plan.operations_max;
        if (is_spent && client_.outstanding() == 0 && !is_stopping) end();
        if (turn(now_ns) == 0) {
            const std::uint64_t boundary = ledger_.is_measuring ? end_ns : begin_ns;
            const bool is_paced = plan.rate > 0 && !is_stopping && !is_spent;
            const std::uint64_t next = is_paced ? std::min(boundary, next_start_ns_) : boundary;
            wait(now_ns, is_stopping ? timers_.next_deadline_ns() : next);
        }
    }
    if (ledger_.is_measuring) end();
    return measurement;
}

/// The rates follow each other without a pause; what was started is then driven to its end.
Measurement LoadRun::drive_profile() {
    ledger_.phases = options_.profile;
    Measurement measurement;
    std::uint64_t now_ns = clock_ns();
    const std::uint64_t begin_ns = now_ns;
    for (ledger_.phase = 0; ledger_.phase < ledger_.phases.size(); ++ledger_.phase) {
        Phase& phase = ledger_.phases[ledger_.phase];
        phase.begun_ns = now_ns;
        next_start_ns_ = now_ns;
        const std::uint64_t end_ns = now_ns + to_ns(phase.seconds);
        for (; now_ns < end_ns && !has_given_up(); now_ns = clock_ns()) {
            start_at_rate(phase.rate, now_ns);
            if (turn(now_ns) == 0) wait(now_ns, std::min(end_ns, next_start_ns_));
        }
    }
    ledger_.phase = ledger_.phases.size() - 1;
    measurement.seconds = static_cast<double>(now_ns - begin_ns) / 1e9;
    for (; client_.outstanding() != 0 && !has_given_up(); now_ns = clock_ns()) {
        if (turn(now_ns) == 0) wait(now_ns, timers_.next_deadline_ns());
    }
    measurement.completed = ledger_.counters.completed;
    return measurement;
}

void LoadRun::start_at_rate(double rate, std::uint64_t now_ns) {
    for (; next_start_ns_ <= now_ns; next_start_ns_ += to_ns(1 / rate)) {
        if (client_.has_room()) {
            client_.start(options_.scenario, now_ns);
        } else {
            ++ledger_.counters.overruns;
        }
    }
}

void LoadRun::start_due(const Plan& plan, std::uint64_t now_ns) {
    const auto may_start = [&] {
        return plan.operations_max == 0 || plan_started_ < plan.operations_max;
    };
    if (plan.rate == 0) {
        for (; may_start() && client_.has_room(); ++plan_started_) {
            client_.start(plan.scenario, now_ns);
        }
        return;
    }
    for (; may_start() && next_start_ns_ <= now_ns; next_start_ns_ += to_ns(1 / plan.rate)) {
        ++plan_started_;
        if (client_.has_room()) {
            client_.start(plan.scenario, now_ns);
        } else {
            ++ledger_.counters.overruns;
        }
    }
}

bool LoadRun::has_given_up() const {
    // Under overload to be left unanswered is what a profile asks about.
    const std::uint64_t expected = ledger_.phases.empty() ? 0 : ledger_.counters.timeouts;
    return ledger_.counters.failure_total() - expected + ledger_.counters.violation_total() >=
           options_.failures_max;
}

/// Fires due timers, handles what waits on both sides and sends what that made. Returns the
/// messages received.
std::size_t LoadRun::turn(std::uint64_t now_ns) {
    timers_.take_due(now_ns, [&](const Timer& timer) {
        if (timer.side == Side::Client) {
            client_.on_timer(timer.slot, timer.serial, now_ns);
        } else {
            server_.on_timer(timer.slot, timer.serial, now_ns);
        }
    });
    const std::size_t received = receive(*callee_, now_ns) + receive(*caller_, now_ns);
    callee_->flush();
    caller_->flush();
    return received;
}

std::size_t LoadRun::receive(Link& link, std::uint64_t now_ns) {
    const std::size_t count = link.receive();
    for (std::size_t i = 0; i < count; ++i) {
        const Received received = link.received(i);
        const std::string_view bytes = received.bytes;
        if (received.arrival == Arrival::Closed) {
            ledger_.violate(Violation::ConnectionLost, bytes);
            continue;
        }
        const std::optional<MessageScan> message =
            received.arrival == Arrival::Broken ? std::nullopt : scan_message(bytes);
        if (!message) {
            ledger_.violate(Violation::MalformedMessage, bytes);
        } else if (message->is_response) {
            client_.on_response(*message, bytes, now_ns);
        } else if (options_.server_kind == Server::Forwarder && message->method == "REGISTER") {
            client_.on_reflected_register(*message, now_ns);
        } else {
            server_.on_request(link, *message, bytes, received.source, now_ns);
        }
    }
    return count;
}

void LoadRun::wait(std::uint64_t now_ns, std::uint64_t until_ns) {
    const std::uint64_t deadline = std::min(until_ns, timers_.next_deadline_ns());
    const std::uint64_t left =
        deadline > now_ns ? std::min(deadline - now_ns, kWaitNsMax) : std::uint64_t{0};
    const timespec timeout{static_cast<time_t>(left / 1'000'000'000),
                           static_cast<long>(left % 1'000'000'000)};
    std::array<pollfd, 2> sockets{
        {{caller_->descriptor(), POLLIN, 0}, {callee_->descriptor(), POLLIN, 0}}};
    ppoll(sockets.data(), sockets.size(), &timeout, nullptr);
}

}  // namespace bench
