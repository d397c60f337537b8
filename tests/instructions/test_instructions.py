"""The instructions of a read and of a case against what is kept; and that a tenth less kept would be told.

LIANBAN_BIN names the folder of the programs (default .build/bin).
"""

import copy
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import instructions  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("LIANBAN_BIN", os.path.join(ROOT, ".build", "bin"))


class Instructions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = instructions.run(BIN, instructions.CASES, lambda words: None)

    def test_nothing_is_out_of_its_band(self):
        self.assertEqual(instructions.wrong(self.found, instructions.read_kept()), [])

    def test_a_tenth_more_in_one_stage_is_told(self):
        """As if what is counted now had been a tenth cheaper when it was kept."""
        for program, counts in self.found["programs"].items():
            stage = max(counts["stages"], key=counts["stages"].get)
            kept = copy.deepcopy(self.found)
            kept["programs"][program]["stages"][stage] = round(counts["stages"][stage] * 0.9)
            (said,) = instructions.wrong(self.found, kept)
            self.assertIn(f'{program}, stage "{stage}"', said)
            self.assertIn("11.1% more", said)

    def test_a_tenth_more_of_everything_is_told(self):
        for program in self.found["programs"]:
            kept = copy.deepcopy(self.found)
            kept["programs"][program]["sum"] = round(kept["programs"][program]["sum"] * 0.9)
            (said,) = instructions.wrong(self.found, kept)
            self.assertIn(f"{program}, all stages", said)


if __name__ == "__main__":
    unittest.main()
