// The counting operator new of the base tests, in this test program too.
#include "tests/base/counting_allocator.cpp"
