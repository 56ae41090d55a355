"""What the readers of first lines, suites and layers must understand."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import check_layers
import sources


class OpeningLines(unittest.TestCase):
    def test_purpose_ends_at_the_first_sentence(self):
        text = "// Finds a call: by its key.\n// Implements: RFC 3261 §16.7\n#pragma once\n"
        self.assertEqual(sources.purpose_of(text), "Finds a call: by its key")

    def test_purpose_may_take_two_lines(self):
        self.assertEqual(sources.purpose_of("// One thing\n// and another. More.\n\n"), "One thing and another")

    def test_file_without_comment_has_no_purpose(self):
        self.assertIsNone(sources.purpose_of("#include <span>\n// Late.\n"))

    def test_sections_are_read_in_lists_and_ranges(self):
        text = "// P.\n// Implements: RFC 3261 §16.3, §16.6–16.8; RFC 6026 §7.2\n"
        self.assertEqual(sources.implemented_in(text),
                         [("3261", "16.3"), ("3261", "16.6"), ("3261", "16.7"), ("3261", "16.8"), ("6026", "7.2")])

    def test_whole_rfc_has_no_section(self):
        self.assertEqual(sources.implemented_in("// P. Implements: RFC 3966\n"), [("3966", "")])

    def test_deviation_goes_on_in_the_next_line(self):
        text = "int a;\n    // Deviation: RFC 3261 §16.7 step 6 — we wait\n    // for all branches.\nint b;\n"
        self.assertEqual(sources.deviations_in(text), [("RFC 3261 §16.7 step 6", "we wait for all branches")])


class Suites(unittest.TestCase):
    def test_suite_carries_its_section(self):
        self.assertEqual(sources.sections_of_suite("InviteClient_Rfc3261_17_1_1"), [("3261", "17.1.1")])

    def test_suite_may_name_two_rfcs(self):
        self.assertEqual(sources.sections_of_suite("InviteServer_Rfc3261_17_2_1_Rfc6026_7_1"),
                         [("3261", "17.2.1"), ("6026", "7.1")])

    def test_suite_of_a_behaviour_carries_none(self):
        self.assertEqual(sources.sections_of_suite("Arena_Behaviour"), [])

    def test_first_lines_of_a_test_say_what_it_covers(self):
        text = "// A test. Covers: RFC 3261 §16.1 (state),\n// §16.3. Not covered: §16.4.\n#include <x>\n"
        self.assertEqual(sources.covered_in(text), [("3261", "16.1"), ("3261", "16.3")])


class Layers(unittest.TestCase):
    modules = sources.modules_in("sb_module(base)\nsb_module(crypto base OpenSSL::Crypto)\nsb_module(sip base)\n"
                                 "sb_module(io sip Threads::Threads)\nsb_program(signalbox main io)\n")

    def faults(self, folder, text):
        below = check_layers.reachable(self.modules, folder)
        return check_layers.faults_of(folder, text, self.modules, below)

    def test_order_and_dependencies_come_from_cmake(self):
        self.assertEqual(list(self.modules), ["base", "crypto", "sip", "io", "main"])
        self.assertEqual(check_layers.reachable(self.modules, "main"), {"main", "io", "sip", "base"})

    def test_include_down_is_allowed_and_up_is_not(self):
        self.assertEqual(self.faults("sip", '#include "base/text.h"\n'), [])
        self.assertEqual(len(self.faults("base", '#include "sip/uri.h"\n')), 1)
        self.assertEqual(len(self.faults("sip", '#include "crypto/digest.h"\n')), 1)

    def test_include_without_folder_is_a_fault(self):
        self.assertEqual(len(self.faults("sip", '#include "uri.h"\n')), 1)

    def test_core_has_no_thread_no_clock_and_no_socket(self):
        for header in ("thread", "atomic", "iostream", "random", "sys/socket.h", "spdlog/spdlog.h", "time.h"):
            self.assertEqual(len(self.faults("sip", f"#include <{header}>\n")), 1, header)
            self.assertEqual(self.faults("io", f"#include <{header}>\n"), [], header)
        self.assertEqual(len(self.faults("sip", "auto t = std::chrono::steady_clock::now();\n")), 1)
        self.assertEqual(self.faults("sip", "// never steady_clock::now here\n"), [])

    def test_openssl_is_for_crypto_alone(self):
        self.assertEqual(self.faults("crypto", "#include <openssl/evp.h>\n"), [])
        self.assertEqual(len(self.faults("sip", "#include <openssl/evp.h>\n")), 1)

    def test_containers_and_expected_are_allowed(self):
        text = "#include <boost/unordered/unordered_flat_map.hpp>\n#include <tl/expected.hpp>\n#include <span>\n"
        self.assertEqual(self.faults("sip", text), [])
        self.assertEqual(len(self.faults("sip", "#include <boost/asio.hpp>\n")), 1)


if __name__ == "__main__":
    unittest.main()
