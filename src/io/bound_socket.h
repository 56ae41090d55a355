// Opens the sockets that listeners stand on.
#pragma once

#include <tl/expected.hpp>

#include "io/file_descriptor.h"
#include "transport/flow.h"

namespace signalbox::io {

/// Alone: an address that another socket holds is refused. PerShard: one socket of each shard
/// shares the address (SO_REUSEPORT).
enum class Sharing : uint8_t { Alone, PerShard };

/// A socket bound to `bound`: for datagrams with large buffers and, on a wildcard address, the
/// local address of each datagram; for streams listening. Non-blocking, closed on exec; IPv6
/// sockets take IPv6 only. On failure: errno.
tl::expected<FileDescriptor, int> open_bound_socket(transport::Transport transport,
                                                    const Endpoint& bound, Sharing sharing);

}  // namespace signalbox::io
