// Fuzz target: a stream gives the same frames in any pieces as in one, and never more octets than
// came.
#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "sip/message_view.h"
#include "sip/stream_framing.h"

namespace signalbox::sip {
namespace {

struct Seen {
    Frame::Kind kind;
    size_t begin, size;
    friend bool operator==(const Seen&, const Seen&) = default;
};

struct Outcome {
    std::vector<Seen> frames;
    bool failed = false;
    ErrorCode error = ErrorCode::malformed;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Takes frames from `available` octets of the stream until it needs more.
void drain(StreamFraming& framing, std::string_view available, size_t& consumed, Outcome& out) {
    while (!out.failed) {
        const std::string_view buffer = available.substr(consumed);
        const Result<Frame> frame = framing.next(buffer);
        if (!frame) {
            out.failed = true;
            out.error = frame.error().code;
            CHECK(framing.header_size() <= StreamFraming::kHeaderBytesMax);
            return;
        }
        if (frame->kind == Frame::Kind::NeedMore) return;
        CHECK(frame->size > 0);
        CHECK(frame->skip + frame->size <= buffer.size());
        CHECK(frame->size <= StreamFraming::kMessageBytesMax);
        out.frames.push_back({frame->kind, consumed + frame->skip, frame->size});
        consumed += frame->skip + frame->size;
    }
}

/// A frame that parses as a message is one message: nothing of it is left over.
void check_messages(std::string_view stream, const Outcome& outcome) {
    for (const Seen& seen : outcome.frames) {
        if (seen.kind != Frame::Kind::Message) continue;
        MessageView view;
        if (!parse_message(stream.substr(seen.begin, seen.size), view)) continue;
        CHECK(view.bytes().size() == seen.size);
    }
}

}  // namespace
}  // namespace signalbox::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace signalbox::sip;
    signalbox::fuzz::Input input(data, size);
    const std::string pieces(input.text(input.octet() % 32));
    const std::string stream(input.rest());

    StreamFraming whole_framing;
    Outcome whole;
    size_t whole_consumed = 0;
    drain(whole_framing, stream, whole_consumed, whole);

    StreamFraming framing;
    Outcome split;
    size_t consumed = 0;
    size_t available = 0;
    for (size_t i = 0; available < stream.size() && !split.failed; ++i) {
        const auto piece =
            pieces.empty() ? uint8_t{0} : static_cast<uint8_t>(pieces[i % pieces.size()]);
        available = std::min(stream.size(), available + 1 + piece);
        drain(framing, std::string_view(stream).substr(0, available), consumed, split);
    }
    CHECK(whole == split);
    check_messages(stream, whole);
    return 0;
}
