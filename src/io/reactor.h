// The reactor's descriptor without type erasure, and the clocks that drivers read once a turn.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "base/time.h"

namespace signalbox::io {

namespace asio = boost::asio;

/// Any descriptor that a shard waits for. Waiting allocates nothing once warm: Asio keeps an
/// operation's memory for the next.
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
using asio::posix::descriptor_base;

/// CLOCK_MONOTONIC and CLOCK_REALTIME.
Now read_clocks();

}  // namespace signalbox::io
