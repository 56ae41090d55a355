// All phones of a run, in one thread.
#include "idle/phone_set.h"

#include <poll.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace bench {
namespace {

constexpr int kEventsMax = 256;
constexpr int kWaitMs = 20;
constexpr std::uint64_t kRetryPauseNs = 200'000'000;
constexpr std::uint32_t kInput = UINT32_MAX;

std::uint64_t clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

double seconds_since(std::uint64_t begin_ns) {
    return static_cast<double>(clock_ns() - begin_ns) / 1e9;
}

}  // namespace

PhoneSet::PhoneSet(const PhoneSettings& settings, std::uint32_t count)
    : settings_(settings), epoll_(::epoll_create1(EPOLL_CLOEXEC)), phones_(count) {
    first_ns_.resize(count);
}

PhoneSet::~PhoneSet() {
    ::close(epoll_);
}

bool PhoneSet::begin(std::uint32_t number) {
    const std::uint64_t now_ns = clock_ns();
    if (first_ns_[number] == 0) first_ns_[number] = now_ns;
    ++attempts_;
    if (!phones_[number].open(settings_, number, now_ns)) return false;
    epoll_event event{};
    event.events = EPOLLOUT | EPOLLIN;
    event.data.u32 = number;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, phones_[number].fd(), &event);
    return true;
}

void PhoneSet::watch_events(std::uint32_t number) {
    epoll_event event{};
    event.events = EPOLLIN | (phones_[number].is_waiting_to_write() ? EPOLLOUT : 0u);
    event.data.u32 = number;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, phones_[number].fd(), &event);
}

void PhoneSet::handle(std::uint32_t number) {
    Phone& phone = phones_[number];
    if (phone.state() == Phone::State::Closed) return;
    const bool was_idle = phone.state() == Phone::State::Idle;
    if (!phone.advance(settings_, number)) {
        phone.close();
        if (was_idle) {
            ++lost_;
        } else {
            --under_way_;
            broken_.push_back(number);
        }
        return;
    }
    if (!was_idle && phone.state() == Phone::State::Idle) {
        --under_way_;
        resumed_ += phone.was_resumed();
        took_s_.push_back(seconds_since(first_ns_[number]));
    }
    if (!was_idle) watch_events(number);
}

Opening PhoneSet::open(std::uint32_t count, std::uint32_t window, double seconds_max) {
    const std::uint64_t begin_ns = clock_ns();
    std::uint64_t retry_ns = 0;
    std::uint32_t next = 0;
    took_s_.clear();
    attempts_ = resumed_ = under_way_ = 0;
    std::fill(first_ns_.begin(), first_ns_.end(), 0);
    while (took_s_.size() < count && seconds_since(begin_ns) < seconds_max) {
        while (under_way_ < window && next < count) {
            const std::uint32_t number = next++;
            if (phones_[number].state() == Phone::State::Idle) {
                took_s_.push_back(0);
                continue;
            }
            if (begin(number)) {
                ++under_way_;
            } else {
                broken_.push_back(number);
            }
        }
        if (!broken_.empty() && retry_ns == 0) retry_ns = clock_ns() + kRetryPauseNs;
        if (retry_ns != 0 && clock_ns() >= retry_ns) {
            retry_ns = 0;
            std::vector<std::uint32_t> again;
            again.swap(broken_);
            for (const std::uint32_t number : again) {
                if (begin(number)) {
                    ++under_way_;
                } else {
                    broken_.push_back(number);
                }
            }
        }
        std::array<epoll_event, kEventsMax> events{};
        const int ready = ::epoll_wait(epoll_, events.data(), kEventsMax, kWaitMs);
        for (int i = 0; i < ready; ++i) handle(events[static_cast<std::size_t>(i)].data.u32);
    }
    Opening opening{static_cast<std::uint32_t>(took_s_.size()),
                    resumed_,
                    attempts_,
                    seconds_since(begin_ns),
                    0,
                    0};
    if (took_s_.empty()) return opening;
    std::sort(took_s_.begin(), took_s_.end());
    opening.median_s = took_s_[took_s_.size() / 2];
    opening.longest_s = took_s_.back();
    return opening;
}

void PhoneSet::drop(std::uint32_t count) {
    for (std::uint32_t number = 0; number < count; ++number) phones_[number].close();
}

std::uint32_t PhoneSet::watch(int input) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = kInput;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, input, &event);
    for (bool is_asked = false; !is_asked;) {
        std::array<epoll_event, kEventsMax> events{};
        const int ready = ::epoll_wait(epoll_, events.data(), kEventsMax, -1);
        for (int i = 0; i < ready; ++i) {
            const std::uint32_t number = events[static_cast<std::size_t>(i)].data.u32;
            if (number == kInput) {
                is_asked = true;
            } else {
                handle(number);
            }
        }
    }
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, input, nullptr);
    return lost_;
}

}  // namespace bench
