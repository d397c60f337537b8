"""Makes the modules of demo/ and tests/interop importable, whoever imports this first."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
for _folder in (os.path.join(ROOT, "tests", "interop"), os.path.join(ROOT, "demo"), HERE):
    if _folder not in sys.path:
        sys.path.insert(0, _folder)
