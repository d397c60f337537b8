"""What issue and README promise beside what was measured: the targets, each with `met`.

Ratios are medians of the ratios of each round, of figures of one run.
"""

# id, name, relation, required
_OWN = (
    ("cases_64_unary", "ten-department cases/s at 64 in flight / bare unary fan-out", ">=", 1.2),
    ("cases_64_streams", "ten-department cases/s at 64 in flight / bare coalescing-stream fan-out", ">=", 0.12),
    ("case_p50_1", "p50 of a case at 1 in flight / bare unary fan-out", "<=", 1.6),
    ("single_fresh_64", "single reads/s at 64 in flight, fresh grant / bare echo", ">=", 0.4),
    ("single_cached_64", "single reads/s at 64 in flight, cached grant / bare echo", ">=", 0.7),
    ("adapter_idle_mib", "anonymous resident MiB, adapter idle", "<=", 8),
    ("adapter_loaded_mib", "anonymous resident MiB, adapter under load", "<=", 32),
    ("broker_crowd_mib", "anonymous resident MiB, broker with 1,024 cases in flight", "<=", 64),
    ("adapter_start_ms", "ms from start to serving, adapter", "<=", 200),
    ("broker_start_ms", "ms from start to serving, broker", "<=", 200),
)
# By the first word of a target; those of pgfdw.py and grow.py say themselves what they require.
_PARTS = {"cases": "fanout", "case": "fanout", "single": "single", "adapter": "memory", "broker": "memory",
          "pgfdw": "pgfdw", "growth": "growth"}
_FULL_CROWD = 1024


def part_of(target):
    """Which part of a run measures it."""
    if target.endswith("_start_ms"):
        return "start"
    return _PARTS.get(target.partition("_")[0])


def _level(document, in_flight):
    for level in document.get("levels", ()):
        if level["in_flight"] == in_flight:
            return level
    raise KeyError(in_flight)


def _memory(document, when, role):
    return document["memory_kib"][when][role] / 1024


def _crowd(document):
    """Fewer cases at once say nothing of 1,024, nor do as many of which some were turned away."""
    if document["memory_kib"]["crowd_cases"] < _FULL_CROWD or document["memory_kib"]["failed"] > 0:
        raise KeyError("crowd")
    return _memory(document, "crowd", "broker")


def _single(document, kind):
    (level,) = [one for one in document["single"]["levels"] if one["in_flight"] == 64]
    return level["ratio"][kind]["per_second"]["median"]


_MEASURED = {
    "cases_64_unary": lambda d: _level(d, 64)["ratio"]["forms_per_second"]["median"],
    "cases_64_streams": lambda d: _level(d, 64)["streams_ratio"]["forms_per_second"]["median"],
    "case_p50_1": lambda d: _level(d, 1)["ratio"]["p50"]["median"],
    "single_fresh_64": lambda d: _single(d, "fresh"),
    "single_cached_64": lambda d: _single(d, "cached"),
    "adapter_idle_mib": lambda d: _memory(d, "idle", "adapter"),
    "adapter_loaded_mib": lambda d: _memory(d, "loaded", "adapter"),
    "broker_crowd_mib": _crowd,
    "adapter_start_ms": lambda d: d["start"]["adapter"]["median"],
    "broker_start_ms": lambda d: d["start"]["broker"]["median"],
}


def holds(measured, relation, required):
    """Whether a measured figure keeps to what is required; one that is not there does not."""
    if measured is None:
        return False
    return measured >= required if relation == ">=" else measured <= required


def _entry(name, relation, required, measured):
    return {"name": name, "relation": relation, "required": required,
            "measured": None if measured is None else round(measured, 4),
            "met": holds(measured, relation, required)}


def judge(document, others=()):
    """{id: {name, relation, required, measured, met}} of a run's document; `others` are the targets that
    parts name themselves. What a run did not measure has None and is not met."""
    found = {}
    for target, name, relation, required in _OWN:
        try:
            measured = _MEASURED[target](document)
        except KeyError:
            measured = None
        found[target] = _entry(name, relation, required, measured)
    for one in others:
        found[one["id"]] = _entry(one["name"], one["relation"], one["required"], one["measured"])
    return found


def lines(found):
    """For people."""
    yield f"{'targets':<84}{'required':>10}{'measured':>12}"
    for entry in found.values():
        measured = "not here" if entry["measured"] is None else f"{entry['measured']:.3g}" \
            if entry["measured"] < 100 else f"{entry['measured']:.0f}"
        required = f"{entry['relation']} {entry['required']:g}"
        yield f"  {entry['name']:<82}{required:>10}{measured:>12}  {'met' if entry['met'] else '-'}"
    yield ""
