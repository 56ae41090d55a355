// What the server answers to requests for itself. Implements: RFC 3261 §8.2, §11.2
#pragma once

#include <optional>

#include "base/counters.h"
#include "proxy/incoming_request.h"
#include "proxy/local_reply.h"
#include "proxy/route_preprocessing.h"

namespace signalbox::core {

/// True when the request names this server and no user of it: we are its user agent server, not its
/// proxy.
bool is_for_server_itself(const proxy::IncomingRequest& request, const proxy::Routing& routing);

/// 420 with every option tag of Require as Unsupported, or nothing without Require: a user agent of
/// ours needs no extension (RFC 3261 §8.2.2.3).
std::optional<proxy::Rejection> refuse_extensions(const sip::MessageView& request);

/// Answers without state: 200 to OPTIONS with what we are able to do, 420 to a Require, 481 in a
/// dialog that we never had, else 405.
void answer_as_user_agent(const proxy::IncomingRequest& request, proxy::LocalReply& reply,
                          Counters& counters, transport::Transmits& out);

}  // namespace signalbox::core
