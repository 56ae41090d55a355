// The one table of configuration keys, joined from its sections: the checks, the error messages and
// docs/configuration.md come from it.
#include "config/key_table.h"

#include <array>

#include "config/key_sections.h"

namespace signalbox::config {

namespace {

constexpr std::array kSections{
    &kTopSection,      &kListenSection,  &kTlsSection,    &kStoreSection,    &kRegistrarSection,
    &kAuthSection,     &kTrustedSection, &kProxySection,  &kRoleSection,     &kForkingSection,
    &kResolverSection, &kTimersSection,  &kLimitsSection, &kOverloadSection, &kRecordsSection,
    &kJournalSection,  &kLogSection,
};

}  // namespace

std::span<const Section* const> sections() {
    return kSections;
}

}  // namespace signalbox::config
