// Covers RFC 3261 §18.3 (framing by Content-Length), §7.5 and RFC 5626 §3.5.1 (CRLF keep-alives).
#include "sip/stream_framing.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

std::string message(size_t body_size) {
    return options_request({"Content-Length: " + std::to_string(body_size)},
                           std::string(body_size, 'b'));
}

/// What comes out of a stream that arrives in pieces: "M:<text>", "ping", "pong", "error: ...".
class Stream final {
 public:
    void feed(std::string_view octets) {
        buffer_ += octets;
        while (!closed_) {
            const Result<Frame> frame = framing_.next(buffer_);
            if (!frame) {
                seen_.push_back("error: " + outcome(frame));
                closed_ = true;
                return;
            }
            if (frame->kind == Frame::Kind::NeedMore) return;
            if (frame->kind == Frame::Kind::KeepAlivePing) seen_.emplace_back("ping");
            if (frame->kind == Frame::Kind::KeepAlivePong) seen_.emplace_back("pong");
            if (frame->kind == Frame::Kind::Message) {
                seen_.push_back("M:" + buffer_.substr(frame->skip, frame->size));
            }
            buffer_.erase(0, frame->skip + frame->size);
        }
    }
    const std::vector<std::string>& seen() const { return seen_; }
    const std::string& left() const { return buffer_; }
    size_t header_size() const { return framing_.header_size(); }

 private:
    StreamFraming framing_;
    std::string buffer_;
    std::vector<std::string> seen_;
    bool closed_ = false;
};

using Seen = std::vector<std::string>;

Seen frames_of(std::string_view octets) {
    Stream stream;
    stream.feed(octets);
    return stream.seen();
}

TEST(StreamFraming_Rfc3261_18_3, MessagesEndWhereContentLengthSays) {
    Stream stream;
    stream.feed(message(3) + message(0) + message(5) + "OPT");
    EXPECT_EQ(stream.seen(), (Seen{"M:" + message(3), "M:" + message(0), "M:" + message(5)}));
    EXPECT_EQ(stream.left(), "OPT");
}

TEST(StreamFraming_Rfc3261_18_3, OctetByOctetGivesTheSameFrames) {
    const std::string octets = message(3) + "\r\n\r\n" + message(0) + "\r\n" + message(1);
    Stream stream;
    for (const char octet : octets) stream.feed({&octet, 1});
    EXPECT_EQ(stream.seen(), frames_of(octets));
    EXPECT_EQ(stream.seen(),
              (Seen{"M:" + message(3), "ping", "M:" + message(0), "pong", "M:" + message(1)}));
}

TEST(StreamFraming_Behaviour, RandomPiecesGiveTheSameFrames) {
    const std::string octets = "\r\n\r\n\r\n" + message(20) + "\r\n\r\n\r\n\r\n" + message(0) +
                               "\r\n" + message(300) + "\r\n";
    const Seen whole = frames_of(octets);
    std::mt19937 random(3261);
    for (int round = 0; round < 500; ++round) {
        Stream stream;
        for (size_t at = 0; at < octets.size();) {
            const size_t size = 1 + random() % 60;
            stream.feed(std::string_view(octets).substr(at, size));
            at += size;
        }
        ASSERT_EQ(stream.seen(), whole) << round;
    }
}

TEST(StreamFraming_Rfc5626_3_5_1, DoubleCrlfIsAPingAndALoneOneAPong) {
    EXPECT_EQ(frames_of("\r\n\r\n"), Seen{"ping"});
    EXPECT_EQ(frames_of("\r\n\r\n\r\n\r\n"), (Seen{"ping", "ping"}));
    EXPECT_EQ(frames_of("\r\n" + message(0)), (Seen{"pong", "M:" + message(0)}));
    EXPECT_EQ(frames_of("\r\n"), Seen{});
    EXPECT_EQ(frames_of("\r\n\r"), Seen{});
    EXPECT_EQ(frames_of("\r"), Seen{});
}

TEST(StreamFraming_Behaviour, WhatCannotBeginAMessageIsRefusedAtOnce) {
    for (const char* octets :
         {"\n", " OPTIONS", "\r\r", "\rX", "\r\n\rX", "\x16\x03\x01", "{", ":"}) {
        EXPECT_EQ(frames_of(octets), Seen{"error: Malformed Request-Line"}) << octets;
    }
    EXPECT_EQ(frames_of(std::string(1, '\0')), Seen{"error: Malformed Request-Line"});
}

