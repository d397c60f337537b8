"""The evidence log by itself, beside raw SQLite commits of the same bytes, and what it says in the report."""

import json
import os
import subprocess

_SIDES = (("ours", "full entries, 64 a commit"), ("raw", "raw FULL commits, 64 each"),
          ("idle", "one entry, idle log"), ("idle_raw", "one raw commit"),
          ("new_subjects", "entries, each about a new subject"))


class EvidenceFailed(Exception):
    """bench-evidence did not do its work; the text is its own sentence."""


def measure(binaries, folder, entries):
    """Grows a log to so many entries in the folder; bench-evidence's JSON."""
    os.makedirs(folder, exist_ok=True)
    run = subprocess.run([os.path.join(binaries, "bench-evidence"), folder, str(entries)],
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise EvidenceFailed(run.stderr.strip()[-300:] or f"exit status {run.returncode}")
    found = json.loads(run.stdout)
    database = os.path.getsize(os.path.join(folder, "log", "evidence.db"))
    found["bytes_per_entry"] = round(database / found["verify"]["leaves"], 1)
    return found


def lines(found):
    """For people."""
    yield (f"evidence log of {found['entries']} entries (leaf, encrypted detail, use counter), each "
           "batch durable")
    yield f"  {'':<36}{'entries/s':>12}{'p50 ms':>10}{'p99 ms':>10}"
    for name, said in _SIDES:
        side = found[name]
        yield f"  {said:<36}{side['per_second']:>12.0f}{side['p50_ms']:>10.3f}{side['p99_ms']:>10.3f}"
    yield (f"  ours / raw: {found['ratio']:.2f} in the same turns; a commit of ours took "
           f"{found['ours_batch']:.0f} entries")
    costs = ", ".join(f"{cost['us_per_entry']:.1f} at {cost['at']}" for cost in found["cost"])
    yield f"  us per entry as the log grows: {costs}"
    yield (f"  opening it: {found['open_ms']:.0f} ms; an entry is {found['bytes_per_entry']:.0f} bytes of its "
           "database")
    yield (f"  verifying, leaves/s and core: {found['verify_export']['per_second_per_core']:.0f} of an "
           f"export, {found['verify']['per_second_per_core']:.0f} with details, keys and pages")
    yield ""
