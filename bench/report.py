"""One report of all parts, as JSON or as a table for people."""

import evidence
import targets
from spread import cpu, ratio, side, spread
from spread import text as figure

_STEPS = (("open", "open the case"), ("grants", "ask for the grant"),
          ("confirm", "confirm at the desk"), ("collect", "collect from ten departments"),
          ("close", "close the case"))
_ROLES = (("adapter", "adapter (largest of ten)"), ("broker", "broker"),
          ("consent", "consent office"), ("window", "window agent"))


def _ratios(ours, theirs):
    return {"forms_per_second": ratio(ours, theirs, "per_second"),
            "p50": ratio(ours, theirs, "p50_ms"), "p99": ratio(ours, theirs, "p99_ms")}


def _stages(slices):
    return {name: spread([one["steps"][name]["p50_ms"] for one in slices if name in one["steps"]]
                          or [0.0]) for name, _ in _STEPS}


def level(in_flight, baseline, coalesced, forms, collects):
    """Everything about one number in flight; the arguments are slices by round."""
    slices = (*forms, *baseline, *coalesced, *collects)
    return {
        "in_flight": in_flight,
        "ours": side(forms), "baseline": side(baseline), "streams": side(coalesced),
        "collect_alone": side(collects),
        "ratio": _ratios(forms, baseline), "streams_ratio": _ratios(forms, coalesced),
        "collect_ratio": _ratios(collects, baseline),
        "stages_p50_ms": _stages(forms),
        "cpu_ms_per_form": {"ours": cpu(forms), "baseline": cpu(baseline), "streams": cpu(coalesced)},
        "failures": sorted({one["failure"] for one in slices if "failure" in one}),
    }


def num_failed(found):
    """Cases, reads and calls that failed anywhere in a document. A part or side that counts its own says
    for all that is in it."""
    if isinstance(found, dict):
        return found["failed"] if "failed" in found else sum(map(num_failed, found.values()))
    return sum(map(num_failed, found)) if isinstance(found, list) else 0


# --- the table ---

def row(label, one):
    """One side of a comparison."""
    return (f"  {label:<20}{figure(one['per_second']):>24}{figure(one['p50_ms'], 2):>24}"
            f"{figure(one['p99_ms'], 2):>26}{one['n']:>8}{one['failed']:>7}")


def _ratio_line(label, one):
    return (f"  {label:<20}{figure(one['forms_per_second'], 3):>24}{figure(one['p50']):>24}"
            f"{figure(one['p99']):>26}")


def _level_lines(entry):
    yield f"{entry['in_flight']} in flight"
    yield row("ours, whole case", entry["ours"])
    yield row("ours, collect alone", entry["collect_alone"])
    yield row("bare fan-out", entry["baseline"])
    yield row("bare, coalescing", entry["streams"])
    yield _ratio_line("whole / bare", entry["ratio"])
    yield _ratio_line("whole / coalescing", entry["streams_ratio"])
    yield _ratio_line("collect / bare", entry["collect_ratio"])
    yield ""


def _stage_lines(levels):
    yield "where a case's time goes: p50 in ms" \
        + "".join(f"{entry['in_flight']:>9}" for entry in levels) + "  in flight"
    for name, said in _STEPS:
        yield f"  {said:<33}" + "".join(f"{entry['stages_p50_ms'][name]['median']:>9.1f}"
                                        for entry in levels)
    yield ""


def _cpu_lines(levels):
    yield "processor time per case in ms, all processes of a role together"
    for entry in levels:
        for which in ("ours", "baseline", "streams"):
            used = entry["cpu_ms_per_form"][which]
            parts = ", ".join(f"{role} {ms:.2f}" for role, ms in sorted(used.items()))
            yield (f"  {entry['in_flight']:>2} in flight, {which:<9}{sum(used.values()):>8.2f}: "
                   f"{parts}")
    yield ""


def _memory_lines(memory):
    crowd = f"{memory['crowd_cases']} cases"
    if memory["failed"] > 0:
        yield f"failed: {memory['failed']} of {crowd} at once: {memory['failure']}"
    yield f"{'anonymous resident memory in MiB':<40}{'idle':>9}{'loaded':>9}{crowd:>12}   KiB a case then"
    for role, said in _ROLES:
        idle, loaded, crowded = (memory[when][role] / 1024 for when in ("idle", "loaded", "crowd"))
        yield (f"  {said:<38}{idle:>9.1f}{loaded:>9.1f}{crowded:>12.1f}"
               f"{memory['kib_per_case'][role]:>10.1f}")
    yield ""


def _counted_lines(stages):
    yield "stages as the nodes count them, microseconds on average (record and deliver contain the wait for the disk)"
    for entry in stages:
        for role in ("adapter", "broker"):
            parts = ", ".join(f"{stage} {us:.0f}" for stage, us in entry[role + "_us"].items())
            yield f"  {entry['in_flight']:>2} in flight, {role:<8}{parts}"
    yield ""


def _start_lines(start):
    yield "from start to serving, ms, a TLS handshake and health check included: " + ", ".join(
        f"{role} {figure(took, 0)}" for role, took in sorted(start.items()))
    yield ""


def _machine_lines(document):
    machine, plan = document["machine"], document["plan"]
    yield (f"{machine['cores']} cores of {machine['processor']}, Linux {machine['kernel']}, "
           f"{machine['memory_mib']} MiB")
    yield (f"fdatasync p50 {machine['fdatasync_p50_us']} us; load average before: "
           f"{machine['load_before']}")
    yield (f"rounds: {plan['rounds']}, each side {plan['seconds']:g} s, in turn; medians "
           f"(least-most); applicants: {plan['applicants']}")
    yield ""


def _fanout_lines(document):
    ours, bare = document["bytes_per_hop"]["ours"], document["bytes_per_hop"]["baseline"]
    yield (f"bytes of a case on the wire: {ours['case_request']} to the broker, "
           f"{ours['case_answer']} back; to each of ten departments")
    yield (f"{ours['department_request']} (bare {bare['department_request']}), "
           f"back {ours['department_answer']} (bare {bare['department_answer']})")
    yield ""
    yield f"{'':<22}{'forms/s':>24}{'p50 ms':>24}{'p99 ms':>26}{'n':>8}{'failed':>7}"
    for entry in document["levels"]:
        yield from _level_lines(entry)
    yield from _stage_lines(document["levels"])
    yield from _cpu_lines(document["levels"])


# Which lines stand for which part of the document, in the report's order.
_WRITERS = (("stages", _counted_lines), ("memory_kib", _memory_lines), ("start", _start_lines),
            ("evidence", evidence.lines))


def text(document, others=()):
    """The report for people; `others` are (key, lines of a part) that modules of their own write."""
    lines = [*_machine_lines(document), *targets.lines(document["targets"])]
    if "levels" in document:
        lines += _fanout_lines(document)
    for key, write in (*_WRITERS, *others):
        if document.get(key):
            lines += write(document[key])
    lines += [f"failed: {failure}" for entry in document.get("levels", ()) for failure in entry["failures"]]
    lines += [f"left out: {why}" for why in document["left_out"]]
    lines += [f"floor broken: {sentence}" for sentence in document.get("floors_broken", ())]
    lines.append(f"took {document['seconds']:.0f} s; {document['failed']} cases failed")
    return "\n".join(lines)
