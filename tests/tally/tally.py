#!/usr/bin/python3
"""Counts what a test runner did, from what it wrote: "PASSED FAILED SKIPPED" on one line.

    tally.py bazel EVENTS LOG    bazel's --build_event_json_file, and its output
    tally.py unittest LOG...     the output of python3 -m unittest, of one run or of several

What failed is shown on stderr.
"""

import json
import os
import re
import sys
import urllib.parse

SHOWN_LINES = 60
# What a program says while all is well.
NOISE = re.compile(r"\[ RUN  |\[       OK|\{\"time\"|exec \$\{PAGER")


def show(title, lines):
    """Tells the end of a log, which is where the reason stands."""
    print("--- %s" % title, file=sys.stderr)
    for line in [line for line in lines if not NOISE.match(line)][-SHOWN_LINES:]:
        print("    " + line, file=sys.stderr)


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def count_log(lines, passed):
    """(passed, failed, skipped) of one test program; a program that is not cmocka's is one test."""
    text = "\n".join(lines)

    def total(word):
        return sum(map(int, re.findall(r"^\[ +%s +\] (\d+) test" % word, text, re.MULTILINE)))

    counts = total("PASSED"), total("FAILED"), total("SKIPPED")
    if passed:
        return counts if sum(counts) else (1, 0, 0)
    # One that died has no last line: what went well before counts, and the death is the failure.
    begun = len(re.findall(r"^\[ +OK +\] ", text, re.MULTILINE))
    return (counts[0] or begun, max(counts[1], 1), counts[2])


class Events:
    """What bazel's event file says about each test target."""

    def __init__(self, path):
        self.results = {}
        self.broken = []  # neither built nor tried
        self.ended = None  # bazel's own last word
        for line in read_lines(path):
            event = json.loads(line)
            identity = event.get("id", {})
            if "testResult" in identity and "testResult" in event:
                self._result(identity["testResult"]["label"], event["testResult"])
            elif "targetCompleted" in identity:
                self._completed(identity["targetCompleted"]["label"], event)
            elif "buildFinished" in identity:
                self.ended = event.get("finished", {}).get("exitCode", {}).get("name")
        self.broken = sorted(set(self.broken) - set(self.results))

    def _result(self, label, result):
        log = next((output["uri"] for output in result.get("testActionOutput", [])
                    if output["name"] == "test.log"), "")
        self.results[label] = (result["status"] in ("PASSED", "FLAKY"),
                               urllib.parse.unquote(urllib.parse.urlparse(log).path))

    def _completed(self, label, event):
        if not event.get("completed", {}).get("success"):
            self.broken.append(label)


def bazel(events_path, log_path):
    """Every test of every target; a target that doesn't build is a failure, and so is a bazel that died or
    was stopped, whatever had passed until then."""
    events = Events(events_path)
    totals = [0, 0, 0]
    for label, (passed, log) in sorted(events.results.items()):
        lines = read_lines(log)
        counts = count_log(lines, passed)
        totals = [total + count for total, count in zip(totals, counts)]
        if not passed:
            show(label, lines)
    totals[1] += len(events.broken)
    if events.broken or not events.results:
        show("not built: %s" % (" ".join(events.broken) or "anything"),
             list(dict.fromkeys(line for line in read_lines(log_path)
                                if re.search(r"\berror\b", line, re.IGNORECASE))))
        totals[1] = max(totals[1], 1)
    elif events.ended != "SUCCESS" and totals[1] == 0:
        show("bazel ended with %s" % (events.ended or "no word of its own"), read_lines(log_path))
        totals[1] = 1
    return totals


def unittest(*log_paths):
    """The sums of what each run says."""
    return [sum(counts) for counts in zip(*map(one_unittest, log_paths))]


def one_unittest(log_path):
    """The counts of the last lines; no such lines, and the run died."""
    lines = read_lines(log_path)
    text = "\n".join(lines)
    ran = re.search(r"^Ran (\d+) tests? in", text, re.MULTILINE)
    verdict = re.search(r"^(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", text, re.MULTILINE)
    if not ran or not verdict:
        show(log_path, lines)
        return [0, 1, 0]
    numbers = dict(re.findall(r"([a-z ]+)=(\d+)", verdict.group(2) or ""))
    counts = {name.strip(): int(number) for name, number in numbers.items()}
    failed = sum(counts.get(name, 0) for name in ("failures", "errors", "unexpected successes"))
    skipped = counts.get("skipped", 0)
    if verdict.group(1) == "FAILED":
        failed = max(failed, 1)
        start = text.find("=" * 70)
        show(log_path, text[start if start >= 0 else 0 :].splitlines())
    return [max(int(ran.group(1)) - failed - skipped, 0), failed, skipped]


def main(arguments):
    counters = {"bazel": bazel, "unittest": unittest}
    if len(arguments) < 2 or arguments[0] not in counters:
        print(__doc__, file=sys.stderr)
        return 2
    print(*counters[arguments[0]](*arguments[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
