// Test helper: a DNS server on loopback, UDP and TCP, which answers as a test tells it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/io/loopback.h"

namespace signalbox::io {

/// Builds DNS messages octet by octet.
class DnsText final {
 public:
    DnsText& u16(uint32_t value) {
        text_ += static_cast<char>(value >> 8);
        text_ += static_cast<char>(value);
        return *this;
    }
    DnsText& u32(uint32_t value) { return u16(value >> 16).u16(value & 0xffff); }
    /// "a.test", or "" for the root.
    DnsText& name(std::string_view name) {
        while (!name.empty()) {
            const size_t dot = std::min(name.find('.'), name.size());
            text_ += static_cast<char>(dot);
            text_ += name.substr(0, dot);
            name.remove_prefix(std::min(dot + 1, name.size()));
        }
        text_ += '\0';
        return *this;
    }
    DnsText& string(std::string_view text) {
        text_ += static_cast<char>(text.size());
        text_ += text;
        return *this;
    }
    DnsText& raw(std::string_view text) {
        text_ += text;
        return *this;
    }
    const std::string& text() const { return text_; }

 private:
    std::string text_;
};

inline std::string srv_data(uint16_t priority, uint16_t weight, uint16_t port,
                            std::string_view target) {
    return DnsText().u16(priority).u16(weight).u16(port).name(target).text();
}
inline std::string naptr_data(uint16_t order, uint16_t preference, std::string_view service,
                              std::string_view replacement) {
    return DnsText()
        .u16(order)
        .u16(preference)
        .string("s")
        .string(service)
        .string("")
        .name(replacement)
        .text();
}

struct DnsRecordText {
    uint16_t type = 1;
    uint32_t ttl = 60;
    std::string data;
    std::string owner;  // empty: the name of the question
};

struct DnsAnswerText {
    int rcode = 0;
    std::vector<DnsRecordText> answers, authorities;
};

/// An answer to `question`, a whole message.
inline std::string dns_message(const std::string& question, const DnsAnswerText& answer,
                               bool is_truncated = false) {
    size_t end = 12;
    while (question[end] != 0) end += static_cast<unsigned char>(question[end]) + 1u;
    end += 5;
    DnsText out;
    out.raw(question.substr(0, 2))
        .u16(0x8180u | static_cast<unsigned>(answer.rcode) | (is_truncated ? 0x200u : 0u))
        .u16(1)
        .u16(is_truncated ? 0 : static_cast<uint32_t>(answer.answers.size()))
        .u16(is_truncated ? 0 : static_cast<uint32_t>(answer.authorities.size()))
        .u16(0)
        .raw(question.substr(12, end - 12));
    if (is_truncated) return out.text();
    for (const auto* section : {&answer.answers, &answer.authorities}) {
        for (const DnsRecordText& record : *section) {
            if (record.owner.empty()) {
                out.u16(0xc00c);
            } else {
                out.name(record.owner);
            }
            out.u16(record.type).u16(1).u32(record.ttl);
            out.u16(static_cast<uint32_t>(record.data.size())).raw(record.data);
        }
    }
    return out.text();
}

class NameServer final {
 public:
    struct Question {
        std::string name;  // "a.test"
        uint16_t type = 0;
    };
    NameServer() : udp_(open_or_fail(transport::Transport::Udp, own_loopback())) {
        tcp_ = open_or_fail(transport::Transport::Tcp, local_endpoint(udp_.get()));
    }
    std::string address() const { return local_endpoint(udp_.get()).to_string(); }

    std::function<DnsAnswerText(const Question&)> answer = [](const Question&) {
        return DnsAnswerText{};
    };
    std::function<bool(const Question&)> drops = [](const Question&) { return false; };
    bool hangs = false;
    bool truncates = false;  // over UDP
    bool babbles = false;    // sends what is no answer first
    int udp_questions = 0;
    int tcp_questions = 0;

    /// Answers all that has come; never waits.
    void serve() {
        serve_datagrams();
        for (;;) {
            FileDescriptor client(
                ::accept4(tcp_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!client) break;
            clients_.push_back({std::move(client), {}});
        }
        for (Client& client : clients_) serve_stream(client);
    }

 private:
    struct Client {
        FileDescriptor socket;
        std::string input;
    };
    static Question read(const std::string& message) {
        Question question;
        size_t at = 12;
        while (message[at] != 0) {
            const auto size = static_cast<unsigned char>(message[at]);
            if (!question.name.empty()) question.name += '.';
            question.name += message.substr(at + 1, size);
            at += size + 1u;
        }
        question.type = static_cast<uint16_t>(static_cast<unsigned char>(message[at + 1]) << 8 |
                                              static_cast<unsigned char>(message[at + 2]));
        return question;
    }
    void serve_datagrams() {
        char buffer[512];
        for (;;) {
            SocketAddress from{};
            socklen_t size = sizeof(from);
            const ssize_t length =
                ::recvfrom(udp_.get(), buffer, sizeof(buffer), MSG_DONTWAIT, &from.any, &size);
            if (length <= 0) return;
            ++udp_questions;
            if (hangs) continue;
            const std::string message(buffer, static_cast<size_t>(length));
            if (drops(read(message))) continue;
            if (babbles) ::sendto(udp_.get(), "\x01\x02noise", 7, 0, &from.any, size);
            const std::string reply = dns_message(message, answer(read(message)), truncates);
            ::sendto(udp_.get(), reply.data(), reply.size(), 0, &from.any, size);
        }
    }
    void serve_stream(Client& client) {
        char buffer[4096];
        const ssize_t length = ::recv(client.socket.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
        if (length > 0) client.input.append(buffer, static_cast<size_t>(length));
        while (client.input.size() >= 2) {
            const size_t size = static_cast<size_t>(static_cast<unsigned char>(client.input[0]))
                                    << 8 |
                                static_cast<unsigned char>(client.input[1]);
            if (client.input.size() < size + 2) return;
            const std::string message = client.input.substr(2, size);
            client.input.erase(0, size + 2);
            ++tcp_questions;
            if (hangs) continue;
            const std::string reply = dns_message(message, answer(read(message)));
            write_all(client.socket,
                      DnsText().u16(static_cast<uint32_t>(reply.size())).raw(reply).text());
        }
    }

    FileDescriptor udp_, tcp_;
    std::vector<Client> clients_;
};

}  // namespace signalbox::io
