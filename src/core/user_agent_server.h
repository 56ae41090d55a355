// What the server answers to requests for itself. Implements: RFC 3261 §8.2, §11.2
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/counters.h"
#include "proxy/incoming_request.h"
#include "proxy/local_reply.h"
#include "proxy/route_preprocessing.h"

namespace signalbox::core {

/// True when the request names this server and no user of it: we are its user agent server, not its
/// proxy.
bool is_for_server_itself(const proxy::Routing& routing);

/// 420 with the option tags of Require that are not `known` as Unsupported, or nothing when all are
/// (RFC 3261 §8.2.2.3).
std::optional<proxy::Rejection> refuse_extensions(const sip::MessageView& request,
                                                  std::span<const std::string_view> known = {});

/// Answers without state: 481 in a dialog that we never had, 405 or 501 to another method than
/// OPTIONS; to that 420 or 415 where it demands what we do not know, else 200 with what we are able
/// to do.
void answer_as_user_agent(const proxy::IncomingRequest& request, proxy::LocalReply& reply,
                          Counters& counters, transport::Transmits& out);

}  // namespace signalbox::core
