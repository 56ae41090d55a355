// WebSocket frames as a server reads and writes them.
// Covers RFC 6455 §5.2 (lengths, reserved bits), §5.1 (masking), §5.4, §5.5, §5.7 (the examples),
// §7.4, §8.1, §10.4 (limits), RFC 7118 §5. Not covered: extensions, which are never agreed on.
#include "io/web_socket_codec.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include "io/utf8.h"

namespace signalbox::io {
namespace {

using Step = WebSocketCodec::Step;

constexpr size_t kMax = 65535;

struct Frame {
    uint8_t opcode = 1;
    std::string payload;
    bool fin = true;
    bool masked = true;
    uint8_t reserved = 0;
};

std::string octets(const Frame& frame) {
    std::string out;
    const size_t size = frame.payload.size();
    out += static_cast<char>((frame.fin ? 0x80 : 0) | frame.reserved << 4 | frame.opcode);
    const int mask_bit = frame.masked ? 0x80 : 0;
    if (size <= 125) {
        out += static_cast<char>(mask_bit | static_cast<int>(size));
    } else if (size <= 65535) {
        out += static_cast<char>(mask_bit | 126);
        out += static_cast<char>(size >> 8);
        out += static_cast<char>(size & 0xff);
    } else {
        out += static_cast<char>(mask_bit | 127);
        for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
    }
    if (!frame.masked) return out + frame.payload;
    const std::string mask = "\x37\xfa\x21\x3d";
    out += mask;
    for (size_t i = 0; i < size; ++i) out += static_cast<char>(frame.payload[i] ^ mask[i % 4]);
    return out;
}

std::string close_frame(int code) {
    return {'\x88', 2, static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
}

/// What a stream of octets means, given in pieces of `piece` octets.
struct Reading {
    explicit Reading(const std::string& stream, size_t piece = SIZE_MAX, size_t max = kMax)
        : codec(max) {
        for (size_t at = 0; at < stream.size() && !is_closed;
             at += std::min(piece, stream.size())) {
            std::string_view input = std::string_view(stream).substr(at, piece);
            take(input);
        }
    }
    void take(std::string_view input) {
        for (;;) {
            switch (codec.step(input)) {
                case Step::NeedMore:
                    EXPECT_TRUE(input.empty());
                    return;
                case Step::Message:
                    messages.emplace_back(codec.message());
                    break;
                case Step::Reply:
                    replies += codec.reply();
                    break;
                case Step::Closed:
                    replies += codec.reply();
                    is_closed = true;
                    return;
            }
        }
    }

    WebSocketCodec codec;
    std::vector<std::string> messages;
    std::string replies;
    bool is_closed = false;
};

/// The code with which the codec refuses a stream; 0: it does not.
int refusal(const std::string& stream, size_t max = kMax) {
    const Reading reading(stream, SIZE_MAX, max);
    if (!reading.is_closed || reading.codec.is_closed_well()) return 0;
    const std::string& reply = reading.replies;
    EXPECT_EQ(reply.substr(0, 2), std::string("\x88\x02", 2));
    return static_cast<uint8_t>(reply[2]) << 8 | static_cast<uint8_t>(reply[3]);
}

TEST(WebSocketCodec_Rfc6455_5_7, ReadsTheMaskedHello) {
    const Reading reading("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    EXPECT_THAT(reading.messages, ::testing::ElementsAre("Hello"));
    EXPECT_TRUE(reading.codec.is_between_messages());
}

TEST(WebSocketCodec_Rfc6455_5_7, WritesTheUnmaskedHello) {
    WebSocketCodec codec(kMax);
    std::string out;
    codec.append_message("Hello", out);
    EXPECT_EQ(out, "\x81\x05Hello");
}

TEST(WebSocketCodec_Rfc6455_5_2, LengthsOfAllThreeForms) {
    for (const size_t size : {0u, 1u, 125u, 126u, 127u, 4096u, 5000u, 65535u}) {
        const std::string payload(size, 'a');
        const Reading reading(octets({2, payload}) + octets({1, payload}));
        EXPECT_THAT(reading.messages, ::testing::ElementsAre(payload, payload)) << size;
        WebSocketCodec codec(kMax);
        std::string out;
        codec.append_message(payload, out);
        EXPECT_EQ(out, octets({1, payload, true, false})) << size;
    }
}

TEST(WebSocketCodec_Rfc6455_5_4, PiecesOfAnySizeMeanTheSame) {
    const std::string stream = octets({1, "one"}) + octets({1, std::string(6000, 'x'), false}) +
                               octets({9, "ping"}) + octets({0, "end"}) + octets({2, "\xff"});
    for (const size_t piece :
         {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{4095}, SIZE_MAX}) {
        const Reading reading(stream, piece);
        EXPECT_THAT(reading.messages,
                    ::testing::ElementsAre("one", std::string(6000, 'x') + "end", "\xff"));
        EXPECT_EQ(reading.replies, "\x8a\x04ping") << "a control frame between fragments";
        EXPECT_TRUE(reading.codec.is_between_messages());
    }
}

TEST(WebSocketCodec_Rfc6455_5_4, FragmentsOutOfOrderAreRefused) {
    EXPECT_EQ(refusal(octets({0, "x"})), 1002);
    EXPECT_EQ(refusal(octets({1, "x", false}) + octets({1, "y"})), 1002);
    EXPECT_EQ(refusal(octets({1, "x", false}) + octets({0, "y"})), 0);
}

TEST(WebSocketCodec_Rfc6455_5_4, AMessageThatIsNotWholeIsNoMessage) {
    const Reading fragment(octets({1, "x", false}));
    EXPECT_THAT(fragment.messages, ::testing::IsEmpty());
    EXPECT_FALSE(fragment.codec.is_between_messages());
    const std::string frame = octets({1, "Hello"});
    for (size_t size = 1; size < frame.size(); ++size) {
        EXPECT_FALSE(Reading(frame.substr(0, size)).codec.is_between_messages()) << size;
    }
}

TEST(WebSocketCodec_Rfc6455_5_1, AnUnmaskedFrameIsRefused) {
    EXPECT_EQ(refusal(octets({1, "Hello", true, false})), 1002);
    EXPECT_EQ(refusal(octets({9, "", true, false})), 1002);
}

TEST(WebSocketCodec_Rfc6455_5_2, ReservedBitsAndOpcodesAreRefused) {
    for (const uint8_t bit : {uint8_t{1}, uint8_t{2}, uint8_t{4}}) {
        EXPECT_EQ(refusal(octets({1, "x", true, true, bit})), 1002) << int{bit};
    }
    for (const uint8_t opcode : {uint8_t{3}, uint8_t{7}, uint8_t{11}, uint8_t{15}}) {
        EXPECT_EQ(refusal(octets({opcode, "x"})), 1002) << int{opcode};
    }
}

TEST(WebSocketCodec_Rfc6455_5_5, ControlFramesAreShortAndWhole) {
    EXPECT_EQ(refusal(octets({9, std::string(125, 'x')})), 0);
    EXPECT_EQ(refusal(octets({9, std::string(126, 'x')})), 1002);
    EXPECT_EQ(refusal(octets({9, "x", false})), 1002);
}

TEST(WebSocketCodec_Rfc6455_5_5_3, APingIsAnsweredWithItsOctets) {
    const Reading reading(octets({9, "Hello"}) + octets({10, "unasked"}) + octets({9, ""}));
    EXPECT_EQ(reading.replies, std::string("\x8a\x05Hello\x8a\x00", 9));
    EXPECT_FALSE(reading.is_closed);
}

TEST(WebSocketCodec_Rfc6455_5_5_1, ACloseIsAnsweredWithItsCode) {
    const auto closing = [](const std::string& payload) { return Reading(octets({8, payload})); };
    EXPECT_EQ(closing("").replies, close_frame(1000));
    EXPECT_EQ(closing(std::string("\x03\xe9", 2) + "bye").replies, close_frame(1001));
    EXPECT_TRUE(closing("").codec.is_closed_well());
    EXPECT_TRUE(closing("").is_closed);
}

TEST(WebSocketCodec_Rfc6455_7_4, CodesThatNobodyMaySendAreRefused) {
    const auto with = [](int code) {
        return refusal(octets({8, {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}}));
    };
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535}) {
        EXPECT_EQ(with(code), 1002) << code;
    }
    for (const int code : {1000, 1003, 1007, 1011, 3000, 4999}) EXPECT_EQ(with(code), 0) << code;
    EXPECT_EQ(refusal(octets({8, "x"})), 1002);
    EXPECT_EQ(refusal(octets({8, "\x03\xe8\xff"})), 1007);
}

TEST(WebSocketCodec_Rfc6455_8_1, TextMustBeUtf8AndOctetsNeedNot) {
    EXPECT_EQ(refusal(octets({1, "\xff"})), 1007);
    EXPECT_EQ(refusal(octets({2, "\xff"})), 0);
    EXPECT_EQ(refusal(octets({1, "\xc3", false}) + octets({0, "\xbc"})), 0);
    EXPECT_EQ(refusal(octets({1, "\xc3", false}) + octets({0, "x"})), 1007);
}

TEST(WebSocketCodec_Rfc6455_10_4, AMessagePastTheLimitIsRefusedBeforeItArrives) {
    EXPECT_EQ(refusal(octets({1, std::string(100, 'x')}), 100), 0);
    EXPECT_EQ(refusal(octets({1, std::string(101, 'x')}).substr(0, 7), 100), 1009);
    EXPECT_EQ(
        refusal(octets({1, std::string(60, 'x'), false}) + octets({0, std::string(41, 'x')}), 100),
        1009);
    std::string huge = octets({1, std::string(70000, 'x')}).substr(0, 15);
    huge[2] = '\x7f';
    EXPECT_EQ(refusal(huge), 1009);
}

TEST(WebSocketCodec_Rfc7118_5, AMessageIsTextWhereItIsUtf8) {
    WebSocketCodec codec(kMax);
    std::string out;
    codec.append_message("caf\xc3\xa9", out);
    codec.append_message("caf\xe9", out);
    EXPECT_EQ(out,
              "\x81\x05"
              "caf\xc3\xa9"
              "\x82\x04"
              "caf\xe9");
}

TEST(WebSocketCodec_Behaviour, AnIdleConnectionCostsLessThan8KiB) {
    constexpr size_t kCodecs = 100;
    const std::string stream = octets({1, std::string(30000, 'x'), false}) +
                               octets({0, std::string(10000, 'y')}) + octets({9, "ping"});
    std::vector<std::unique_ptr<WebSocketCodec>> codecs;
    codecs.reserve(kCodecs);
    const size_t before = ::mallinfo2().uordblks;
    for (size_t i = 0; i < kCodecs; ++i) {
        codecs.push_back(std::make_unique<WebSocketCodec>(kMax));
        std::string_view input = stream;
        while (codecs.back()->step(input) != Step::NeedMore) {
        }
    }
    [[maybe_unused]] const size_t each = (::mallinfo2().uordblks - before) / kCodecs;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LE(each, 8u * 1024);
    EXPECT_GT(each, 1024u) << "the measure itself is broken";
#endif
}

TEST(Utf8_Rfc3629_3, EveryCharacterHasOneForm) {
    for (const char* good :
         {"\x7f", "A\xe2\x89\xa2\xce\x91.", "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4",
          "\xef\xbb\xbf\xf0\xa3\x8e\xb4"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
    }
    EXPECT_FALSE(is_utf8("\xfe")) << "an octet that never appears";
    EXPECT_FALSE(is_utf8("\xff"));
    EXPECT_FALSE(is_utf8("\xed\xa1\x8c\xed\xbe\xb4")) << "a pair of surrogates";
    EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8_Rfc3629_4, OverlongFormsSurrogatesAndCutSequencesAreNone) {
    for (const char* good :
         {"", "plain text that is long", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf",
          "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xe2\x82\xac"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
    }
    for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82",
                            "\xf0\x90\x80", "1234567\xc3", "\xc3\x28"}) {
        EXPECT_FALSE(is_utf8(bad)) << bad;
    }
}

}  // namespace
}  // namespace signalbox::io
