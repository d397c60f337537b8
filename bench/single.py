"""Single reads through one adapter, beside a bare unary echo of messages as large."""

import os

import reading
import report
import spread
import traffic

LEVELS = (1, 64)
_KINDS = ("fresh", "cached")
_USUAL_BYTES = (4000, 2000)
_SIZING_READS = 64
_FRAMING_BYTES = 80           # what HTTP/2 and TLS add to a unary call's message
_FIRST_READS = {1: 500, 64: 2000}
_ROOM = 1.3                   # reads that are made ready, over those of the slice before
_MOST_READS = 100000


class _Side:
    """Ours: a load that is the broker of one adapter. What is made ready before the clock starts is as
    much as the last slice needed, and some more."""

    def __init__(self, bench, federation, plan):
        self._bench, self._federation, self._plan = bench, federation, plan
        self._file = os.path.join(federation.root, "reads.json")
        self._status = os.path.join(federation.root, "status.jwt")
        self._rates = {}
        reading.write(federation, self._file)
        self._refresh()

    def _refresh(self):
        """The office's newest list: adapters trust none that is some minutes old."""
        with open(self._status, "w", encoding="ascii") as file:
            file.write(self._federation.desk.status_list())

    @property
    def pid(self):
        return self._federation.processes[reading.DEPARTMENT].pid

    def _reads(self, kind, in_flight):
        rate = self._rates.get((kind, in_flight))
        seconds = self._plan["seconds"] + self._plan["warm_ms"] / 1000
        return _FIRST_READS[in_flight] if rate is None else min(_MOST_READS, int(_ROOM * rate * seconds) + 256)

    def slice(self, kind, in_flight, num=None):
        self._refresh()
        result = self._bench.timed(
            "link", in_flight, self._plan["seconds"], {"adapter": [self.pid]},
            "--target", self._federation.members[reading.DEPARTMENT].address, "--plan", self._file,
            "--status", self._status, "--reads", str(num or self._reads(kind, in_flight)),
            *(["--cached"] if kind == "cached" else []), caller="broker")
        self._rates[kind, in_flight] = result["per_second"]
        return result

    def num_bytes(self):
        """(of a read, of its answer) on the wire at one in flight, by the kernel's counters."""
        port = int(self._federation.members[reading.DEPARTMENT].address.rpartition(":")[2])
        counted = traffic.Watch(self.pid, port)
        with counted:
            result = self.slice("fresh", 1, _SIZING_READS)
        return counted.per(result["ended"]) or _USUAL_BYTES


def _level(in_flight, slices):
    found = {"in_flight": in_flight, "ratio": {}}
    for side, some in slices.items():
        found[side] = spread.side(some)
        found[side]["cpu_ms"] = spread.cpu(some)
    for kind in _KINDS:
        found["ratio"][kind] = {
            "per_second": spread.ratio(slices[kind], slices["echo"], "per_second"),
            "p50": spread.ratio(slices[kind], slices["echo"], "p50_ms")}
    return found


def _rounds(ours, bench, echo, plan, say):
    slices = {level: {side: [] for side in (*_KINDS, "echo")} for level in LEVELS}
    for level in LEVELS:
        for kind in _KINDS:
            ours.slice(kind, level)  # tells how many a slice takes
    for number in range(plan["rounds"]):
        say(f"single reads, round {number + 1} of {plan['rounds']}")
        for level in LEVELS:
            for side in (*_KINDS, "echo")[:: 1 if number % 2 == 0 else -1]:
                slices[level][side].append(ours.slice(side, level) if side != "echo" else echo(level))
    return slices


def measure(bench, federation, plan, say):
    """The federation's broker is stopped meanwhile: the load takes its place at the adapter."""
    say("single reads through one adapter")
    ours = _Side(bench, federation, plan)
    federation.processes["broker"].stop()
    asked, answered = ours.num_bytes()
    bare = bench.bare(sizes=None)
    try:
        bare.start_echo("--reply-bytes", str(answered - _FRAMING_BYTES))

        def echo(level):
            return bench.timed("bare", level, plan["seconds"], {"echo": bare.pids}, "--target", bare.target,
                               "--request-bytes", str(asked - _FRAMING_BYTES))

        slices = _rounds(ours, bench, echo, plan, say)
    finally:
        bare.stop()
    every = [one for by_side in slices.values() for some in by_side.values() for one in some]
    return {"levels": [_level(level, by_side) for level, by_side in slices.items()],
            "bytes": {"read": asked, "answer": answered},
            "failures": sorted({one["failure"] for one in every if "failure" in one})}


def lines(found):
    """For people."""
    yield (f"single reads over one link ({found['bytes']['read']} bytes there, {found['bytes']['answer']} "
           "back), beside a unary echo of as many")
    yield f"{'':<22}{'reads/s':>24}{'p50 ms':>24}{'p99 ms':>26}{'n':>8}{'failed':>7}"
    for level in found["levels"]:
        yield f"{level['in_flight']} in flight"
        for side, said in (("fresh", "fresh grant"), ("cached", "cached grant"), ("echo", "bare echo")):
            yield report.row(said, level[side])
        for kind in _KINDS:
            ratio = level["ratio"][kind]
            yield (f"  {kind + ' / echo':<20}{spread.text(ratio['per_second'], 3):>24}"
                   f"{spread.text(ratio['p50']):>24}")
        for side in (*_KINDS, "echo"):
            used = ", ".join(f"{role} {ms:.3f}" for role, ms in sorted(level[side]["cpu_ms"].items()))
            yield f"  processor ms a read, {side}: {used}"
    yield from (f"failed: {failure}" for failure in found["failures"])
    yield ""
