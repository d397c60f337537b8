"""Ports for federations that start side by side."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from members import NUM_PORTS  # noqa: E402
from processes import _BLOCK, _reserve, free_ports  # noqa: E402


class Ports(unittest.TestCase):
    def test_a_federation_fits(self):
        self.assertLessEqual(NUM_PORTS, _BLOCK)
        ports = free_ports(NUM_PORTS)
        self.assertEqual(ports, list(range(ports[0], ports[0] + NUM_PORTS)))

    def test_nobody_else_is_given_them_while_we_live(self):
        block = free_ports(1)[0] // _BLOCK
        self.assertFalse(_reserve(block))
        asked = subprocess.run([sys.executable, "-c", f"import processes; print(processes._reserve({block}))"],
                               cwd=os.path.dirname(os.path.abspath(__file__)), capture_output=True, text=True,
                               check=True)
        self.assertEqual(asked.stdout, "False\n")


if __name__ == "__main__":
    unittest.main()
