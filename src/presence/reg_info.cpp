// The document that tells a watcher which contacts an address of record has.
#include "presence/reg_info.h"

#include <array>

#include "base/text.h"
#include "sip/params.h"

namespace signalbox::presence {
namespace {

constexpr std::array<std::string_view, 7> kEvents = {
    "registered", "created", "refreshed", "shortened", "expired", "unregistered", "deactivated"};
constexpr std::array<std::string_view, 3> kStates = {"init", "active", "terminated"};

bool is_over(ContactEvent event) {
    return event == ContactEvent::Expired || event == ContactEvent::Unregistered ||
           event == ContactEvent::Deactivated;
}

/// Thousandths as "0.500".
std::string_view q_text(uint16_t q, std::array<char, 5>& text) {
    text = {static_cast<char>('0' + q / 1000), '.', static_cast<char>('0' + q / 100 % 10),
            static_cast<char>('0' + q / 10 % 10), static_cast<char>('0' + q % 10)};
    return {text.data(), text.size()};
}

}  // namespace

RegInfoWriter::RegInfoWriter(std::string& out, uint32_t version, bool is_full) : out_(out) {
    out_ +=
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\""
        " xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\"";
    attribute("version", version);
    attribute("state", is_full ? "full" : "partial");
    out_ += ">\n";
}

void RegInfoWriter::begin_registration(std::string_view aor_uri, uint64_t id,
                                       RegistrationState state) {
    out_ += "<registration";
    attribute("aor", aor_uri);
    attribute("id", id);
    attribute("state", kStates[static_cast<size_t>(state)]);
    out_ += ">\n";
}

void RegInfoWriter::add(const ContactInfo& contact, const ContactGruus& gruus) {
    out_ += "<contact";
    attribute("id", contact.id);
    attribute("state", is_over(contact.event) ? "terminated" : "active");
    attribute("event", kEvents[static_cast<size_t>(contact.event)]);
    if (!is_over(contact.event)) attribute("expires", contact.expires_s);
    std::array<char, 5> text;
    if (contact.has_q) attribute("q", q_text(contact.q, text));
    if (!contact.call_id.empty()) {
        attribute("callid", contact.call_id);
        attribute("cseq", contact.cseq);
    }
    out_ += "><uri>";
    escaped(contact.uri);
    out_ += "</uri>";
    sip::ParamWalker walker(contact.parameters);
    while (const auto param = walker.next()) {
        out_ += "<unknown-param";
        attribute("name", param->name);
        out_ += ">";
        if (param->value) escaped(*param->value);
        out_ += "</unknown-param>";
    }
    add_gruus(gruus);
    out_ += "</contact>\n";
}

/// All temporary GRUUs of one Call-ID are valid together, whichever of its REGISTERs brought them:
/// first-cseq, from which on they are, is the lowest that there can be (RFC 5627 §5.4).
void RegInfoWriter::add_gruus(const ContactGruus& gruus) {
    if (!gruus.pub.empty()) {
        out_ += "<gr:pub-gruu";
        attribute("uri", gruus.pub);
        out_ += "/>";
    }
    if (!gruus.temp.empty()) {
        out_ += "<gr:temp-gruu";
        attribute("uri", gruus.temp);
        attribute("first-cseq", uint64_t{0});
        out_ += "/>";
    }
}

void RegInfoWriter::finish() {
    out_ += "</registration>\n</reginfo>\n";
}

void RegInfoWriter::attribute(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    escaped(value);
    out_ += '"';
}

void RegInfoWriter::attribute(std::string_view name, uint64_t value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    text::append_number(out_, value);
    out_ += '"';
}

/// Text from the wire may hold octets that XML does not know: they become question marks.
void RegInfoWriter::escaped(std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '&':
                out_ += "&amp;";
                break;
            case '<':
                out_ += "&lt;";
                break;
            case '>':
                out_ += "&gt;";
                break;
            case '"':
                out_ += "&quot;";
                break;
            default:
                out_ += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e
                            ? '?'
                            : c;
        }
    }
}

}  // namespace signalbox::presence
