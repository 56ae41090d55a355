// What a run counted, and how it is told: as text for a reader and as JSON for bench/compare.
#include "load/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <numeric>

namespace bench {
namespace {

constexpr std::size_t kSamplesMax = 5;
constexpr std::size_t kSampleBytesMax = 300;

constexpr std::array<std::string_view, static_cast<std::size_t>(Violation::kCount)>
    kViolationNames = {"malformed_message",  "unknown_transaction",  "unexpected_status",
                       "unexpected_request", "trying_missing",       "duplicate_final",
                       "via_wrong",          "record_route_missing", "route_set_not_followed",
                       "tags_wrong",         "body_changed",         "max_forwards_wrong",
                       "contact_wrong",      "challenge_wrong",      "ack_missing",
                       "connection_lost"};

__attribute__((format(printf, 2, 3))) void put(std::string& text, const char* format, ...) {
    std::array<char, 512> line;
    va_list arguments;
    va_start(arguments, format);
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    va_end(arguments);
    if (length > 0)
        text.append(line.data(), std::min(line.size() - 1, static_cast<std::size_t>(length)));
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
            put(out, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            out += c;
        }
    }
    return out + '"';
}

void put_latency_json(std::string& text, const char* label, const LatencyHistogram& latency) {
    put(text,
        "  \"%s\": {\"count\": %llu, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
        "\"max\": %.1f},\n",
        label, static_cast<unsigned long long>(latency.total()), latency.quantile_us(0.5),
        latency.quantile_us(0.9), latency.quantile_us(0.99), latency.quantile_us(0.999),
        latency.quantile_us(1));
}

void put_latency_text(std::string& text, const char* label, const LatencyHistogram& latency) {
    if (latency.total() == 0) return;
    put(text, "%-22s p50 %.0f  p90 %.0f  p99 %.0f  p99.9 %.0f  max %.0f us\n", label,
        latency.quantile_us(0.5), latency.quantile_us(0.9), latency.quantile_us(0.99),
        latency.quantile_us(0.999), latency.quantile_us(1));
}

void put_phases_json(std::string& text, const std::vector<Phase>& phases) {
    text += "  \"phases\": [";
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    for (std::size_t i = 0; i < phases.size(); ++i) {
        const Phase& phase = phases[i];
        put(text, "%s\n    {\"rate\": %.3f, \"seconds\": %.3f, \"started\": %llu, ",
            i == 0 ? "" : ",", phase.rate, phase.seconds, number(phase.started));
        put(text, "\"answered\": %llu, \"completed\": %llu, \"refused\": %llu, ",
            number(phase.answered), number(phase.completed), number(phase.refused));
        put(text, "\"unanswered\": %llu, \"broken\": %llu, \"answered_within\": %llu, ",
            number(phase.unanswered), number(phase.broken), number(phase.answered_within));
        put(text, "\"last_unserved_s\": %.3f, ", static_cast<double>(phase.last_unserved_ns) / 1e9);
        put(text, "\"setup_p50_us\": %.1f, \"setup_p99_us\": %.1f, \"setup_max_us\": %.1f}",
            phase.setup.quantile_us(0.5), phase.setup.quantile_us(0.99),
            phase.setup.quantile_us(1));
    }
    text += "],\n";
}

double cpu_per_operation(const Measurement& measurement) {
    if (measurement.server_cpu_us < 0 || measurement.completed == 0) return -1;
    return measurement.server_cpu_us / static_cast<double>(measurement.completed);
}

}  // namespace

std::string_view name(Violation violation) {
    return kViolationNames[static_cast<std::size_t>(violation)];
}

std::uint64_t Counters::violation_total() const {
    return std::accumulate(violations.begin(), violations.end(), std::uint64_t{0});
}

void Ledger::violate(Violation violation, std::string_view detail) {
    ++counters.violations[static_cast<std::size_t>(violation)];
    note(name(violation), detail);
}

void Ledger::note(std::string_view what, std::string_view detail) {
    if (samples.size() < kSamplesMax) {
        samples.push_back(std::string(what) + ": " +
                          std::string(detail.substr(0, kSampleBytesMax)));
    }
}

