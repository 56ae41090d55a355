// The sections of the configuration file. keys_<section>.cpp holds the keys of one; key_table.cpp
// joins them.
#pragma once

#include "config/key.h"

namespace signalbox::config {

extern const Section kTopSection;
extern const Section kListenSection;
extern const Section kTlsSection;
extern const Section kStoreSection;
extern const Section kRegistrarSection;
extern const Section kAuthSection;
extern const Section kTrustedSection;
extern const Section kProxySection;
extern const Section kRoleSection;
extern const Section kForkingSection;
extern const Section kResolverSection;
extern const Section kTimersSection;
extern const Section kLimitsSection;
extern const Section kOverloadSection;
extern const Section kRecordsSection;
extern const Section kJournalSection;
extern const Section kLogSection;

}  // namespace signalbox::config
