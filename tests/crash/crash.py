#!/usr/bin/python3
"""Kills a broker and an adapter under load, again and again, and checks after each restart that no
evidence is lost, nothing signed is rolled back and nothing counted twice.

    crash.py --bin DIR --crash-bin DIR [--rounds N | --minutes M] [--seed S] [--json] [--keep]
    crash.py --bin DIR --brokers [--rounds N] [--cases N] [--listening] [--seed S] [--json] [--keep]
    crash.py --bin DIR --submissions [--rounds N] [--cases N] [--seed S] [--json] [--keep]
    crash.py --bin DIR --away [SECONDS] [--every SECONDS] [--json] [--keep]

A round is one SIGKILL at a random instant, of one of the two or of both. Among the rounds each point of
tests/crash/points.h is passed once by each program, which then dies there.

With --brokers the ten departments have two brokers and no port of their own, and a round is so many cases, in
the middle of which one broker is killed, asked to stop, or frozen. With --submissions so many cases are handed
to departments while brokers, adapters and the agent are killed so many times (300), one broker for good.
With --away one department is stopped for so long, in real time, while cases go on.
"""

import argparse
import collections
import json
import os
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import away  # noqa: E402
import brokers  # noqa: E402
import changes  # noqa: E402
import submissions  # noqa: E402
from checks import Checks  # noqa: E402
from clerks import enrolled  # noqa: E402
from ground import ADAPTER, BROKER, Ground, wait_until  # noqa: E402

# A point, and at which passage at most: those that come often are left to pass for a while.
POINTS = {
    "staging": 40, "tile-before": 1, "tile-after": 1, "sign": 20, "commit-before": 20, "commit-after": 20,
    "wal-torn": 60, "wal-written": 60, "wal-unsynced": 20, "wal-synced": 20, "ratchet-before": 20,
    "ratchet-torn": 20, "ratchet-after": 20, "checkpoint-before": 1, "checkpoint-after": 1,
    "database-torn": 30, "database-unsynced": 1, "database-synced": 1,
}
RANDOM = "random"
INSTANT_SECONDS = 0.25
POINT_SECONDS = 30
ANSWERS = 8


class Campaign:
    """Rounds against one federation, which lives through all of them."""

    def __init__(self, ground, seed):
        self._ground, self._dice = ground, random.Random(seed)
        self._checks = Checks(ground)
        self.kills = collections.Counter()
        self.rounds = 0
        self.wrong = []
        self.unreached = []

    def begin(self):
        for name in self._ground.nodes:
            self._ground.start(name)
        self._ground.ask()
        self._ground.wait_answers(1)

    def instant(self):
        """A round at a random instant."""
        victims = self._dice.choice(([ADAPTER], [BROKER], [ADAPTER, BROKER]))
        time.sleep(self._dice.uniform(0, INSTANT_SECONDS))
        for name in victims:
            self._ground.nodes[name].kill()
        self.kills[RANDOM] += 1
        self._recover(victims, f"{'+'.join(victims)} killed")

    def point(self, name, point):
        """A round at a point. The node is killed to be started anew, and dies by itself."""
        node = self._ground.nodes[name]
        node.kill()
        self._ground.start(name, f"{point}:{self._dice.randint(1, POINTS[point])}")
        try:
            wait_until(lambda: not node.is_running, POINT_SECONDS, point)
            self.kills[f"{name} {point}"] += 1
        except TimeoutError:
            self.unreached.append(f"{name} {point}")
            node.kill()
        self._recover([name], f"{name} died at {point}")

    def _recover(self, victims, what):
        for name in victims:
            self._ground.start(name)
        found = []
        try:
            self._ground.wait_answers(ANSWERS)
        except TimeoutError as late:
            found.append(str(late))
        for name in self._ground.nodes:
            found += self._checks.log(name)
        self.rounds += 1
        self.wrong += [f"round {self.rounds}, {what}: {sentence}" for sentence in found]

    def end(self):
        """Everything stops cleanly, and is whole."""
        unclean = self._ground.stop()
        self.wrong += [f"{name} did not stop cleanly" for name in unclean]
        for name in self._ground.nodes:
            self.wrong += [f"at the end: {sentence}" for sentence in self._checks.log(name)]

    def report(self, seconds):
        return {"rounds": self.rounds, "seconds": round(seconds, 1),
                "seconds_per_round": round(seconds / max(self.rounds, 1), 2), "kills": dict(self.kills),
                "answers": self._ground.kept.answers, "entries_found_again": self._checks.entries,
                "checkpoints_held": self._checks.roots, "points_not_reached": self.unreached,
                "wrong": self.wrong}


def plan(rounds, points):
    """The rounds in order, the points spread evenly among them: None for a random instant."""
    total, left = rounds + len(points), iter(points)
    return [next(left) if at * len(points) // total < (at + 1) * len(points) // total else None
            for at in range(total)]


def run(campaign, steps, until, told=None):
    """Plays the steps, or as many as fit; stops at ten things wrong."""
    began = time.monotonic()
    try:
        campaign.begin()
        for step in steps:
            if time.monotonic() > until or len(campaign.wrong) >= 10:
                break
            if step is None:
                campaign.instant()
            else:
                campaign.point(*step)
            if told is not None:
                told(campaign, len(steps))
    finally:
        campaign.end()
    return campaign.report(time.monotonic() - began)


