// Decides which targets of a request are tried together, which wait for which, and how long: pure
// functions of the configuration and of what the branches have come to.
// Implements: RFC 3261 §16.6, §16.7 step 4; RFC 5393 §5.3
#pragma once

#include <cstdint>
#include <span>

#include "proxy/response_context.h"

namespace signalbox::proxy {

/// What a request without Max-Breadth gets, and the most that one may bring (RFC 5393 §5.3.3).
inline constexpr uint32_t kMaxBreadth = 60;

/// Orders `targets` by q, best first; equal ones stay in their order (RFC 3261 §16.6).
void order_by_q(std::span<Target> targets);

/// True when both lead to one phone: it has told its instance-id (RFC 5626 §4.1), or the URIs are
/// the same by RFC 3261 §19.1.4, and flow and path are. Two phones behind different NATs may well
/// have the same URI.
bool is_same_phone(const Target& a, const Target& b);

/// Removes each target that leads to the same phone as one before it.
/// Returns how many targets are left; they stand first.
size_t remove_equal_targets(std::span<Target> targets);

/// True when a target of quality `next_q` waits for the end of the group to which the one before
/// it, of `previous_q`, belongs. Both in thousandths.
bool begins_group(ports::ForkOrder order, uint16_t previous_q, uint16_t next_q);

/// How long a group is tried.
struct GroupPlan {
    Duration ring_limit = Duration::max();  // then its branches are left
    Duration next_after = Duration::max();  // then the next group begins, at the latest
    bool is_left_for_next = false;          // the next group's beginning ends its ringing
};
/// The plan of a group. The last one rings until Timer C. What cannot be cancelled is not left:
/// another request than INVITE goes to the next group after `t2`, so that somebody may answer
/// before its client gives up (RFC 4321 §1.3).
GroupPlan group_plan(const ports::ForkingSettings& settings, bool is_invite, bool is_last_group,
                     Duration t2);

/// True when the first Waiting branch may begin: those before its group have ended or are left, or
/// the group is due, and the Max-Breadth allows it.
bool may_begin_next(const ResponseContext& context);

/// True when no group follows the one that begins with, or goes on at, branch `index`.
bool is_in_last_group(std::span<const Branch> branches, size_t index);

/// The Max-Breadth that `request` allows for all its branches together: kMaxBreadth when it does
/// not say. What it says must be a number.
uint32_t incoming_breadth(const sip::MessageView& request);

/// The part of `free` for the first of the Waiting `branches`: equal parts for all of its group
/// that can begin, less one for each branch of later groups, which may join while it rings.
/// At least 1; `free` must be.
uint8_t breadth_share(std::span<const Branch> waiting, uint8_t free);

}  // namespace signalbox::proxy
