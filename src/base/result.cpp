// The phrases of the operating errors.
#include "base/result.h"

#include <array>

#include "base/check.h"

namespace signalbox {

namespace {

constexpr std::array kErrorTexts = {
#define SIGNALBOX_ERROR(name, text) std::string_view(text),
#include "base/errors.def"
#undef SIGNALBOX_ERROR
};

}  // namespace

std::string_view error_text(ErrorCode code) {
    const auto index = static_cast<size_t>(code);
    CHECK(index < kErrorTexts.size());
    return kErrorTexts[index];
}

}  // namespace signalbox
