// Fuzz target: the upgrade request and the frames of a WebSocket. A stream of frames means the same
// in any pieces as in one, keeps within the limit, and what we answer is well formed.
#include "io/web_socket_codec.h"

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "io/web_socket_handshake.h"

namespace signalbox::io {
namespace {

constexpr size_t kMessageBytesMax = 4096;

struct Seen {
    std::vector<std::string> messages;
    std::string replies;
    bool is_closed = false;
    bool is_between = false;
    friend bool operator==(const Seen&, const Seen&) = default;
};

/// An unmasked, final control frame.
void check_reply(std::string_view reply) {
    CHECK(reply.size() >= 2);
    const auto first = static_cast<uint8_t>(reply[0]);
    CHECK(first == 0x88 || first == 0x8a);
    CHECK(static_cast<uint8_t>(reply[1]) == reply.size() - 2);
}

void take(WebSocketCodec& codec, std::string_view input, Seen& seen) {
    while (!seen.is_closed) {
        const WebSocketCodec::Step step = codec.step(input);
        if (step == WebSocketCodec::Step::NeedMore) break;
        if (step == WebSocketCodec::Step::Message) {
            CHECK(codec.message().size() <= kMessageBytesMax);
            seen.messages.emplace_back(codec.message());
            continue;
        }
        check_reply(codec.reply());
        seen.replies += codec.reply();
        seen.is_closed = step == WebSocketCodec::Step::Closed;
    }
    seen.is_between = codec.is_between_messages();
}

void check_frames(std::string_view stream, std::string_view pieces) {
    WebSocketCodec whole_codec(kMessageBytesMax);
    Seen whole;
    take(whole_codec, stream, whole);
    WebSocketCodec codec(kMessageBytesMax);
    Seen split;
    std::string_view rest = stream;
    for (size_t i = 0; !rest.empty() && !split.is_closed; ++i) {
        const size_t piece =
            pieces.empty() ? 1 : 1 + static_cast<uint8_t>(pieces[i % pieces.size()]);
        take(codec, rest.substr(0, piece), split);
        rest.remove_prefix(std::min(piece, rest.size()));
    }
    if (whole.is_closed) whole.is_between = split.is_between = false;
    CHECK(stream.empty() || whole == split);
}

void check_upgrade(std::string_view head) {
    const std::vector<std::string> origins{"https://a.test"};
    for (const std::span<const std::string> allowed :
         {std::span<const std::string>(), std::span<const std::string>(origins)}) {
        const UpgradeAnswer answer = answer_upgrade(head, allowed);
        CHECK(answer.response.starts_with("HTTP/1.1 "));
        CHECK(answer.response.ends_with("\r\n\r\n"));
        CHECK(answer.is_accepted == answer.response.starts_with("HTTP/1.1 101 "));
    }
}

}  // namespace
}  // namespace signalbox::io

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    signalbox::fuzz::Input input(data, size);
    const bool is_upgrade = input.octet() % 2 == 0;
    if (is_upgrade) {
        signalbox::io::check_upgrade(input.rest());
        return 0;
    }
    const std::string pieces(input.text(input.octet() % 16));
    signalbox::io::check_frames(input.rest(), pieces);
    return 0;
}