std::string with_length(std::string_view line, std::string_view body = "") {
    return options_request({line}, body);
}

TEST(StreamFraming_Rfc3261_18_3, ContentLengthIsFoundInEveryForm) {
    for (const char* line :
         {"Content-Length: 2", "l:2", "L : 2", "CONTENT-LENGTH\t:\r\n  2 ", "Content-Length: 0002",
          "Subject: x\r\nl: 2", "Content-Length: 2\r\nl: 2"}) {
        EXPECT_EQ(frames_of(with_length(line, "bb")), Seen{"M:" + with_length(line, "bb")}) << line;
    }
}

TEST(StreamFraming_Rfc3261_18_3, AMissingOrMalformedContentLengthEndsTheStream) {
    for (const char* line : {"Subject: Content-Length: 2", "Subject: a\r\n Content-Length: 2",
                             "Content-Length:", "Content-Length: -1", "Content-Length: 2, 2",
                             "Content-Length: 4294967296", "Content-Length: 1\r\n 0",
                             "Content-Lengths: 2", "Content-Length 2"}) {
        EXPECT_EQ(frames_of(with_length(line)), Seen{"error: Malformed Content-Length"}) << line;
    }
}

TEST(StreamFraming_Rfc3261_18_3, ContradictingContentLengthsEndTheStream) {
    EXPECT_EQ(frames_of(with_length("Content-Length: 2\r\nl: 3", "bbb")),
              Seen{"error: More than one Content-Length"});
}

TEST(StreamFraming_Behaviour, TheBodyOfAMessageMayNotCarryItOverTheLimit) {
    const std::string line = "Content-Length: 65000";
    const size_t head = with_length(line).size();
    const size_t most = StreamFraming::kMessageBytesMax - head;
    const std::string fits = "Content-Length: " + std::to_string(most);
    ASSERT_EQ(with_length(fits).size(), head);
    const std::string whole = with_length(fits, std::string(most, 'b'));
    EXPECT_EQ(frames_of(whole), Seen{"M:" + whole});
    EXPECT_EQ(frames_of(with_length("Content-Length: " + std::to_string(most + 1))),
              Seen{"error: Message too large"});
    EXPECT_EQ(frames_of(with_length("Content-Length: 4294967295")),
              Seen{"error: Message too large"});
}

TEST(StreamFraming_Behaviour, HeadersHaveAtMostKHeaderBytesMaxOctets) {
    const size_t most = StreamFraming::kHeaderBytesMax;
    const std::string line = "l: 0\r\nSubject: ";
    const size_t rest = with_length(line).size();
    const std::string fits = with_length(line + std::string(most - rest, 'x'));
    ASSERT_EQ(fits.size(), most);
    EXPECT_EQ(frames_of(fits), Seen{"M:" + fits});
    const std::string over = with_length(line + std::string(most - rest + 1, 'x'));
    EXPECT_EQ(frames_of(over), Seen{"error: Message too large"});
    Stream pieces;
    for (size_t at = 0; at < over.size(); at += 1000) pieces.feed(over.substr(at, 1000));
    EXPECT_EQ(pieces.seen(), Seen{"error: Message too large"});
    EXPECT_EQ(pieces.header_size(), 0U);
}

TEST(StreamFraming_Behaviour, AfterAnErrorHeaderSizeTellsWhetherTheHeadersAreWhole) {
    Stream stream;
    stream.feed(with_length("Content-Length: x", "body"));
    EXPECT_EQ(stream.header_size(), with_length("Content-Length: x").size());
    Stream garbage;
    garbage.feed("\x16\x03");
    EXPECT_EQ(garbage.header_size(), 0U);
}

TEST(StreamFraming_Behaviour, AnErrorIsGivenAgain) {
    StreamFraming framing;
    const std::string bad = with_length("Content-Length: x");
    EXPECT_FALSE(framing.next(bad));
    EXPECT_FALSE(framing.next(bad));
}

}  // namespace
}  // namespace signalbox::sip
