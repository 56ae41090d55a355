// Tells when the machine may have got or lost an address.
#include "io/address_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "io/file_descriptor.h"

namespace signalbox::io {

namespace {

/// An interface that goes down takes its addresses with it, though they stay configured.
constexpr uint32_t kGroups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

FileDescriptor open_announcements() {
    FileDescriptor socket(
        ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    if (!socket) return {};
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = kGroups;
    const auto* any = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(socket.get(), any, sizeof(address)) != 0) return {};
    return socket;
}

}  // namespace

AddressWatch::AddressWatch(asio::io_context& context, Counters& counters,
                           std::function<void()> on_change, Source source)
    : counters_(counters), on_change_(std::move(on_change)), timer_(context) {
    FileDescriptor socket =
        source == Source::Announcements ? open_announcements() : FileDescriptor();
    if (!socket) {
        await_poll();
        return;
    }
    descriptor_ = std::make_unique<Descriptor>(context, socket.release());
    await_announcement();
}

AddressWatch::~AddressWatch() = default;

void AddressWatch::await_announcement() {
    descriptor_->async_wait(descriptor_base::wait_read,
                            [this](const boost::system::error_code& error) {
                                if (!error) take_announcements();
                            });
}

/// What they say is not read: the addresses are, when all is quiet.
void AddressWatch::take_announcements() {
    std::array<char, 8192> thrown_away;
    ssize_t size = 0;
    do {
        size = ::recv(descriptor_->native_handle(), thrown_away.data(), thrown_away.size(),
                      MSG_DONTWAIT);
        // ENOBUFS: more came than was kept. That is a change too.
    } while (size > 0 || (size < 0 && (errno == EINTR || errno == ENOBUFS)));
    const bool is_broken = size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    if (is_broken) {
        descriptor_.reset();
    } else {
        await_announcement();
    }
    if (is_settling_) return;
    look_again_after(kSettleTime);
    on_change_();
}

void AddressWatch::look_again_after(Duration time) {
    is_settling_ = true;
    timer_.expires_after(std::chrono::ceil<asio::steady_timer::duration>(time));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        is_settling_ = false;
        if (is_polling()) await_poll();
        on_change_();
    });
}

void AddressWatch::await_poll() {
    timer_.expires_after(kPollInterval);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        counters_.add(Counter::own_addresses_polled_total);
        await_poll();
        on_change_();
    });
}

}  // namespace signalbox::io
