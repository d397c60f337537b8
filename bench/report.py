"""One report of all slices: medians and spread, ratios, stages, memory; as JSON or as a table."""

import statistics

import evidence

_FIGURES = ("per_second", "p50_ms", "p99_ms")
_STEPS = (("open", "open the case"), ("grants", "ask for the grant"),
          ("confirm", "confirm at the desk"), ("collect", "collect from ten departments"),
          ("close", "close the case"))
_ROLES = (("adapter", "adapter (largest of ten)"), ("broker", "broker"),
          ("consent", "consent office"), ("window", "window agent"))


def _spread(values):
    return {"median": round(statistics.median(values), 4), "min": round(min(values), 4),
            "max": round(max(values), 4)}


def _side(slices):
    """One side at one level over all rounds."""
    side = {figure: _spread([one[figure] for one in slices]) for figure in _FIGURES}
    side["n"] = sum(one["n"] for one in slices)
    side["failed"] = sum(one["failed"] for one in slices)
    return side


def _ratio(ours, theirs, figure):
    """Of the rounds' own ratios: what disturbs a round disturbs both sides of it."""
    return _spread([own[figure] / other[figure] for own, other in zip(ours, theirs)
                    if other[figure] > 0] or [0.0])


def _cpu(slices):
    return {role: round(statistics.median(one["cpu_ms"][role] for one in slices), 3)
            for role in slices[0]["cpu_ms"]}


def _stages(slices):
    return {name: _spread([one["steps"][name]["p50_ms"] for one in slices if name in one["steps"]]
                          or [0.0]) for name, _ in _STEPS}


def level(in_flight, baseline, forms, collects):
    """Everything about one number in flight; the arguments are slices by round."""
    slices = (*forms, *baseline, *collects)
    return {
        "in_flight": in_flight,
        "ours": _side(forms), "baseline": _side(baseline), "collect_alone": _side(collects),
        "ratio": {"forms_per_second": _ratio(forms, baseline, "per_second"),
                  "p50": _ratio(forms, baseline, "p50_ms"),
                  "p99": _ratio(forms, baseline, "p99_ms")},
        "collect_ratio": {"forms_per_second": _ratio(collects, baseline, "per_second"),
                          "p50": _ratio(collects, baseline, "p50_ms"),
                          "p99": _ratio(collects, baseline, "p99_ms")},
        "stages_p50_ms": _stages(forms),
        "cpu_ms_per_form": {"ours": _cpu(forms), "baseline": _cpu(baseline)},
        "failures": sorted({one["failure"] for one in slices if "failure" in one}),
    }


def whole(machine, plan, num_bytes, levels, memory):
    """The document."""
    failed = sum(entry[side]["failed"] for entry in levels
                 for side in ("ours", "baseline", "collect_alone"))
    return {"machine": machine, "plan": plan, "bytes_per_hop": num_bytes, "levels": levels,
            "memory_kib": memory, "failed": failed}


# --- the table ---

def _figure(entry, digits=1):
    return f"{entry['median']:.{digits}f} ({entry['min']:.{digits}f}-{entry['max']:.{digits}f})"


def _row(label, side):
    return (f"  {label:<20}{_figure(side['per_second']):>24}{_figure(side['p50_ms']):>24}"
            f"{_figure(side['p99_ms']):>26}{side['n']:>7}{side['failed']:>7}")


def _ratio_line(label, ratio):
    return (f"  {label:<20}{_figure(ratio['forms_per_second'], 3):>24}{_figure(ratio['p50']):>24}"
            f"{_figure(ratio['p99']):>26}")


def _level_lines(entry):
    yield f"{entry['in_flight']} in flight"
    yield _row("ours, whole case", entry["ours"])
    yield _row("ours, collect alone", entry["collect_alone"])
    yield _row("bare fan-out", entry["baseline"])
    yield _ratio_line("whole / bare", entry["ratio"])
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
        for side in ("ours", "baseline"):
            used = entry["cpu_ms_per_form"][side]
            parts = ", ".join(f"{role} {ms:.2f}" for role, ms in sorted(used.items()))
            yield (f"  {entry['in_flight']:>2} in flight, {side:<9}{sum(used.values()):>8.2f}: "
                   f"{parts}")
    yield ""


def _memory_lines(memory):
    yield f"{'anonymous resident memory in MiB':<40}{'idle':>9}{'loaded':>9}"
    for role, said in _ROLES:
        idle, loaded = (memory[when][role] / 1024 for when in ("idle", "loaded"))
        yield f"  {said:<38}{idle:>9.1f}{loaded:>9.1f}"
    yield ""


def _head_lines(document):
    machine, plan, sizes = document["machine"], document["plan"], document["bytes_per_hop"]
    ours, bare = sizes["ours"], sizes["baseline"]
    yield (f"{machine['cores']} cores of {machine['processor']}, Linux {machine['kernel']}, "
           f"{machine['memory_mib']} MiB")
    yield (f"fdatasync p50 {machine['fdatasync_p50_us']} us; load average before: "
           f"{machine['load_before']}")
    yield (f"rounds: {plan['rounds']}, each side {plan['seconds']:g} s, in turn; medians "
           f"(least-most); applicants: {plan['applicants']}")
    yield (f"bytes of a case on the wire: {ours['case_request']} to the broker, "
           f"{ours['case_answer']} back; to each of ten departments")
    yield (f"{ours['department_request']} (bare {bare['department_request']}), "
           f"back {ours['department_answer']} (bare {bare['department_answer']})")
    yield ""


def text(document):
    """The report for people."""
    lines = list(_head_lines(document))
    lines.append(f"{'':<22}{'forms/s':>24}{'p50 ms':>24}{'p99 ms':>26}{'n':>7}{'failed':>7}")
    for entry in document["levels"]:
        lines += _level_lines(entry)
    lines += _stage_lines(document["levels"])
    lines += _cpu_lines(document["levels"])
    lines += _memory_lines(document["memory_kib"])
    lines += evidence.lines(document["evidence"])
    lines += [f"failed: {failure}" for entry in document["levels"] for failure in entry["failures"]]
    lines.append(f"took {document['seconds']:.0f} s; {document['failed']} cases failed")
    return "\n".join(lines)
