// The unit that the tests' precompiled header is made for; it has no code.
