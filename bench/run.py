#!/usr/bin/env python3
"""How fast a ten-department case is, beside a bare gRPC fan-out over mutual TLS, in one run.

Starts the demo's federation and, with certificates of the same CA, a bare fan-out before ten bare
echoes; then loads one and the other in turn. Exit status 0 if no case failed, 1 if one did or
something could not be started, 2 for wrong usage. What is measured against what: bench/README.md.
"""

import argparse
import datetime
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
import machine  # noqa: E402
import report  # noqa: E402
from bare import StartFailed as BareFailed  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402
from material import CommandFailed  # noqa: E402
from measure import LEVELS, Bench, LoadFailed  # noqa: E402
from processes import StartFailed  # noqa: E402

_SETTLE_SECONDS = 1
_FULL = {"rounds": 5, "seconds": 2.0, "warm_ms": 500, "people": 2000, "applicants": 64,
         "entries": 200000}
_QUICK = {"rounds": 1, "seconds": 1.0, "warm_ms": 200, "people": 300, "applicants": 16,
          "entries": 12800}


def _arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(_ROOT, ".build", "bin"), metavar="DIR",
                        help="the programs; default .build/bin")
    parser.add_argument("--bench-bin", metavar="DIR",
                        help="bench-load, bench-echo and bench-fanout; default: as --bin")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--quick", action="store_true",
                        help="one short round; for a look, not for figures")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"default {_FULL['rounds']}")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help=f"of each side in each round; default {_FULL['seconds']:g}")
    parser.add_argument("--entries", type=int, metavar="N",
                        help=f"of the evidence log by itself; default {_FULL['entries']}")
    parser.add_argument("--evidence-only", action="store_true",
                        help="only the evidence log by itself, without a federation")
    arguments = parser.parse_args(argv)
    if arguments.entries is not None and not 1 <= arguments.entries <= 10000000:
        parser.error("--entries must be from 1 to 10000000")
    if arguments.rounds is not None and not 1 <= arguments.rounds <= 100:
        parser.error("--rounds must be from 1 to 100")
    if arguments.seconds is not None and not 0.2 <= arguments.seconds <= 60:
        parser.error("--seconds must be from 0.2 to 60")
    return arguments


def _plan(arguments):
    plan = dict(_QUICK if arguments.quick else _FULL)
    for name in ("rounds", "seconds", "entries"):
        if getattr(arguments, name) is not None:
            plan[name] = getattr(arguments, name)
    return plan


def _slices(bench, plan, in_flight, baseline_first):
    """One round at one level; the one that goes first changes from round to round."""
    seconds, found = plan["seconds"], {}
    for side in ("baseline", "forms") if baseline_first else ("forms", "baseline"):
        found[side] = getattr(bench, side)(in_flight, seconds)
    found["collects"] = bench.collects(in_flight, found["forms"]["per_second"] * seconds)
    return found


def _rounds(bench, plan, say):
    """All slices by level, and the memory under load."""
    slices = {level: {"baseline": [], "forms": [], "collects": []} for level in LEVELS}
    with bench.watched() as peak:
        for number in range(plan["rounds"]):
            say(f"round {number + 1} of {plan['rounds']}")
            for level in LEVELS:
                for side, result in _slices(bench, plan, level, number % 2 == 0).items():
                    slices[level][side].append(result)
    return slices, bench.memory(peak.kib.get)


def _measure(federation, bench, plan, say):
    say("a federation of ten departments and, beside it, the bare fan-out")
    federation.populate(DEFAULT_SEED, plan["people"], datetime.date.today())
    federation.make()
    described = machine.describe(federation.root)
    federation.start()
    time.sleep(_SETTLE_SECONDS)
    memory = {"idle": bench.memory()}
    bench.start(plan["applicants"])
    slices, memory["loaded"] = _rounds(bench, plan, say)
    levels = [report.level(level, **slices[level]) for level in LEVELS]
    return report.whole(described, plan, bench.bytes, levels, memory)


def _run(root, arguments, say):
    """The whole run; whatever happens, nothing is left running."""
    began, plan = time.monotonic(), _plan(arguments)
    # The same few applicants apply over and over.
    federation = Federation(root, arguments.bin, share_runs=1000000)
    binaries = os.path.abspath(arguments.bench_bin or arguments.bin)
    bench = Bench(federation, binaries, plan["warm_ms"])
    try:
        document = _measure(federation, bench, plan, say)
    finally:
        bench.stop()
        unclean = federation.stop()
    say(f"an evidence log of {plan['entries']} entries, beside raw commits")
    document["evidence"] = evidence.measure(binaries, os.path.join(root, "evidence"), plan["entries"])
    document.update(seconds=round(time.monotonic() - began, 1), stopped_cleanly=not unclean)
    return document


def _evidence_only(root, arguments):
    """The evidence log by itself, as the whole document."""
    binaries = os.path.abspath(arguments.bench_bin or arguments.bin)
    return {"machine": machine.describe(root), "failed": 0, "stopped_cleanly": True,
            "evidence": evidence.measure(binaries, os.path.join(root, "evidence"),
                                         _plan(arguments)["entries"])}


def main(argv=None):
    arguments = _arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    root = tempfile.mkdtemp(prefix="lianban-bench-")

    def say(words):
        print(f"bench: {words}", file=sys.stderr, flush=True)

    try:
        alone = arguments.evidence_only
        document = _evidence_only(root, arguments) if alone else _run(root, arguments, say)
    except (BareFailed, CommandFailed, LoadFailed, evidence.EvidenceFailed, StartFailed, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if arguments.json:
        print(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        print("\n".join(evidence.lines(document["evidence"])) if alone else report.text(document))
    return 0 if document["failed"] == 0 and document["stopped_cleanly"] else 1


if __name__ == "__main__":
    sys.exit(main())
