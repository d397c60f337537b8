"""The parts of a run that take place in one federation: it is made, measured and stopped here."""

import datetime
import time

import yaml

import fanout
import machine
import metrics
import payload
import single
import starting
from federation import Federation
from generate import DEFAULT_SEED
from measure import Bench

_SETTLE_SECONDS = 1
# A thousand cases at once on two cores take longer than a citizen should wait, and are to end and not to be refused.
_DEADLINE_MS = 60000
PARTS = ("fanout", "pgfdw", "stages", "payload", "memory", "start", "single")


def _prepare(federation, people):
    federation.populate(DEFAULT_SEED, people, datetime.date.today())
    federation.make()
    window = federation.members["window"].config
    with open(window, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    config["deadline_ms"] = config["wait_ms"] = _DEADLINE_MS
    with open(window, "w", encoding="utf-8") as file:
        yaml.safe_dump(config, file, allow_unicode=True)
    for member in federation.members.values():
        if member.kind in ("adapter", "broker"):
            metrics.serve(member.config)


def _loaded(federation, bench, plan, parts, optional, say, found):
    """What runs under the eye of the memory's peak."""
    if "fanout" in parts:
        found.update(fanout.measure(bench, plan, say))
    elif "memory" in parts:
        bench.forms(64, plan["seconds"])
    if "pgfdw" in parts:
        # pgbench counts in whole seconds.
        unhurried = dict(plan, seconds=max(1.0, plan["seconds"]))
        found.update(optional.measure("pgfdw", "pgfdw", bench, federation, unhurried, say))
    if "stages" in parts:
        found["stages"] = fanout.stages(bench, federation, plan, say)
    if "payload" in parts:
        found["payload"] = payload.measure(bench, federation, plan, say)


def _measure(federation, bench, plan, parts, optional, say):
    say("a federation of ten departments and, beside it, the bare fan-outs")
    _prepare(federation, plan["people"])
    found = {"machine": machine.describe(federation.root)}
    federation.start()
    time.sleep(_SETTLE_SECONDS)
    idle = fanout.idle(bench)
    bench.start(plan["applicants"])
    with bench.watched() as peak:
        _loaded(federation, bench, plan, parts, optional, say, found)
    if "memory" in parts:
        found["memory_kib"] = fanout.memory(bench, federation, idle, peak, plan["crowd"], say)
    if "start" in parts:
        found["start"] = starting.measure(federation, plan, say)
    if "single" in parts:  # stops the broker
        found["single"] = single.measure(bench, federation, plan, say)
    return found


def measure(root, binaries, bench_binaries, plan, parts, optional, say):
    """The named parts; whatever happens, nothing is left running."""
    # The same few applicants apply over and over.
    federation = Federation(root, binaries, share_runs=1000000)
    bench = Bench(federation, bench_binaries, plan["warm_ms"])
    try:
        found = _measure(federation, bench, plan, parts, optional, say)
    finally:
        bench.stop()
        unclean = federation.stop()
    found["stopped_cleanly"] = not unclean
    return found
