"""SIGTERM while cases run: every program ends cleanly and within six seconds, and starts again."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from cases import find_story  # noqa: E402
from stubs import Refused  # noqa: E402

SECONDS = 6


def setUpModule():
    global federation  # pylint: disable=global-statement
    federation = fixture.running()


class Applicant(threading.Thread):
    """Applies for one household again and again until told to stop."""

    def __init__(self, members):
        super().__init__()
        self._members, self._done = members, threading.Event()
        self.num_done = 0
        self.busy = threading.Event()

    def run(self):
        while not self._done.is_set():
            try:
                case_id = federation.window.open(self._members)
                federation.window.agree(case_id, self._members)
                federation.window.collect(case_id, lambda _: self.busy.set())
                self.num_done += 1
            except Refused:
                self._done.wait(0.05)

    def finish(self):
        self._done.set()
        self.join()


class Stop(unittest.TestCase):
    def setUp(self):
        self.members = find_story(federation, "dibao-twelve")["members"]
        self.applicants = [Applicant(self.members) for _ in range(3)]
        for applicant in self.applicants:
            self.addCleanup(applicant.finish)
            applicant.start()

    def test_each_program_stops_and_starts_again(self):
        for name in ("tax", "disabled-federation", "broker", "consent", "window"):
            with self.subTest(program=name):
                for applicant in self.applicants:
                    applicant.busy.clear()
                self.assertTrue(self.applicants[0].busy.wait(20), "no case is running")
                status, seconds = federation.processes[name].stop()
                self.assertEqual(status, 0)
                self.assertLess(seconds, SECONDS)
                federation.processes[name].start()
                federation.wait_ready()

    def tearDown(self):
        verdict = federation.verify_logs()
        self.assertTrue(verdict["verified"], verdict["logs"])


if __name__ == "__main__":
    unittest.main()
