// WebSocket frames of one connection without a socket, seen from the server: octets in, SIP
// messages out, and back. Implements: RFC 6455 §5, §7, §8.1; RFC 7118 §5
#pragma once

#include <wslay/wslay.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace signalbox::io {

/// Owned by its connection; single-threaded. Between messages it holds wslay's context of one
/// connection (about 4 KB) and nothing else.
class WebSocketCodec final {
 public:
    /// What a step found.
    enum class Step : uint8_t {
        NeedMore,  // all octets were taken
        Message,   // message() is whole
        Reply,     // reply() must be sent (a pong)
        Closed,    // reply() is the closing frame; whatever came behind it means nothing
    };

    /// Messages past `message_bytes_max` end the connection (1009) before they are kept.
    explicit WebSocketCodec(size_t message_bytes_max);
    WebSocketCodec(const WebSocketCodec&) = delete;
    WebSocketCodec& operator=(const WebSocketCodec&) = delete;

    /// Takes octets from the front of `input` up to the next thing to do; call it again until
    /// NeedMore or Closed. Results of the step before are no longer valid then.
    Step step(std::string_view& input);
    /// The payload of a message, of text or octets: one SIP message or a keep-alive (RFC 7118 §5).
    std::string_view message() const { return message_; }
    std::string_view reply() const { return reply_; }
    /// True when the peer closed as RFC 6455 §7.1 has it; false when it broke a rule.
    bool is_closed_well() const { return is_closed_well_; }
    /// True between the frames of one message.
    bool is_in_message() const { return is_in_message_; }
    /// True when neither a frame nor a message is begun and not whole.
    bool is_between_messages() const { return taken_ == completed_ && !is_in_message_; }

    /// Appends `payload` as one unmasked frame: text when it is UTF-8, else octets (RFC 7118 §5).
    void append_message(std::string_view payload, std::string& out);
    /// Appends a closing frame that says we go away (1001).
    void append_going_away(std::string& out);

 private:
    struct ContextDeleter {
        void operator()(wslay_frame_context* context) const { ::wslay_frame_context_free(context); }
    };
    static ssize_t give(uint8_t* buffer, size_t size, int flags, void* self);
    static ssize_t put(const uint8_t* data, size_t size, int flags, void* self);

    bool begin_frame(const wslay_frame_iocb& frame);
    Step end_frame(const wslay_frame_iocb& frame);
    Step end_message();
    Step control(uint8_t opcode);
    Step closed_by_peer();
    Step refuse(uint16_t code);
    void append_frame(uint8_t opcode, std::string_view payload, std::string& out);
    void append_close(uint16_t code, std::string& out);

    size_t message_bytes_max_;
    std::unique_ptr<wslay_frame_context, ContextDeleter> context_;
    std::string_view* input_ = nullptr;  // during a step
    std::string* output_ = nullptr;      // while a frame is written
    uint64_t taken_ = 0;                 // octets that wslay has taken from inputs
    uint64_t completed_ = 0;             // octets of whole frames
    uint64_t frame_taken_ = 0;           // payload octets of the frame that is under way
    bool is_in_frame_ = false;
    bool is_in_message_ = false;
    bool is_text_ = false;
    bool is_closed_well_ = false;
    uint16_t refusal_ = 0;  // of begin_frame
    std::string kept_;      // a message in several pieces
    std::string control_;   // a control frame in several pieces
    std::string reply_;
    std::string_view message_;  // Views: kept_, or wslay's buffer (until the next step)
};

}  // namespace signalbox::io
