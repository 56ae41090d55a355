// The document that tells a watcher which contacts an address of record has.
// Implements: RFC 3680 §5; RFC 5628 §5
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox::presence {

/// What became of a contact (RFC 3680 §5.3).
enum class ContactEvent : uint8_t {
    Registered,    // it is there: told in a full document
    Created,       // it was registered since the last document
    Refreshed,     // its registration was renewed
    Shortened,     // it was renewed for less time than it had
    Expired,       // its time was up
    Unregistered,  // it was removed
    Deactivated,   // the operator ended it
};

/// One contact of a document. Views: for the call.
struct ContactInfo {
    uint64_t id = 0;  // the same in every document
    ContactEvent event = ContactEvent::Registered;
    std::string_view uri;
    std::string_view parameters;  // header parameters of the Contact
    std::string_view call_id;     // empty: not told
    uint32_t cseq = 0;
    uint16_t q = 1000;
    bool has_q = false;
    uint64_t expires_s = 0;
};

/// The GRUUs of a contact (RFC 5628 §5). Views: for the call; empty: it has none.
struct ContactGruus {
    std::string_view pub, temp;
};

enum class RegistrationState : uint8_t { Init, Active, Terminated };

/// Writes one document of one address of record: begin, each contact, finish.
class RegInfoWriter final {
 public:
    /// Appends to `out`. A full document shows all contacts, a partial one those that changed since
    /// the version before.
    RegInfoWriter(std::string& out, uint32_t version, bool is_full);
    void begin_registration(std::string_view aor_uri, uint64_t id, RegistrationState state);
    void add(const ContactInfo& contact, const ContactGruus& gruus);
    void finish();

 private:
    void attribute(std::string_view name, std::string_view value);
    void attribute(std::string_view name, uint64_t value);
    void add_gruus(const ContactGruus& gruus);
    void escaped(std::string_view text);

    std::string& out_;
};

}  // namespace signalbox::presence