def _tell(campaign, total):
    if sys.stderr.isatty() or campaign.rounds % 20 == 0:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"  {campaign.rounds} of {total} rounds, {len(campaign.wrong)} wrong", end=end, file=sys.stderr,
              flush=True)


def _print(report):
    print(f"\n{report['rounds']} rounds in {report['seconds']} s ({report['seconds_per_round']} s each)")
    for place, num in sorted(report["kills"].items()):
        print(f"  {num:5}  {place}")
    print(f"{report['answers']} answers received; {report['entries_found_again']} entries shown and found "
          f"again, {report['checkpoints_held']} checkpoints shown and held to")
    for place in report["points_not_reached"]:
        print(f"not reached: {place}")
    for sentence in report["wrong"]:
        print(f"WRONG  {sentence}")


def _run_brokers(folder, options, seed):
    """The campaign of tests/crash/brokers.py; its report."""
    def tell(number, rounds, failover):
        print(f"  {number} of {rounds} rounds, {failover.cases} cases, {len(failover.wrong)} wrong",
              file=sys.stderr, flush=True)

    federation = brokers.made(brokers.populated(folder, options.bin, attached=not options.listening))
    try:
        federation.start()
        return brokers.campaign(federation, seed, options.cases, options.rounds or 4, tell)
    finally:
        federation.stop()


def _run_changes(folder, options, _seed):
    """The campaign of tests/crash/changes.py; its report."""
    def tell(step, load):
        print(f"  {step}: {load.right} cases right, {len(load.wrong)} wrong, {load.behind} wait", file=sys.stderr,
              flush=True)

    federation = brokers.populated(folder, options.bin, not options.listening, 1 if options.alone else 2)
    campaign = changes.Changes(federation)
    brokers.made(federation)
    try:
        federation.start()
        return changes.campaign(campaign, options.rate, options.bin, tell)
    finally:
        federation.stop()


def _run_submissions(folder, options, seed):
    """The campaign of tests/crash/submissions.py; its report."""
    federation = brokers.made(brokers.populated(folder, options.bin, attached=False))
    try:
        federation.start()
        return submissions.campaign(federation, seed, options.cases, options.rounds or 300)
    finally:
        federation.stop()


def _run_away(folder, options, _seed):
    """The campaign of tests/crash/away.py; its report."""
    def tell(absence):
        print(f"  {len(absence.handed)} cases handed over, {len(absence.wrong)} wrong", file=sys.stderr, flush=True)

    federation = brokers.made(brokers.populated(folder, options.bin, attached=False, brokers=1))
    try:
        federation.start()
        absence = away.Absence(federation, enrolled(federation, away.DEPARTMENTS, 2))
        return away.campaign(absence, options.away, options.every, tell)
    finally:
        federation.stop()


def _run_points(folder, options, seed):
    points = [(name, point) for point in POINTS for name in (ADAPTER, BROKER)]
    until = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    ground = Ground(folder, options.bin, options.crash_bin)
    rounds = 500 if options.rounds is None else options.rounds
    return run(Campaign(ground, seed), plan(rounds, points), until, _tell)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", required=True, help="the released programs")
    parser.add_argument("--crash-bin", help="those of tests/crash")
    parser.add_argument("--rounds", type=int, default=None, help="random instants (500; with --brokers 4)")
    parser.add_argument("--minutes", type=float, help="end after so long")
    parser.add_argument("--seed", type=int, default=None, help="the same instants and points again")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    parser.add_argument("--brokers", action="store_true", help="two brokers, one of which ends")
    parser.add_argument("--submissions", action="store_true", help="parts of cases, while their programs die")
    parser.add_argument("--away", type=float, nargs="?", const=3600, metavar="SECONDS",
                        help="a department that is away for so long (3600)")
    parser.add_argument("--every", type=float, default=60, help="seconds between cases of --away (60)")
    parser.add_argument("--cases", type=int, default=200, help="in a round of --brokers; of --submissions (200)")
    parser.add_argument("--changes", action="store_true", help="all keys, members and versions change under load")
    parser.add_argument("--rate", type=int, default=50, help="cases a second of --changes (50)")
    parser.add_argument("--alone", action="store_true", help="one broker in --changes, not two")
    parser.add_argument("--listening", action="store_true", help="the departments of --brokers or --changes listen")
    options = parser.parse_args()
    campaign, tell = ((_run_brokers, brokers.tell_report) if options.brokers else
                      (_run_changes, changes.tell_report) if options.changes else
                      (_run_submissions, submissions.tell_report) if options.submissions else
                      (_run_away, away.tell_report) if options.away else
                      (_run_points, _print))
    if campaign is _run_points and options.crash_bin is None:
        parser.error("--crash-bin is missing")
    folder = tempfile.mkdtemp(prefix="lianban-crash-")
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}, in {folder}", file=sys.stderr)
    try:
        report = campaign(folder, options, seed)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    report["seed"] = seed
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        tell(report)
    return 1 if report["wrong"] or report.get("points_not_reached") else 0


if __name__ == "__main__":
    sys.exit(main())
