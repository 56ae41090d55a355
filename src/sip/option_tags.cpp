// Option tags in Supported, Require and Proxy-Require.
#include "sip/option_tags.h"

#include "base/text.h"
#include "sip/params.h"

namespace signalbox::sip {

bool has_option_tag(const MessageView& message, HeaderId id, std::string_view tag) {
    for (const HeaderField* field = message.first(id); field != nullptr;
         field = message.next(field)) {
        ListWalker walker(message.value(*field));
        while (const auto listed = walker.next()) {
            if (text::iequals(*listed, tag)) return true;
        }
    }
    return false;
}

}  // namespace signalbox::sip
