// How the location service keeps a binding. Included by the files of Location, and by nobody else.
#pragma once

#include "location/location.h"

namespace signalbox::location {

/// A binding; its contact, parameters, Call-ID and user agent stand behind it in this order, then
/// its path.
struct Location::Block {
    Block* next = nullptr;         // of the same address of record
    Block* stream_next = nullptr;  // of the same connection
    Block* stream_previous = nullptr;
    Instant expires;
    WallTime expires_wall;
    WallTime updated;
    transport::Flow flow;
    uint32_t cseq = 0;
    uint32_t reg_id = 0;
    uint16_t contact_size = 0;
    uint16_t parameters_size = 0;
    uint16_t call_id_size = 0;
    uint16_t user_agent_size = 0;
    uint16_t path_size = 0;
    // In one word: a contact's budget has no room for four.
    uint16_t q : 10 = 1000;
    bool has_q : 1 = false;
    bool is_nated : 1 = false;
    bool is_flow_closed : 1 = false;
    bool is_unresolvable : 1 = false;  // stands in the index of these

    size_t text_size() const {
        return size_t{contact_size} + parameters_size + call_id_size + user_agent_size + path_size;
    }
    char* text() { return reinterpret_cast<char*>(this + 1); }
    const char* text() const { return reinterpret_cast<const char*>(this + 1); }
    bool has_connection() const {
        return flow.transport != transport::Transport::Udp && !is_flow_closed;
    }
};

}  // namespace signalbox::location
