// Helpers of the tests of the SIP grammar: messages in few words, and errors that read as values.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "sip/check_message.h"
#include "sip/message_view.h"

namespace signalbox::sip {

/// Lines joined by CRLF, each closed by one; an empty line at the end closes the header fields.
inline std::string lines(std::initializer_list<std::string_view> all) {
    std::string out;
    for (const std::string_view line : all) {
        out += line;
        out += "\r\n";
    }
    return out;
}

/// A request that check_message() accepts, with `extra` lines behind its header fields.
inline std::string options_request(std::initializer_list<std::string_view> extra = {},
                                   std::string_view body = {}) {
    std::string out = lines(
        {"OPTIONS sip:bob@example.test SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
         "Max-Forwards: 70", "From: Alice <sip:alice@example.test>;tag=a1",
         "To: <sip:bob@example.test>", "Call-ID: call-1@192.0.2.1", "CSeq: 7 OPTIONS"});
    out += lines(extra);
    out += "\r\n";
    out += body;
    return out;
}

/// The name of the error of a result, or "ok".
template <class T>
std::string outcome(const Result<T>& result) {
    if (result) return "ok";
    return std::string(error_text(result.error().code));
}

/// A message with the octets that it views.
struct Parsed {
    explicit Parsed(std::string text) : bytes(std::move(text)) {
        result = parse_message(bytes, view);
    }
    Parsed(const Parsed&) = delete;
    Parsed& operator=(const Parsed&) = delete;

    std::string bytes;
    MessageView view;
    Result<void> result;
};

/// The outcome of parsing a whole message.
inline std::string parse_outcome(std::string text) {
    return outcome(Parsed(std::move(text)).result);
}

/// The outcome of parsing and checking a whole message.
inline std::string check_outcome(std::string text) {
    const Parsed parsed(std::move(text));
    if (!parsed.result) return outcome(parsed.result);
    return outcome(check_message(parsed.view));
}

/// `text` with each `from` replaced by `to`.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

}  // namespace signalbox::sip
