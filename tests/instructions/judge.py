"""What a profile says of a program's stages, and whether that is more than what was kept."""

import os

import yaml

_HERE = os.path.dirname(os.path.abspath(__file__))
STAGES = os.path.join(_HERE, "stages.yaml")

# A stage or a program may take so much more or less than what is kept.
BAND = 0.10
# What a stage varies by itself, as a part of all stages of its program.
LEAST = 0.01
# What no stage has: half as much again, and a tenth of what all stages have.
REST_BAND, REST_LEAST = 0.50, 0.10
# What is done by the clock, a second, on a machine that keeps up; on a busy one it is less.
CLOCK_MOST = {"adapter": 3000000, "broker": 30000000, "window": 10000000, "consent": 15000000}


class Unknown(Exception):
    """A stage names a function that was not executed."""


def read_stages(path=STAGES):
    """By program: what its stages are made of."""
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


class _Threads:
    """All threads of one program that do not work by the clock, added up."""

    def __init__(self, profiles, by_clock, anywhere):
        self._profiles, self._clock = [], 0
        for profile in profiles:
            if any(2 * profile.inclusive[root] > profile.total for root in by_clock):
                self._clock += profile.total
            else:
                self._profiles.append(profile)
        # Whatever thread comes first does it, once a second.
        hidden = sum(_below(profile, anywhere) for profile in self._profiles)
        self.total = sum(profile.total for profile in self._profiles) - hidden
        self.by_clock = self._clock + hidden

    def cost(self, stage):
        """Instructions of a stage. What it is without is looked for only in threads that had to do with it."""
        cost = 0
        for profile in self._profiles:
            whole = _below(profile, stage["of"])
            if whole > 0:
                cost += max(whole - _below(profile, stage.get("without", ())), 0)
        return cost

    def calls(self, function):
        return sum(profile.count_of(function) for profile in self._profiles)


def _below(profile, terms):
    """Instructions below functions, or below the calls "caller>callee"."""
    pairs = [term.partition(">") for term in terms]
    return sum(profile.under[caller, callee] if callee else profile.inclusive[caller] for caller, _, callee in pairs)


def measure(program, plan, profiles, num, seconds):
    """What `program` took for each of `num` cases (or reads) by stage; `plan` is its part of read_stages."""
    threads = _Threads(profiles, plan["by_clock"], plan.get("by_clock_anywhere", ()))
    stages, whole = {}, 0
    for stage in plan["stages"]:
        cost = threads.cost(stage)
        if cost == 0:
            raise Unknown(f"{program}: stage \"{stage['name']}\": {' '.join(stage['of'])} was not executed; "
                          "has it another name now? (tests/instructions/stages.yaml)")
        whole += cost
        stages[stage["name"]] = round(cost / (threads.calls(stage["of"][0]) if stage.get("each") else num))
    return {"stages": stages, "sum": round(whole / num), "rest": max(round((threads.total - whole) / num), 0),
            "by_clock_a_second": round(threads.by_clock / seconds)}


def _change(found, kept):
    return found / kept - 1 if kept else 0.0


def _sentence(what, found, kept):
    more = "more" if found > kept else "less"
    return (f"{what}: {found:,} instructions, {abs(_change(found, kept)):.1%} {more} than the {kept:,} kept "
            "(tests/instructions/kept.json)")


def _is_out(found, kept, band, least):
    return abs(found - kept) > max(band * kept, least)


def compare(program, unit, found, kept):
    """A sentence for everything that is out of its band; the arguments are what measure returned."""
    least = LEAST * kept["sum"]
    for name in sorted(set(found["stages"]) ^ set(kept["stages"])):
        yield f"{program}, stage \"{name}\" is only in one of what is counted and what is kept: renew"
    for name in found["stages"]:
        if name in kept["stages"] and _is_out(found["stages"][name], kept["stages"][name], BAND, least):
            yield _sentence(f"{program}, stage \"{name}\", {unit}", found["stages"][name], kept["stages"][name])
    if _is_out(found["sum"], kept["sum"], BAND, 0):
        yield _sentence(f"{program}, all stages, {unit}", found["sum"], kept["sum"])
    if found["rest"] > kept["rest"] and _is_out(found["rest"], kept["rest"], REST_BAND, REST_LEAST * kept["sum"]):
        yield _sentence(f"{program}, outside of every stage, {unit}", found["rest"], kept["rest"])
    if found["by_clock_a_second"] > CLOCK_MOST[program]:
        yield (f"{program}, by the clock, a second: {found['by_clock_a_second']:,} instructions; "
               f"{CLOCK_MOST[program]:,} is the most (tests/instructions/judge.py)")


def table(found, kept):
    """Lines for people: every program's stages, and the change against what is kept."""
    for program, counts in found.items():
        before = kept.get(program, {"stages": {}})
        yield f"{program:<44}{'instructions':>14}{'share':>8}{'change':>9}"
        rows = [(name, counts["stages"][name], before["stages"].get(name)) for name in counts["stages"]]
        rows += [(name, counts[key], before.get(key)) for name, key in (
            ("all stages", "sum"), ("outside of every stage", "rest"),
            ("by the clock, a second", "by_clock_a_second"))]
        for name, now, then in rows:
            change = f"{_change(now, then):+.1%}" if then else "new"
            yield f"  {name:<42}{now:>14,}{now / counts['sum']:>8.1%}{change:>9}"
        yield ""
