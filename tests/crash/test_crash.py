"""A short slice of `./run crash`: some points, some random instants, and a campaign that can fail."""

import os
import shutil
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import brokers  # noqa: E402
import submissions  # noqa: E402
from checks import Checks, Tree  # noqa: E402
from crash import POINTS, Campaign, plan, run  # noqa: E402
from ground import ADAPTER, BROKER, Ground, receipts  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("LIANBAN_BIN", os.path.join(ROOT, ".build", "bin"))
CRASH_BIN = os.environ.get("LIANBAN_CRASH_BIN", os.path.join(ROOT, ".build", "crash-bin"))
STEPS = [(ADAPTER, "ratchet-torn"), None, (BROKER, "commit-after"), None]


class Crash(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lianban-crash-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_a_slice(self):
        ground = Ground(self.folder, BIN, CRASH_BIN)
        report = run(Campaign(ground, seed=4), STEPS, float("inf"))
        self.assertEqual(report["wrong"], [])
        self.assertEqual(report["points_not_reached"], [])
        self.assertEqual(report["rounds"], len(STEPS))
        self.assertGreater(report["entries_found_again"], 0)
        self.assertGreater(report["checkpoints_held"], 0)
        self.assert_found(ground)

    def assert_found(self, ground):
        """The same logs, changed by hand: each check says so."""
        state = ground.federation.members[ADAPTER].state
        with sqlite3.connect(os.path.join(state, "evidence.db")) as database:
            database.execute("UPDATE use SET used = 2 WHERE grant_id = (SELECT grant_id FROM use LIMIT 1)")
        self.assertTrue(any("one used 2 times" in word for word in Checks(ground).log(ADAPTER)))
        (size,) = database.execute("SELECT size FROM checkpoint").fetchone()
        ground.kept.entries[ADAPTER, size - 1] = bytes(32)
        ground.kept.roots[ADAPTER, 3] = bytes(32)
        ground.kept.roots[ADAPTER, size + 1] = bytes(32)
        words = " ".join(Checks(ground).log(ADAPTER))
        database.close()
        for word in ("is not what was shown", "another root at 3", "more were signed"):
            self.assertIn(word, words)


class Submissions(unittest.TestCase):
    def test_a_slice(self):
        folder = tempfile.mkdtemp(prefix="lianban-crash-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        federation = brokers.made(brokers.populated(folder, BIN, attached=False))
        self.addCleanup(federation.stop)
        federation.start()
        report = submissions.campaign(federation, seed=3, cases=8, kills=8)
        self.assertEqual(report["wrong"], [])
        self.assertEqual(report["parts"], 2 * report["cases"])
        self.assertIn(report["gone_for_good"], federation.brokers)


class Released(unittest.TestCase):
    def test_released_programs_have_no_place_to_die(self):
        for folder, found in ((BIN, False), (CRASH_BIN, True)):
            for program in ("lianban-adapter", "lianban-broker"):
                with open(os.path.join(folder, program), "rb") as file:
                    self.assertEqual(b"LIANBAN_CRASH" in file.read(), found, program)


class Plan(unittest.TestCase):
    def test_points_are_spread_and_all_there(self):
        points = [(name, point) for point in POINTS for name in (ADAPTER, BROKER)]
        for rounds in (0, 1, 6, 36, 500):
            steps = plan(rounds, points)
            self.assertEqual([step for step in steps if step], points)
            self.assertEqual(len(steps), rounds + len(points))
        self.assertEqual(plan(2, []), [None, None])
        self.assertEqual(plan(3, ["a"]), [None, None, None, "a"])

    def test_roots_are_those_of_rfc_6962(self):
        """By the recursion of the independent requester."""
        tree = Tree()
        raw = bytes([1, 9]) + bytes(24) + bytes(4) + bytes(192) + (1).to_bytes(4, "big") + b"\0"
        for num in range(40):
            self.assertEqual(tree.root(), receipts.root_of(tree.hashes), num)
            tree.add(raw)


if __name__ == "__main__":
    unittest.main()
