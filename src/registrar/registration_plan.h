// The Contacts of one REGISTER, the bindings that they will make, and which of them is which.
// Implements: RFC 3261 §10.3 step 7; RFC 5626 §6
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "location/location.h"
#include "sip/header_values.h"
#include "transport/flow.h"

namespace signalbox::registrar {

/// One Contact of the request, with what it comes to. Views: the request, or the registrar's
/// scratch.
struct AskedContact {
    sip::NameAddr address;
    std::string_view parameters;  // header parameters to keep
    std::string_view instance;    // +sip.instance without quotes and brackets; empty: none
    uint32_t reg_id = 0;          // 0: none, or it does not count (RFC 5626 §6)
    uint32_t expires = 0;         // seconds; 0: remove
    uint16_t q = 1000;
    bool has_q = false;
    bool is_nated = false;    // its host is not the address that the request came from
    bool is_private = false;  // its host is an address that others use in their networks too
};

/// One binding as it will be if nothing speaks against the request.
struct PlannedBinding {
    location::Binding binding;
    bool is_touched = false;  // named by this request: its Call-ID and CSeq were compared
    bool is_removed = false;
    bool is_new = false;  // not there before this request
};

/// What else tells one sender from another.
struct Sender {
    std::string_view call_id;
    const transport::Flow& flow;
};

/// The index in `planned` of the binding that `asked[index]` refreshes, replaces or removes;
/// planned.size() when there is none.
/// With instance-id and reg-id, those name it (RFC 5626 §6). Else it is the one of an equal URI
/// (RFC 3261 §10.3 step 7), unless another instance-id, or another place behind the same NAT, shows
/// that it is another phone's: of private Contacts behind NATs, and of names that no address has. A
/// phone that has started anew with another address is known by its instance-id alone: it has one
/// place, not two.
size_t find_binding(std::span<const PlannedBinding> planned, std::span<const AskedContact> asked,
                    size_t index, const Sender& sender);

}  // namespace signalbox::registrar
