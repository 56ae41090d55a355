// The Contacts of a 3xx that came back.
#include "proxy/redirect_contacts.h"

#include "sip/edit_list.h"
#include "sip/params.h"

namespace signalbox::proxy {

using sip::HeaderId;

RedirectContacts read_redirect_contacts(const sip::MessageView& response) {
    RedirectContacts contacts;
    for (const sip::HeaderField* field = response.first(HeaderId::Contact); field != nullptr;
         field = response.next(field)) {
        sip::ListWalker values(response.value(*field));
        while (const auto value = values.next()) {
            if (contacts.count == kRedirectContactsMax) return contacts;
            const auto contact = sip::parse_contact(*value);
            if (contact && !contact->is_star) contacts.list[contacts.count] = *contact;
            ++contacts.count;
        }
    }
    return contacts;
}

bool remove_redirect_contacts(const sip::MessageView& response,
                              const std::bitset<kRedirectContactsMax>& tried, std::string& out) {
    out.clear();
    sip::EditList edits(response);
    size_t place = 0;
    bool is_any_left = false;
    for (const sip::HeaderField* field = response.first(HeaderId::Contact); field != nullptr;
         field = response.next(field)) {
        sip::ListWalker values(response.value(*field));
        std::string kept;
        bool is_whole = true;
        while (const auto value = values.next()) {
            const bool is_tried = place < kRedirectContactsMax && tried[place];
            ++place;
            if (is_tried) {
                is_whole = false;
                continue;
            }
            if (!kept.empty()) kept += ", ";
            kept += *value;
        }
        is_any_left = is_any_left || !kept.empty();
        if (kept.empty()) {
            edits.remove_header(*field);
        } else if (!is_whole) {
            edits.set_value(*field, kept);
        }
    }
    if (!is_any_left || !edits.ok()) return false;
    edits.render(out);
    return true;
}

}  // namespace signalbox::proxy
