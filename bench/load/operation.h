// One operation in flight: the state of its client side and of its server side, and how messages
// name it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "load/options.h"
#include "net/link.h"

namespace bench {

enum class ClientState : std::uint8_t {
    Idle,            // the slot is free
    Calling,         // INVITE sent, nothing heard
    Proceeding,      // INVITE answered provisionally
    Talking,         // the call is up
    Ending,          // ACK and BYE sent
    Requesting,      // OPTIONS, MESSAGE or REGISTER sent
    Authenticating,  // REGISTER sent again with credentials
};

enum class ServerState : std::uint8_t {
    Idle,       // nothing received
    Answered,   // 200 to INVITE sent, ACK awaited
    Confirmed,  // ACK received
    Ended,      // the last request is answered
};

/// The transaction of a message, the first letter of its branch.
enum class Kind : char { Invite = 'i', Ack = 'a', Bye = 'b', Request = 'q', Retry = 'r' };

/// How branches and Call-IDs name an operation: a letter, the run, the slot and its generation.
struct Identity {
    char letter = 0;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
};

/// Appends for example "ic0ffee00.17.3".
void append_identity(std::string& out, char letter, std::string_view run, std::uint32_t slot,
                     std::uint32_t generation);
/// Reads it back; nothing when it is not of this run.
std::optional<Identity> read_identity(std::string_view text, std::string_view run);

/// A slot of the window, used by one operation after another. Strings keep their room, so a warm
/// slot allocates nothing.
struct Operation {
    Scenario scenario = Scenario::Call;
    ClientState client = ClientState::Idle;
    ServerState server = ServerState::Idle;
    std::uint32_t generation = 0;
    std::uint32_t server_generation = 0;
    std::uint32_t user = 0;
    std::uint32_t client_serial = 0;  // a timer with another serial is void
    std::uint32_t server_serial = 0;
    std::uint8_t phase = 0;  // of the profile, in which it was started
    std::uint8_t client_attempts = 0;
    std::uint8_t server_attempts = 0;
    bool is_trying_seen = false;
    bool is_set_up = false;             // the INVITE was answered 200
    bool is_repeated = false;           // someone retransmitted in this operation
    bool is_previous_repeated = false;  // or in the one before it in this slot
    std::uint64_t started_ns = 0;
    std::uint64_t request_ns = 0;  // when the request in flight was sent first
    std::uint64_t answer_ns = 0;   // when the callee's 200 was sent first
    Peer answer_peer;              // and where to
    std::string request;           // the bytes to repeat; while the call is up its BYE
    std::string ack;
    std::string response;
};

}  // namespace bench
