// WebSocket frames of one connection without a socket.
// Implements: RFC 6455 §5.1 (masking), §5.4 (fragments), §5.5 (control frames), §7.4, §8.1; RFC
// 7118 §5
#include "io/web_socket_codec.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "io/utf8.h"

namespace signalbox::io {

namespace {

constexpr size_t kControlBytesMax = 125;
constexpr uint64_t kMaskBytes = 4;

uint64_t frame_size(const wslay_frame_iocb& frame) {
    const uint64_t length_bytes =
        frame.payload_length <= 125 ? 0 : (frame.payload_length <= 0xffff ? 2 : 8);
    return 2 + length_bytes + kMaskBytes + frame.payload_length;
}

/// RFC 6455 §7.4: codes that an endpoint may send.
bool is_sendable(uint16_t code) {
    if (code >= 3000) return code < 5000;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

std::string_view text_of(const wslay_frame_iocb& frame) {
    return {reinterpret_cast<const char*>(frame.data), frame.data_length};
}

}  // namespace

WebSocketCodec::WebSocketCodec(size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {
    const wslay_frame_callbacks callbacks{put, give, nullptr};
    wslay_frame_context* context = nullptr;
    CHECK(::wslay_frame_context_init(&context, &callbacks, this) == 0);
    context_.reset(context);
}

ssize_t WebSocketCodec::give(uint8_t* buffer, size_t size, int, void* self) {
    auto& codec = *static_cast<WebSocketCodec*>(self);
    if (codec.input_->empty()) return -1;
    const size_t count = codec.input_->copy(reinterpret_cast<char*>(buffer), size);
    codec.input_->remove_prefix(count);
    codec.taken_ += count;
    return static_cast<ssize_t>(count);
}

ssize_t WebSocketCodec::put(const uint8_t* data, size_t size, int, void* self) {
    static_cast<WebSocketCodec*>(self)->output_->append(reinterpret_cast<const char*>(data), size);
    return static_cast<ssize_t>(size);
}

WebSocketCodec::Step WebSocketCodec::step(std::string_view& input) {
    reply_.clear();
    message_ = {};
    if (!is_in_message_) std::string().swap(kept_);
    input_ = &input;
    for (;;) {
        wslay_frame_iocb frame{};
        const ssize_t count = ::wslay_frame_recv(context_.get(), &frame);
        if (count == WSLAY_ERR_WANT_READ) return Step::NeedMore;
        if (count < 0) return refuse(WSLAY_CODE_PROTOCOL_ERROR);
        if (!is_in_frame_ && !begin_frame(frame)) return refuse(refusal_);
        frame_taken_ += frame.data_length;
        const bool is_whole = frame_taken_ == frame.payload_length;
        const bool is_control = wslay_is_ctrl_frame(frame.opcode) != 0;
        const bool is_in_one_piece = is_whole && frame.data_length == frame.payload_length;
        if (is_control) {
            control_.append(text_of(frame));
        } else if (is_in_one_piece && frame.fin != 0 && kept_.empty()) {
            message_ = text_of(frame);
        } else {
            kept_.append(text_of(frame));
            message_ = kept_;
        }
        if (!is_whole) continue;
        const Step step = end_frame(frame);
        if (step != Step::NeedMore) return step;
    }
}

/// False when the frame breaks a rule: refusal_ says which.
bool WebSocketCodec::begin_frame(const wslay_frame_iocb& frame) {
    is_in_frame_ = true;
    frame_taken_ = 0;
    refusal_ = WSLAY_CODE_PROTOCOL_ERROR;
    // RFC 6455 §5.1: what a client sends is masked. No extension was agreed on (§5.2).
    if (frame.mask == 0 || frame.rsv != WSLAY_RSV_NONE) return false;
    if (wslay_is_ctrl_frame(frame.opcode) != 0) {
        control_.clear();
        const bool is_known = frame.opcode <= WSLAY_PONG;
        return is_known && frame.fin != 0 && frame.payload_length <= kControlBytesMax;
    }
    const bool continues = frame.opcode == WSLAY_CONTINUATION_FRAME;
    if (continues != is_in_message_ || frame.opcode > WSLAY_BINARY_FRAME) return false;
    if (!continues) {
        is_in_message_ = true;
        is_text_ = frame.opcode == WSLAY_TEXT_FRAME;
    }
    refusal_ = WSLAY_CODE_MESSAGE_TOO_BIG;
    return frame.payload_length <= message_bytes_max_ - kept_.size();
}

WebSocketCodec::Step WebSocketCodec::end_frame(const wslay_frame_iocb& frame) {
    is_in_frame_ = false;
    completed_ += frame_size(frame);
    if (wslay_is_ctrl_frame(frame.opcode) != 0) return control(frame.opcode);
    return frame.fin != 0 ? end_message() : Step::NeedMore;
}

WebSocketCodec::Step WebSocketCodec::end_message() {
    is_in_message_ = false;
    if (is_text_ && !is_utf8(message_)) return refuse(WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA);
    return Step::Message;
}

WebSocketCodec::Step WebSocketCodec::control(uint8_t opcode) {
    switch (opcode) {
        case WSLAY_PING:
            append_frame(WSLAY_PONG, control_, reply_);
            return Step::Reply;
        case WSLAY_CONNECTION_CLOSE:
            return closed_by_peer();
        default:
            return Step::NeedMore;  // a pong that nobody asked for (RFC 6455 §5.5.3)
    }
}

WebSocketCodec::Step WebSocketCodec::closed_by_peer() {
    uint16_t code = WSLAY_CODE_NORMAL_CLOSURE;
    if (control_.size() == 1) return refuse(WSLAY_CODE_PROTOCOL_ERROR);
    if (control_.size() >= 2) {
        code = static_cast<uint16_t>(static_cast<uint8_t>(control_[0]) << 8 |
                                     static_cast<uint8_t>(control_[1]));
        if (!is_sendable(code)) return refuse(WSLAY_CODE_PROTOCOL_ERROR);
        if (!is_utf8(std::string_view(control_).substr(2))) {
            return refuse(WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA);
        }
    }
    is_closed_well_ = true;
    append_close(code, reply_);
    return Step::Closed;
}

WebSocketCodec::Step WebSocketCodec::refuse(uint16_t code) {
    append_close(code, reply_);
    return Step::Closed;
}

void WebSocketCodec::append_frame(uint8_t opcode, std::string_view payload, std::string& out) {
    wslay_frame_iocb frame{};
    frame.fin = 1;
    frame.opcode = opcode;
    frame.payload_length = payload.size();
    frame.data = reinterpret_cast<const uint8_t*>(payload.data());
    frame.data_length = payload.size();
    output_ = &out;
    const ssize_t sent = ::wslay_frame_send(context_.get(), &frame);
    CHECK(sent == static_cast<ssize_t>(payload.size()));
}

void WebSocketCodec::append_close(uint16_t code, std::string& out) {
    const std::array<char, 2> octets{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    append_frame(WSLAY_CONNECTION_CLOSE, {octets.data(), octets.size()}, out);
}

void WebSocketCodec::append_message(std::string_view payload, std::string& out) {
    append_frame(is_utf8(payload) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, payload, out);
}

void WebSocketCodec::append_going_away(std::string& out) {
    append_close(WSLAY_CODE_GOING_AWAY, out);
}

}  // namespace signalbox::io
