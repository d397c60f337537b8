"""Tests of the tally: what ran nothing, died or did not build must count as failed."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tally  # noqa: E402

GOOD = "[       OK ] one\n[       OK ] two\n[==========] 2 test(s) run.\n[  PASSED  ] 2 test(s).\n"
BAD = ("[       OK ] one\n[  FAILED  ] two\n[==========] 2 test(s) run.\n[  PASSED  ] 1 test(s).\n"
       "[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] two\n 1 FAILED TEST(S)\n")
DEAD = "[ RUN      ] one\n[       OK ] one\n[ RUN      ] two\n==1==ERROR: AddressSanitizer\n"


class Tally(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def quietly(self, count, *paths):
        self.shown = io.StringIO()
        with contextlib.redirect_stderr(self.shown):
            return count(*paths)

    def result(self, label, status, text):
        log = self.write(label.strip("/").replace(":", "_"), text)
        return {"id": {"testResult": {"label": label}},
                "testResult": {"status": status, "testActionOutput": [
                    {"name": "test.xml", "uri": "file:///nowhere"},
                    {"name": "test.log", "uri": "file://" + log}]}}

    def bazel(self, *events, output="", ended="SUCCESS"):
        """The counts of these events, and of bazel's last, which one that was killed does not write."""
        last = {"id": {"buildFinished": {}}, "finished": {"exitCode": {"name": ended}}}
        events = (*events, last) if ended else events
        path = self.write("events", "".join(json.dumps(event) + "\n" for event in events))
        return self.quietly(tally.bazel, path, self.write("output", output))

    def test_counts_the_tests_of_every_program(self):
        self.assertEqual(self.bazel(self.result("//a:x", "PASSED", GOOD),
                                    self.result("//a:y", "PASSED", GOOD)), [4, 0, 0])

    def test_a_program_without_cmocka_is_one_test(self):
        self.assertEqual(self.bazel(self.result("//a:x", "PASSED", "fine\n"),
                                    self.result("//a:y", "FAILED", "not fine\n")), [1, 1, 0])

    def test_shows_what_failed(self):
        self.assertEqual(self.bazel(self.result("//a:x", "FAILED", BAD)), [1, 1, 0])
        self.assertIn("//a:x", self.shown.getvalue())

    def test_a_program_that_died_failed(self):
        self.assertEqual(self.bazel(self.result("//a:x", "FAILED", DEAD)), [1, 1, 0])

    def test_a_program_that_passed_but_was_stopped_failed(self):
        self.assertEqual(self.bazel(self.result("//a:x", "TIMEOUT", GOOD)), [2, 1, 0])

    def test_what_did_not_build_failed(self):
        broken = {"id": {"targetCompleted": {"label": "//a:z"}}, "aborted": {}}
        built = {"id": {"targetCompleted": {"label": "//a:x"}}, "completed": {"success": True}}
        self.assertEqual(self.bazel(self.result("//a:x", "PASSED", GOOD), built, broken,
                                    output="a.c:1: error: no\n"), [2, 1, 0])
        self.assertIn("a.c:1: error: no", self.shown.getvalue())

    def test_a_test_that_ran_and_failed_counts_once(self):
        failed = {"id": {"targetCompleted": {"label": "//a:x"}}, "completed": {}}
        self.assertEqual(self.bazel(failed, self.result("//a:x", "FAILED", BAD)), [1, 1, 0])

    def test_a_bazel_that_died_failed(self):
        """What it had not come to is in no event: without its last word, nothing says that all was tried."""
        passed = self.result("//a:x", "PASSED", GOOD)
        self.assertEqual(self.bazel(passed, ended=None, output="Server terminated abruptly\n"), [2, 1, 0])
        self.assertIn("Server terminated abruptly", self.shown.getvalue())
        self.assertEqual(self.bazel(passed, ended="INTERRUPTED"), [2, 1, 0])
        self.assertEqual(self.bazel(passed, self.result("//a:y", "FAILED", BAD), ended="TESTS_FAILED"), [3, 1, 0])

    def test_nothing_at_all_failed(self):
        self.assertEqual(self.bazel(output="ERROR: no such package\n"), [0, 1, 0])
        self.assertEqual(self.quietly(tally.bazel, "/nowhere", "/nowhere"), [0, 1, 0])

    def unittest(self, text):
        return self.quietly(tally.unittest, self.write("log", text))

    def test_counts_unittest(self):
        self.assertEqual(self.unittest("Ran 7 tests in 1.0s\n\nOK\n"), [7, 0, 0])
        self.assertEqual(self.unittest("Ran 7 tests in 1.0s\n\nOK (skipped=2)\n"), [5, 0, 2])
        self.assertEqual(self.unittest(
            "Ran 7 tests in 1.0s\n\nFAILED (failures=1, errors=2, skipped=1)\n"), [3, 3, 1])
        self.assertEqual(self.unittest("Ran 1 test in 1.0s\n\nFAILED (unexpected successes=1)\n"),
                         [0, 1, 0])

    def test_several_runs_are_one(self):
        one, other = self.write("one", "Ran 7 tests in 1.0s\n\nOK\n"), self.write("two", "Ran 2 tests in 1s\n\nOK\n")
        self.assertEqual(self.quietly(tally.unittest, one, other), [9, 0, 0])
        self.assertEqual(self.quietly(tally.unittest, one, "/nowhere", other), [9, 1, 0])

    def test_a_unittest_that_died_failed(self):
        self.assertEqual(self.unittest("ImportError: no\n"), [0, 1, 0])
        self.assertEqual(self.quietly(tally.unittest, "/nowhere"), [0, 1, 0])


if __name__ == "__main__":
    unittest.main()
