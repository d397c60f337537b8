#!/usr/bin/python3
"""How many instructions one read and one case take, by program and by stage, beside what was kept.

    instructions.py --bin DIR [--renew] [--json] [--cases N]

The demo's federation does ten-department cases, one at a time, while callgrind counts one program after the other
(stages.yaml says what a stage is). Exit status 0 when nothing is out of its band, 1 when something is.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(_HERE))
sys.path.insert(0, _HERE)

import judge  # noqa: E402
from callgrind import NotCounted  # noqa: E402
from ground import Ground, NoCase  # noqa: E402

KEPT = os.path.join(_HERE, "kept.json")
UNITS = {"adapter": "a read", "broker": "a case", "window": "a case", "consent": "a case"}
CASES = 3
# On a machine that is so busy that links break, cases fail.
_TIMES = 3
_LIBRARIES = re.compile(r"lib(crypto|jansson|sqlite3|grpc|protobuf-c|sodium)\.so\S* => (\S+)")


def measured(ground, cases, say):
    """Every program's counts."""
    plan, found = judge.read_stages(), {}
    for program, counted in ground.counted.items():
        say(f"{program}, {cases} cases")
        found[program] = _counts(program, plan[program], counted, ground, cases)
    return found


def _counts(program, plan, counted, ground, cases):
    """One program's counts; when a case failed, all of it again."""
    for left in reversed(range(_TIMES)):
        began = time.monotonic()
        try:
            profiles = counted.count(lambda: [ground.case() for _ in range(cases)])
        except NoCase:
            if left == 0:
                raise
            ground.settle()
            continue
        return judge.measure(program, plan, profiles, cases, time.monotonic() - began)


def run(binaries, cases, say):
    """A whole measurement: what kept.json holds."""
    root = tempfile.mkdtemp(prefix="lianban-counts-")
    try:
        ground = Ground(root, binaries)
        try:
            say("a federation of ten departments, four programs of it under callgrind")
            ground.start()
            programs = measured(ground, cases, say)
        finally:
            ground.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {"architecture": platform.machine(), "libraries": libraries(binaries), "programs": programs}


def libraries(binaries):
    """What of others is counted too, by the file a program finds."""
    said = subprocess.run(["ldd", os.path.join(binaries, "lianban-window")], capture_output=True, text=True, check=True)
    return {name: os.path.basename(os.path.realpath(path)) for name, path in _LIBRARIES.findall(said.stdout)}


def read_kept(path=KEPT):
    """What was kept, or nothing yet."""
    if not os.path.exists(path):
        return {"architecture": platform.machine(), "libraries": {}, "programs": {}}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def wrong(found, kept):
    """A sentence for everything that is out of its band."""
    if found["architecture"] != kept["architecture"]:
        return [f"what is kept was counted on {kept['architecture']}, this is {found['architecture']}: "
                "./run instructions --renew"]
    sentences = []
    for program, counts in found["programs"].items():
        if program not in kept["programs"]:
            sentences.append(f"{program}: nothing is kept of it: ./run instructions --renew")
        else:
            sentences += judge.compare(program, UNITS[program], counts, kept["programs"][program])
    if sentences and found["libraries"] != kept["libraries"]:
        sentences.append(f"the libraries are others too: {found['libraries']}, kept {kept['libraries']}")
    return sentences


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(_ROOT, ".build", "bin"), metavar="DIR")
    parser.add_argument("--renew", action="store_true", help="keep what is counted now")
    parser.add_argument("--json", action="store_true", help="print what was counted as JSON")
    parser.add_argument("--cases", type=int, default=CASES, metavar="N", help=f"of each program; default {CASES}")
    arguments = parser.parse_args(argv)
    try:
        found = run(os.path.abspath(arguments.bin), max(arguments.cases, 1),
                    lambda words: print(f"instructions: {words}", file=sys.stderr, flush=True))
    except (judge.Unknown, NotCounted, NoCase) as error:
        print(f"instructions: {error}", file=sys.stderr)
        return 1
    kept = read_kept()
    print(json.dumps(found, indent=1) if arguments.json
          else "\n".join(judge.table(found["programs"], kept["programs"])))
    if arguments.renew:
        with open(KEPT, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
            file.write("\n")
        return 0
    sentences = wrong(found, kept)
    for sentence in sentences:
        print(f"instructions: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
