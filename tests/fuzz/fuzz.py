#!/usr/bin/python3
"""Runs the fuzz targets and keeps what is worth keeping (`./run fuzz`).

    fuzz.py --bin FOLDER [--minutes N] [--target T ...] [--jobs N] [--work FOLDER] [--no-merge]

The time is shared by the targets. Each goes on from the corpus in the tree, from what earlier runs
left under the work folder, and from the seeds. A finding is kept in the work folder, told with the
command that shows it again, and makes the exit code 1. Afterwards the corpus in the tree is made anew:
the fewest inputs that reach all that was reached, and every finding that was ever kept in it.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS, DICTIONARIES = os.path.join(HERE, "corpus"), os.path.join(HERE, "dict")
MAX_BYTES = {"source_file": 16384, "form": 12288, "evidence_files": 24576}
OTHER_MAX_BYTES = 4096
KEPT_PREFIX = "finding-"  # a reproducer in the tree's corpus stays there, whatever it reaches
MERGE_SECONDS = 300
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1:abort_on_error=1",
                   UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")


@dataclasses.dataclass
class Outcome:
    """What came of one target."""

    target: str
    runs: int = 0
    per_second: int = 0
    coverage: int = 0
    features: int = 0
    inputs: int = 0
    finding: str = ""


class Fuzzer:
    """One target's program and folders."""

    def __init__(self, target, options):
        self.target, self.options = target, options
        self.program = os.path.join(options.bin, target + "_fuzz")
        self.tree = os.path.join(CORPUS, target)
        self.work = os.path.join(options.work, "corpus", target)
        self.seeds = os.path.join(options.work, "seeds", target)
        self.findings = os.path.join(options.work, "findings")
        self.log = os.path.join(options.work, "logs", target + ".log")
        for folder in (self.tree, self.work, self.seeds, self.findings, os.path.dirname(self.log)):
            os.makedirs(folder, exist_ok=True)

    def _flags(self):
        size = MAX_BYTES.get(self.target, OTHER_MAX_BYTES)
        flags = ["-max_len=%d" % size, "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1",
                 "-artifact_prefix=%s/%s-" % (self.findings, self.target)]
        dictionary = os.path.join(DICTIONARIES, self.target + ".dict")
        return flags + (["-dict=" + dictionary] if os.path.exists(dictionary) else [])

    def run(self, seconds):
        command = [self.program, *self._flags(), "-max_total_time=%d" % seconds,
                   self.work, self.tree, self.seeds]
        with open(self.log, "w", encoding="utf-8") as log:
            code = subprocess.run(command, stdout=log, stderr=log, env=ENVIRONMENT, check=False,
                                  cwd=self.options.work).returncode
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return self._read(log.read(), code)

    def _read(self, text, code):
        outcome = Outcome(self.target)
        numbers = dict(re.findall(r"^stat::(\w+):\s+(\d+)", text, re.MULTILINE))
        outcome.runs = int(numbers.get("number_of_executed_units", 0))
        outcome.per_second = int(numbers.get("average_exec_per_sec", 0))
        reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", text)
        if reached:
            outcome.coverage, outcome.features, outcome.inputs = map(int, reached[-1])
        if code != 0:
            written = re.findall(r"Test unit written to (\S+)", text)
            outcome.finding = written[-1] if written else "see " + self.log
        return outcome

    def merge(self):
        """The tree's corpus anew: as few inputs as reach what all of them reach."""
        with tempfile.TemporaryDirectory(dir=self.options.work) as new:
            command = [self.program, *self._flags(), "-set_cover_merge=1",
                       new, self.tree, self.work, self.seeds]
            with open(self.log, "a", encoding="utf-8") as log:
                code = subprocess.run(command, stdout=log, stderr=log, env=ENVIRONMENT, check=False,
                                      timeout=MERGE_SECONDS, cwd=self.options.work).returncode
            if code != 0 or not os.listdir(new):
                return
            for name in os.listdir(self.tree):
                if not name.startswith(KEPT_PREFIX):
                    os.unlink(os.path.join(self.tree, name))
            for name in os.listdir(new):
                shutil.copyfile(os.path.join(new, name), os.path.join(self.tree, name))


class Progress:
    """One line for each target that ends."""

    def __init__(self, total):
        self._total, self._done, self._lock, self._from = total, 0, threading.Lock(), time.monotonic()

    def tell(self, outcome):
        with self._lock:
            self._done += 1
            print("[%2d/%d] %4d s  %-20s %s" % (
                self._done, self._total, time.monotonic() - self._from, outcome.target,
                "FINDING " + outcome.finding if outcome.finding else "%d runs" % outcome.runs),
                file=sys.stderr, flush=True)


def known_targets(folder):
    return sorted(name[: -len("_fuzz")] for name in os.listdir(folder) if name.endswith("_fuzz"))


def one(fuzzer, seconds, progress, merging):
    outcome = fuzzer.run(seconds)
    progress.tell(outcome)
    if merging and not outcome.finding:
        fuzzer.merge()
    return outcome


def print_table(outcomes):
    print("%-20s %12s %9s %9s %9s %7s %7s" % (
        "target", "executions", "exec/s", "coverage", "features", "inputs", "kept"))
    for outcome in outcomes:
        kept = len(os.listdir(os.path.join(CORPUS, outcome.target)))
        print("%-20s %12d %9d %9d %9d %7d %7d%s" % (
            outcome.target, outcome.runs, outcome.per_second, outcome.coverage, outcome.features,
            outcome.inputs, kept, "  FINDING" if outcome.finding else ""))


def report(outcomes, options, seconds):
    print_table(outcomes)
    found = [outcome for outcome in outcomes if outcome.finding]
    print("%d targets, %d executions, %d s of fuzzing, %d findings" % (
        len(outcomes), sum(outcome.runs for outcome in outcomes), seconds * len(outcomes), len(found)))
    for outcome in found:
        print("  %s: %s_fuzz %s" % (outcome.target, os.path.join(options.bin, outcome.target),
                                    outcome.finding))
        print("    fix it, then keep it: cp %s %s" % (
            outcome.finding, os.path.join(CORPUS, outcome.target, KEPT_PREFIX + "<name>")))
    return 1 if found else 0


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", required=True, help="the folder with the targets' programs")
    parser.add_argument("--minutes", type=float, default=2, help="of fuzzing, in all (2)")
    parser.add_argument("--target", action="append", help="this one only; may be given more than once")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time (2)")
    parser.add_argument("--work", default=".build/fuzz", help="where inputs and findings are kept")
    parser.add_argument("--no-merge", action="store_true", help="leave the corpus in the tree alone")
    options = parser.parse_args(arguments)
    options.bin, options.work = os.path.abspath(options.bin), os.path.abspath(options.work)
    return parser, options


def main(arguments):
    parser, options = parse(arguments)
    targets = known_targets(options.bin)
    unknown = set(options.target or []) - set(targets)
    if unknown or not targets:
        parser.error("no target %s; there are: %s" % (", ".join(sorted(unknown)), " ".join(targets)))
    targets = sorted(set(options.target or targets))
    os.makedirs(options.work, exist_ok=True)
    subprocess.run([os.path.join(options.bin, "seeds"), os.path.join(options.work, "seeds")], check=True,
                   env=ENVIRONMENT)
    seconds = max(1, round(options.minutes * 60 / len(targets)))
    progress = Progress(len(targets))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(
            lambda target: one(Fuzzer(target, options), seconds, progress, not options.no_merge), targets))
    return report(outcomes, options, seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
