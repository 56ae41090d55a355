// Tells the thread sanitizer that spdlog's library was built without it: it cannot see the
// reference counts by which the log's thread gives a sink back before it is destroyed.

extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
    return "race:spdlog\n";
}
