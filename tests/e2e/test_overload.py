"""A slice of the overload campaign (./run load --overload): what must hold at four times the rate that is sustained.

The machine may be slow and busy, so what is asked of it are wide shares of what it did itself a moment before.
"""

import os
import sys
import unittest

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path.insert(0, os.path.join(_ROOT, "tests", "load"))

import overload  # noqa: E402

BIN = os.environ.get("LIANBAN_BIN", os.path.join(_ROOT, ".build", "bin"))


class Overload(unittest.TestCase):
    def test_a_slice(self):
        options = overload.options_of(["--bin", BIN, "--departments", "12", "--windows", "2", "--slice", "2",
                                       "--seconds", "4", "--lose", "0.5", "--patience", "2", "--wait", "500",
                                       "--seed", "9"])
        report = overload.run(options)
        self.assertEqual(report["wrong"], [], report)
        self.assertGreater(report["overload"]["told_to_come_again"], 0)
        self.assertEqual(report["told_without_a_time"], 0)

    def test_a_campaign_sees_what_is_wrong(self):
        part = {"offered_per_second": 40, "done_per_second": 9, "done": 40, "told_to_come_again": 100,
                "done_p99_ms": 900, "told_p99_ms": 500, "done_by_window": {"a": 20, "b": 20}, "wrong": {}}
        report = {"slices": [], "overload": part, "best_done_per_second": 10, "told_without_a_time": 0, "windows": 2,
                  "agents": ["a", "b"], "memory_mib": {"before": {"broker": 20}, "overload": {"broker": 30}}}
        self.assertEqual(overload.breaches(report, 15000, 0.1), [])
        for change in ({"done_per_second": 8}, {"done_p99_ms": 15001}, {"told_p99_ms": 9001},
                       {"wrong": {"INTERNAL": 1}}, {"told_to_come_again": 0}, {"done_by_window": {"a": 40}}):
            self.assertEqual(len(overload.breaches({**report, "overload": {**part, **change}}, 15000, 0.1)), 1, change)
        self.assertEqual(len(overload.breaches({**report, "told_without_a_time": 1}, 15000, 0.1)), 1)
        self.assertEqual(len(overload.breaches({**report, "memory_mib": {"before": {"broker": 20},
                                                                         "overload": {"broker": 70}}}, 15000, 0.1)), 1)


if __name__ == "__main__":
    unittest.main()