bool is_clean(const Ledger& ledger) {
    if (!ledger.phases.empty()) {
        const auto is_whole = [](const Phase& phase) { return phase.broken == 0; };
        return std::all_of(ledger.phases.begin(), ledger.phases.end(), is_whole) &&
               ledger.counters.overruns == 0 && ledger.counters.violation_total() == 0;
    }
    return ledger.counters.completed > 0 && ledger.counters.failure_total() == 0 &&
           ledger.counters.violation_total() == 0;
}

std::string text_report(const Options& options, const Ledger& ledger,
                        const Measurement& measurement) {
    const Counters& counters = ledger.counters;
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::string text;
    put(text, "scenario               %s over %s\n", std::string(name(options.scenario)).c_str(),
        std::string(name(options.transport)).c_str());
    put(text, "measured               %llu operations in %.2f s: %.0f a second\n",
        number(measurement.completed), measurement.seconds,
        measurement.seconds > 0 ? static_cast<double>(measurement.completed) / measurement.seconds
                                : 0);
    if (cpu_per_operation(measurement) >= 0) {
        put(text, "server processor       %.1f us an operation\n", cpu_per_operation(measurement));
    }
    put(text, "completed              %llu of %llu, failed %llu, timeouts %llu, overruns %llu\n",
        number(counters.completed), number(counters.started), number(counters.failed),
        number(counters.timeouts), number(counters.overruns));
    put(text, "retransmissions        sent %llu, received %llu, late %llu\n",
        number(counters.tx_repeated), number(counters.rx_repeated), number(counters.late));
    put_latency_text(text, "call set-up", ledger.setup);
    put_latency_text(text, "operation", ledger.operation);
    put(text, "violations             %llu\n", number(counters.violation_total()));
    for (std::size_t i = 0; i < counters.violations.size(); ++i) {
        if (counters.violations[i] != 0) {
            put(text, "  %-26s %llu\n", std::string(kViolationNames[i]).c_str(),
                number(counters.violations[i]));
        }
    }
    for (const std::string& sample : ledger.samples) text += "  " + sample + "\n";
    return text;
}

std::string json_report(const Options& options, const Ledger& ledger,
                        const Measurement& measurement) {
    const Counters& counters = ledger.counters;
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::string text = "{\n";
    put(text, "  \"scenario\": \"%s\",\n  \"clean\": %s,\n",
        std::string(name(options.scenario)).c_str(), is_clean(ledger) ? "true" : "false");
    put(text, "  \"transport\": \"%s\",\n  \"connections\": %u,\n",
        std::string(name(options.transport)).c_str(),
        is_stream(options.transport) ? options.connections : 0);
    put(text, "  \"window\": %u,\n  \"rate\": %.3f,\n", options.window, options.rate);
    put(text, "  \"seconds\": %.6f,\n  \"measured\": %llu,\n", measurement.seconds,
        number(measurement.completed));
    put(text, "  \"server_cpu_us\": %.1f,\n  \"server_cpu_us_per_operation\": %.4f,\n",
        measurement.server_cpu_us, cpu_per_operation(measurement));
    put(text, "  \"started\": %llu,\n  \"completed\": %llu,\n  \"failed\": %llu,\n",
        number(counters.started), number(counters.completed), number(counters.failed));
    put(text, "  \"timeouts\": %llu,\n  \"overruns\": %llu,\n  \"late\": %llu,\n",
        number(counters.timeouts), number(counters.overruns), number(counters.late));
    put(text, "  \"retransmissions_sent\": %llu,\n  \"retransmissions_received\": %llu,\n",
        number(counters.tx_repeated), number(counters.rx_repeated));
    put_latency_json(text, "setup_us", ledger.setup);
    put_latency_json(text, "operation_us", ledger.operation);
    put(text, "  \"refused\": %llu,\n", number(counters.refused));
    put_phases_json(text, ledger.phases);
    text += "  \"violations\": {";
    for (std::size_t i = 0; i < counters.violations.size(); ++i) {
        put(text, "%s\"%s\": %llu", i == 0 ? "" : ", ", std::string(kViolationNames[i]).c_str(),
            number(counters.violations[i]));
    }
    text += "},\n  \"samples\": [";
    for (std::size_t i = 0; i < ledger.samples.size(); ++i) {
        text += (i == 0 ? "" : ", ") + quoted(ledger.samples[i]);
    }
    return text + "]\n}\n";
}

}  // namespace bench
