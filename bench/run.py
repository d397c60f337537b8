#!/usr/bin/env python3
"""How fast it is, beside what one would use instead, in one run: single reads beside a bare gRPC echo,
ten-department cases beside bare fan-outs and PostgreSQL's postgres_fdw, the evidence log beside raw commits,
stages, sizes, memory, starts, and how all of it grows. What is measured against what: bench/README.md.

Exit status 0; 1 if a case failed or something could not be started, 2 for wrong usage, 3 if a guarded floor
is broken (bench/floors.json; never with --quick).
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(_HERE)
sys.path[:0] = [_HERE, os.path.join(_ROOT, "demo"), os.path.join(_ROOT, "tests", "interop")]

import evidence  # noqa: E402
import federated  # noqa: E402
import floors  # noqa: E402
import machine  # noqa: E402
import page  # noqa: E402
import payload  # noqa: E402
import report  # noqa: E402
import single  # noqa: E402
import targets  # noqa: E402
from bare import StartFailed as BareFailed  # noqa: E402
from material import CommandFailed  # noqa: E402
from measure import LoadFailed  # noqa: E402
from optional import Optional, PartFailed  # noqa: E402
from processes import StartFailed  # noqa: E402
from stubs import Refused  # noqa: E402

PARTS = (*federated.PARTS, "evidence", "growth")
_FULL = {"quick": False, "large": False, "rounds": 5, "seconds": 2.0, "warm_ms": 500, "people": 2000,
         "applicants": 64, "entries": 200000, "crowd": 1024, "starts": 5}
_QUICK = {"quick": True, "large": False, "rounds": 1, "seconds": 0.2, "warm_ms": 50, "people": 300,
          "applicants": 8, "entries": 6400, "crowd": 16, "starts": 1}
_EXAMPLES = """examples:
  ./run bench                              everything but the 10 M subjects; about a quarter of an hour
  ./run bench --page speed.html            and a page with charts
  ./run bench --json > speed.json          one document, with an object `targets`
  ./run bench --only fanout,memory         two parts of it
  ./run bench --only evidence --entries 10000000
  ./run bench --only growth --large        up to 10 M subjects
  ./run bench --quick                      does everything work; no figure of it means anything
  ./run bench --renew-floors               measure, and write what must not get worse from now on
"""


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="run bench", description=__doc__, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(_ROOT, ".build", "bin"), metavar="DIR",
                        help="the programs; default .build/bin")
    parser.add_argument("--bench-bin", metavar="DIR",
                        help="the programs of bench/; default: as --bin")
    parser.add_argument("--only", metavar="PARTS", default=",".join(PARTS),
                        help="some parts, with commas between: " + " ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--page", metavar="FILE", help="also write one HTML page with charts, of one file")
    parser.add_argument("--quick", action="store_true", help="one short round; for a look, not for figures")
    parser.add_argument("--large", action="store_true", help="let growth go to 10 M subjects")
    parser.add_argument("--renew-floors", action="store_true",
                        help="write bench/floors.json from this run, in place of judging by it")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"default {_FULL['rounds']}")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help=f"of each side in each round; default {_FULL['seconds']:g}")
    parser.add_argument("--entries", type=int, metavar="N",
                        help=f"of the evidence log by itself; default {_FULL['entries']}")
    arguments = parser.parse_args(argv)
    _check(parser, arguments)
    return arguments


def _check(parser, arguments):
    arguments.only = arguments.only.split(",")
    for part in arguments.only:
        if part not in PARTS:
            parser.error(f"--only: no part is called {part}; there are {' '.join(PARTS)}")
    if arguments.entries is not None and not 1 <= arguments.entries <= 10000000:
        parser.error("--entries must be from 1 to 10000000")
    if arguments.rounds is not None and not 1 <= arguments.rounds <= 100:
        parser.error("--rounds must be from 1 to 100")
    if arguments.seconds is not None and not 0.2 <= arguments.seconds <= 60:
        parser.error("--seconds must be from 0.2 to 60")
    if arguments.quick and arguments.renew_floors:
        parser.error("--renew-floors: floors are not of a quick run")
    if arguments.page and not page.has_library():
        parser.error(page.MISSING)


def _plan(arguments):
    plan = dict(_QUICK if arguments.quick else _FULL, large=arguments.large, parts=arguments.only)
    for name in ("rounds", "seconds", "entries"):
        if getattr(arguments, name) is not None:
            plan[name] = getattr(arguments, name)
    return plan


def _measure(root, arguments, plan, optional, say):
    """The parts' own documents in one."""
    binaries, parts = os.path.abspath(arguments.bin), arguments.only
    bench_binaries = os.path.abspath(arguments.bench_bin or arguments.bin)
    document = {"machine": None, "stopped_cleanly": True}
    inside = [part for part in parts if part in federated.PARTS]
    if inside:
        document.update(federated.measure(root, binaries, bench_binaries, plan, inside, optional, say))
    else:
        document["machine"] = machine.describe(root)
    if "evidence" in parts:
        say(f"an evidence log of {plan['entries']} entries, beside raw commits")
        document["evidence"] = evidence.measure(bench_binaries, os.path.join(root, "evidence"), plan["entries"])
    if "growth" in parts:
        document.update(optional.measure("growth", "grow", root, binaries, bench_binaries, plan, say))
    return document


def _judged(document, arguments, optional):
    """Targets of what was asked for, and the floors."""
    found = targets.judge(document, optional.targets)
    document["targets"] = {name: one for name, one in found.items()
                           if one["measured"] is not None or targets.part_of(name) in arguments.only}
    document["left_out"] = optional.left_out
    kept = floors.load()
    if arguments.renew_floors:
        floors.save(floors.renewed(kept, document["targets"]))
    document["floors_broken"] = [] if arguments.quick or arguments.renew_floors \
        else floors.broken(kept, document["targets"], arguments.only)


def _run(arguments, say):
    """The whole document. Whatever happens, nothing is left running and no file is left."""
    began, plan, optional = time.monotonic(), _plan(arguments), Optional()
    root = tempfile.mkdtemp(prefix="lianban-bench-")
    try:
        document = _measure(root, arguments, plan, optional, say)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    document.update(plan=plan, failed=report.num_failed(document), seconds=round(time.monotonic() - began, 1))
    _judged(document, arguments, optional)
    return document, optional.writers


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MAIN = os.getpid()


def _interrupted(ending, _frame):
    """Once: what cleans up is not interrupted again. A forked worker, which its pool ends so, just goes."""
    if os.getpid() != _MAIN:
        os._exit(128 + ending)
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(argv=None):
    arguments = _arguments(argv)
    for number in _ENDING:
        signal.signal(number, _interrupted)

    def say(words):
        print(f"bench: {words}", file=sys.stderr, flush=True)

    try:
        document, writers = _run(arguments, say)
    except (BareFailed, CommandFailed, LoadFailed, evidence.EvidenceFailed, PartFailed, StartFailed, Refused,
            floors.BadFloors, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 1
    text = report.text(document, [("single", single.lines), ("payload", payload.lines), *writers])
    print(json.dumps(document, ensure_ascii=False, indent=1) if arguments.json else text)
    if arguments.page:
        page.write(arguments.page, document, text)
    for sentence in document["floors_broken"]:
        say(f"floor broken: {sentence}")
    if document["failed"] > 0 or not document["stopped_cleanly"]:
        return 1
    return floors.BROKEN if document["floors_broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
