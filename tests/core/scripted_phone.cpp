// Phones that do what a test tells them.
#include "tests/core/scripted_phone.h"

#include <algorithm>
#include <stdexcept>

#include "crypto/digest.h"
#include "sip/check_message.h"
#include "sip/response_builder.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {

namespace {

[[noreturn]] void unexpected(const Phone& phone, const std::string& wanted,
                             const std::string& got) {
    throw std::runtime_error(phone.place().user + " expected " + wanted + " but got:\n" + got);
}

/// Only a 400 may copy what was wrong in the request.
void check_form(const Phone& phone, const Message& message) {
    const auto checked = sip::check_message(message.view());
    if (checked || message.status() == 400) return;
    unexpected(phone, "a SIP message (" + std::string(error_text(checked.error().code)) + ")",
               message.text());
}

std::string hex_digest(std::initializer_list<std::string_view> parts) {
    crypto::Digester digester;
    return digester.digest(crypto::DigestAlgorithm::Md5, parts).hex();
}

}  // namespace

std::string Incoming::response(int status, const std::vector<std::string>& more,
                               const std::string& body) const {
    std::string out = "SIP/2.0 " + std::to_string(status) + " " +
                      std::string(sip::default_reason(status)) + "\r\n";
    for (const sip::HeaderField& field : request_.view().headers()) {
        const bool is_copied = field.id == sip::HeaderId::Via ||
                               field.id == sip::HeaderId::RecordRoute ||
                               field.id == sip::HeaderId::From ||
                               field.id == sip::HeaderId::CallId || field.id == sip::HeaderId::CSeq;
        const std::string value(request_.view().value(field));
        const std::string name(request_.view().name(field));
        if (is_copied) out.append(name).append(": ").append(value).append("\r\n");
        if (field.id != sip::HeaderId::To) continue;
        out += "To: " + value;
        if (status > 100 && request_.tag("To").empty()) out += ";tag=" + to_tag;
        out += "\r\n";
    }
    if (status > 100 && status < 300) out += "Contact: <" + phone_->contact() + ">\r\n";
    for (const std::string& line : more) out += line + "\r\n";
    return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const Incoming& Incoming::answers(int status, const std::vector<std::string>& more,
                                  const std::string& body) const {
    phone_->send_text(response(status, more, body));
    return *this;
}

Dialog Incoming::dialog() const {
    Dialog dialog;
    dialog.call_id = request_.header("Call-ID");
    dialog.local = request_.header("To");
    if (request_.tag("To").empty()) dialog.local += ";tag=" + to_tag;
    dialog.remote = request_.header("From");
    dialog.remote_target = uri_of(request_.header("Contact"));
    dialog.routes = request_.values("Record-Route");
    dialog.cseq = 100;
    return dialog;
}

Outgoing& Outgoing::expect(int status) {
    response_ = phone_->expect(status);
    if (response_.header("Call-ID") != request_.call_id ||
        response_.branch() != request_.branch()) {
        unexpected(*phone_, "a response to its request", response_.text());
    }
    return *this;
}

Dialog Outgoing::dialog() const {
    Dialog dialog;
    dialog.call_id = request_.call_id;
    dialog.local = request_.from;
    dialog.remote = response_.header("To");
    dialog.remote_target = uri_of(response_.header("Contact"));
    dialog.routes = response_.values("Record-Route");
    std::reverse(dialog.routes.begin(), dialog.routes.end());
    dialog.cseq = request_.cseq;
    return dialog;
}

Outgoing& Outgoing::ack() {
    if (response_.status() < 300) {
        Dialog made = dialog();
        RequestText ack = phone_->make_in(made, "ACK");
        ack.cseq = request_.cseq;
        phone_->send_text(ack.text());
        return *this;
    }
    RequestText ack = request_;
    ack.method = "ACK";
    ack.to = response_.header("To");
    ack.contact.clear();
    ack.more.clear();
    ack.body.clear();
    phone_->send_text(ack.text());
    return *this;
}

Outgoing& Outgoing::cancel(const std::vector<std::string>& more) {
    RequestText cancel = request_;
    cancel.method = "CANCEL";
    cancel.contact.clear();
    cancel.more = more;
    cancel.body.clear();
    phone_->send_text(cancel.text());
    return *this;
}

Outgoing& Outgoing::retransmit() {
    phone_->send_text(request_.text());
    return *this;
}

Phone::Phone(World& world, const Place& place, uint32_t connection) : world_(world), place_(place) {
    flow_.transport = place.transport;
    flow_.remote = *Endpoint::parse(place.address);
    const bool v6 = flow_.remote.address.family == Family::V6;
    flow_.listener = static_cast<uint16_t>((v6 ? 2 : 0) +
                                           (place.transport == transport::Transport::Tcp ? 1 : 0));
    flow_.local = *Endpoint::parse(v6 ? "[2001:db8::1]:5060" : "192.0.2.1:5060");
    if (place.transport == transport::Transport::Tcp) {
        flow_.connection = connection;
        flow_.generation = 1;
    }
}

std::string Phone::contact() const {
    const std::string& address =
        place_.contact_address.empty() ? place_.address : place_.contact_address;
    return "sip:" + place_.user + "@" + address +
           (place_.transport == transport::Transport::Tcp ? ";transport=tcp" : "");
}

std::string Phone::fresh_via() {
    const std::string& address =
        place_.contact_address.empty() ? place_.address : place_.contact_address;
    return "SIP/2.0/" + std::string(transport_name(place_.transport)) + " " + address +
           ";branch=z9hG4bK" + place_.user + std::to_string(++next_) + (asks_rport ? ";rport" : "");
}

RequestText Phone::make(std::string_view method, std::string_view uri) {
    RequestText request;
    request.method = method;
    request.uri = uri;
    request.via = fresh_via();
    const std::string number = std::to_string(++next_);
    request.from = "<" + aor() + ">;tag=" + place_.user + number;
    request.to = "<" + request.uri + ">";
    request.call_id = "call-" + number + "@" + place_.user;
    request.contact = "<" + contact() + ">";
    return request;
}

RequestText Phone::make_in(Dialog& dialog, std::string_view method) {
    RequestText request = make(method, dialog.remote_target);
    request.routes = dialog.routes;
    request.from = dialog.local;
    request.to = dialog.remote;
    request.call_id = dialog.call_id;
    request.cseq = ++dialog.cseq;
    return request;
}

Outgoing Phone::send(RequestText request) {
    send_text(request.text());
    return Outgoing(*this, std::move(request));
}

void Phone::send_text(std::string_view text) {
    world_.receive(flow_, text);
}

RequestText Phone::with_credentials(const RequestText& request, const Message& response,
                                    std::string_view password) {
    const bool is_proxy = response.status() == 407;
    const std::string value = response.header(is_proxy ? "Proxy-Authenticate" : "WWW-Authenticate");
    const auto challenge = sip::parse_challenge(value);
    if (!challenge) unexpected(*this, "a challenge", response.text());
    const std::string name = user_name.empty() ? place_.user : user_name;
    const std::string nc = "0000000" + std::to_string(1 + nonce_count_++ % 9);
    const std::string ha1 = hex_digest({name, ":", challenge->realm, ":", password});
    const std::string ha2 = hex_digest({request.method, ":", request.uri});
    const std::string digest =
        hex_digest({ha1, ":", challenge->nonce, ":", nc, ":", "c0ffee", ":auth:", ha2});
    RequestText again = request;
    again.via = fresh_via();
    ++again.cseq;
    std::string line = is_proxy ? "Proxy-Authorization" : "Authorization";
    line += ": Digest username=\"" + name + "\", realm=\"" + std::string(challenge->realm) +
            "\", nonce=\"" + std::string(challenge->nonce) + "\", uri=\"" + request.uri +
            "\", response=\"" + digest + "\", algorithm=MD5, cnonce=\"c0ffee\", qop=auth, nc=" + nc;
    if (!challenge->opaque.empty()) line += ", opaque=\"" + std::string(challenge->opaque) + "\"";
    return again.with(line);
}

RequestText Phone::registration(uint32_t expires_s) {
    RequestText request = make("REGISTER", "sip:" + place_.domain);
    request.to = "<" + aor() + ">";
    return request.with("Expires: " + std::to_string(expires_s));
}

Message Phone::take() {
    if (inbox_.empty()) unexpected(*this, "a message", "nothing");
    Message message = std::move(inbox_.front());
    inbox_.pop_front();
    return message;
}

Incoming Phone::expects(std::string_view method) {
    if (inbox_.empty()) unexpected(*this, std::string(method), "nothing");
    Message message = take();
    if (!message.is_request() || message.method() != method)
        unexpected(*this, std::string(method), message.text());
    check_form(*this, message);
    Incoming incoming(*this, std::move(message));
    incoming.to_tag = place_.user + "-tag";
    return incoming;
}

Message Phone::expect(int status) {
    if (inbox_.empty()) unexpected(*this, std::to_string(status), "nothing");
    Message message = take();
    if (message.is_request() || message.status() != status)
        unexpected(*this, std::to_string(status), message.text());
    check_form(*this, message);
    return message;
}

std::string Phone::take_kinds() {
    std::string kinds;
    while (!inbox_.empty()) kinds += (kinds.empty() ? "" : " ") + take().kind();
    return kinds;
}

}  // namespace signalbox::core::testing
