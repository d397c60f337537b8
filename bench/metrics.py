"""How long the stages of a read take, as the nodes themselves count them (docs/OPERATIONS.md, Metrics)."""

import json
import re
import urllib.request

_SECONDS = 10
_STAGE = re.compile(r'lianban_stage_seconds_(sum|count)\{stage="(\w+)"\} (\S+)')
_STAGES = {"adapter": ("verify", "open", "judge", "query", "shape", "record", "seal"),
           "broker": ("route", "fan_out", "deliver")}


def serve(config):
    """Has the node of this configuration serve its metrics; before it is started."""
    with open(config, "a", encoding="utf-8") as file:
        file.write("metrics: 127.0.0.1:0\n")


def _url(process):
    with open(process.log, encoding="utf-8", errors="replace") as file:
        said = [json.loads(line) for line in file if '"metrics"' in line and line.endswith("}\n")]
    return f"http://127.0.0.1:{[line['port'] for line in said if line['event'] == 'metrics'][-1]}/metrics"


def read(text):
    """{stage: (seconds, times)} of an exposition."""
    found = {}
    for which, stage, value in _STAGE.findall(text):
        found.setdefault(stage, {})[which] = float(value)
    return {stage: (both["sum"], both["count"]) for stage, both in found.items()}


def scrape(processes):
    """The same of several nodes together."""
    total = {}
    for process in processes:
        with urllib.request.urlopen(_url(process), timeout=_SECONDS) as answer:
            for stage, (seconds, times) in read(answer.read().decode("utf-8")).items():
                before = total.get(stage, (0, 0))
                total[stage] = (before[0] + seconds, before[1] + times)
    return total


def between(role, before, after):
    """{stage: microseconds on average} of what was counted between two scrapes of a role's nodes."""
    found = {}
    for stage in _STAGES[role]:
        seconds, times = (now - then for now, then in zip(after.get(stage, (0, 0)), before.get(stage, (0, 0))))
        if times > 0:
            found[stage] = round(1e6 * seconds / times, 1)
    return found
