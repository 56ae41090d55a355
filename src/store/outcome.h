// The result of an operation on files or the database: a value, or one or two plain sentences that
// name the thing and the way out.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace signalbox::store {

/// For people: "The file /srv/data/keys is damaged. Remove it ...".
struct Failure {
    std::string text;
};

template <class T>
using Outcome = tl::expected<T, Failure>;

inline tl::unexpected<Failure> failure(std::string text) {
    return tl::unexpected<Failure>(Failure{std::move(text)});
}

}  // namespace signalbox::store
