"""The incumbent's mix of sizes: reads of one department through the whole federation, beside a bare fan-out to
one echo. An answer of ours has at most 32 KiB, padded to what its section declares, so that its size tells
nothing; what the mix has above is cut to that, and the bare side is measured with the sizes as they are and
as they are cut."""

import os

import reading
import report
import spread

# (bytes of an answer, of how many in a thousand), as the issue has it; the odd one is with the most.
MIX = ((2 * 1024, 300), (10 * 1024, 601), (100 * 1024, 90), (2 * 1024 * 1024, 9))
OUR_MOST_BYTES = 32 * 1024    # LB_MAX_ANSWER_BYTES
LEVELS = (1, 64)
_SIDES = ("ours", "bare_cut", "bare")
_REQUEST_BYTES = 4800
_FIRST_READS = {1: 200, 64: 1000}
_ROOM = 1.3
_MOST_READS = 50000


def cut(mix, most):
    """The mix with nothing above `most`."""
    found = {}
    for size, share in mix:
        found[min(size, most)] = found.get(min(size, most), 0) + share
    return tuple(found.items())


def mean(mix):
    """Bytes of an answer on average."""
    return sum(size * share for size, share in mix) / sum(share for _, share in mix)


def _option(mix):
    return ",".join(f"{size}:{share}" for size, share in mix)


class _Loads:
    """Slices of the three sides."""

    def __init__(self, bench, federation, plan, bare):
        self._bench, self._federation, self._plan, self._bare = bench, federation, plan, bare
        self._file = os.path.join(federation.root, "payload.json")
        self._rates = {}
        reading.write(federation, self._file)

    def ours(self, level):
        rate = self._rates.get(level)
        seconds = self._plan["seconds"] + self._plan["warm_ms"] / 1000
        num = _FIRST_READS[level] if rate is None else min(_MOST_READS, int(_ROOM * rate * seconds) + 256)
        pids = self._bench.pids()
        result = self._bench.timed(
            "through", level, self._plan["seconds"], {role: pids[role] for role in ("adapter", "broker")},
            "--target", self._federation.members["broker"].address, "--plan", self._file, "--reads", str(num),
            "--sizes", _option(cut(MIX, OUR_MOST_BYTES)), caller="window")
        self._rates[level] = result["per_second"]
        return result

    def _of_bare(self, level, mix):
        return self._bench.timed("bare", level, self._plan["seconds"], {"baseline": self._bare.pids}, "--target",
                                 self._bare.target, "--request-bytes", str(_REQUEST_BYTES), "--sizes",
                                 _option(mix))

    def bare_cut(self, level):
        return self._of_bare(level, cut(MIX, OUR_MOST_BYTES))

    def bare(self, level):
        return self._of_bare(level, MIX)


def _level(in_flight, slices):
    found = {"in_flight": in_flight}
    for name, some in slices.items():
        found[name] = spread.side(some)
        found[name]["cpu_ms"] = spread.cpu(some)
    found["ratio"] = {name: spread.ratio(slices["ours"], slices[name], "per_second")
                      for name in ("bare_cut", "bare")}
    return found


def _start_bare(bare):
    bare.start_echo("--sized", "--reply-bytes", str(max(size for size, _ in MIX)))
    bare.start_fanout([bare.target], "--part-bytes", str(_REQUEST_BYTES), "--reply-bytes", "1")


def measure(bench, federation, plan, say):
    """All three sides in turn."""
    slices = {level: {side: [] for side in _SIDES} for level in LEVELS}
    bare = bench.bare(sizes=None)
    try:
        _start_bare(bare)
        loads = _Loads(bench, federation, plan, bare)
        for level in LEVELS:
            loads.ours(level)  # tells how many a slice takes
        for number in range(plan["rounds"]):
            say(f"mix of sizes, round {number + 1} of {plan['rounds']}")
            for level in LEVELS:
                for side in _SIDES[:: 1 if number % 2 == 0 else -1]:
                    slices[level][side].append(getattr(loads, side)(level))
    finally:
        bare.stop()
    every = [one for by_side in slices.values() for some in by_side.values() for one in some]
    return {"levels": [_level(level, by_side) for level, by_side in slices.items()],
            "mix": [list(part) for part in MIX], "our_most_bytes": OUR_MOST_BYTES,
            "mean_bytes": {"ours": round(mean(cut(MIX, OUR_MOST_BYTES))), "bare": round(mean(MIX))},
            "failures": sorted({one["failure"] for one in every if "failure" in one})}


def lines(found):
    """For people."""
    kinds = ", ".join(f"{size} bytes {share / 10:g} %" for size, share in found["mix"])
    yield f"mix of sizes: {kinds}; one department through the broker"
    yield (f"an answer of ours has at most {found['our_most_bytes']} bytes: larger ones are cut to that, on average "
           f"{found['mean_bytes']['ours']}; as they are, {found['mean_bytes']['bare']}")
    yield f"{'':<22}{'answers/s':>24}{'p50 ms':>24}{'p99 ms':>26}{'n':>8}{'failed':>7}"
    for level in found["levels"]:
        yield f"{level['in_flight']} in flight"
        for side, said in (("ours", "ours, cut"), ("bare_cut", "bare, cut"), ("bare", "bare, as they are")):
            yield report.row(said, level[side])
        for side, said in (("bare_cut", "ours / bare, cut"), ("bare", "ours / bare")):
            yield f"  {said:<20}{spread.text(level['ratio'][side], 3):>24}"
    yield from (f"failed: {failure}" for failure in found["failures"])
    yield ""
