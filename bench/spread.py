"""Medians with their spread, and ratios round by round: what disturbs a round disturbs both sides of it."""

import statistics


def spread(values):
    """Median, least and most."""
    return {"median": round(statistics.median(values), 4), "min": round(min(values), 4), "max": round(max(values), 4)}


def side(slices, figures=("per_second", "p50_ms", "p99_ms")):
    """One side over all rounds."""
    return {**{figure: spread([one[figure] for one in slices]) for figure in figures},
            "n": sum(one["n"] for one in slices), "failed": sum(one["failed"] for one in slices)}


def ratio(ours, theirs, figure):
    """Of the rounds' own ratios; 0 where nothing could be compared."""
    return spread([own[figure] / other[figure] for own, other in zip(ours, theirs) if other[figure] > 0] or [0.0])


def cpu(slices):
    """Milliseconds of processor time per case by role: medians."""
    return {role: round(statistics.median(one["cpu_ms"][role] for one in slices), 3) for role in slices[0]["cpu_ms"]}


def text(entry, digits=1):
    """For people: the median, and least and most in brackets."""
    return f"{entry['median']:.{digits}f} ({entry['min']:.{digits}f}-{entry['max']:.{digits}f})"
