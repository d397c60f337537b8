"""How a case grows: with the subjects in the departments' databases, with the departments a form asks, with
the fields of a view, and with the cases in flight. Sizes are measured in turn, in one run, and a growth is the
median of the rounds' own ratios.
"""

import contextlib
import datetime
import os
import shutil

import grow_people
import spread
from federation import Federation
from generate import DEFAULT_SEED
from grow_city import CLASS, City, form_of_departments, form_of_fields
from grow_load import Load

FORM = "social-assistance"
SUBJECTS = {"quick": (1000, 3000), "full": (10000, 100000, 1000000), "large": (10000, 1000000, 10000000)}
DEPARTMENTS = {"quick": (2, 4), "full": (2, 5, 10, 20, 30)}
FIELDS = {"quick": (1, 40), "full": (1, 3, 25, 250)}
IN_FLIGHT = {"quick": (1, 4), "full": (1, 16, 64, 256, 1024)}
WITHIN = 1.2
_BASE_PEOPLE = {"quick": 300, "full": 2000}
_PERSONS = 16                   # of the demo's who apply, each in every whole copy
_BYTES_A_SUBJECT = 1800         # on disk, in all departments together
_MANY = 64                      # from so many in flight on, one round says enough
_SHARE_RUNS = 1000000           # the same few apply over and over


def measure(root, binaries, bench_binaries, plan, say):
    """Starts federations of its own under `root` and stops them. Raises what their start and the load raise."""
    with _keys_made_once(root):
        found = {"subjects": _subjects(root, binaries, bench_binaries, plan, say)}
        found.update(_city(root, binaries, bench_binaries, plan, say))
    found["failed"] = 0         # one at a time none may; how many of a crowd did is told with it
    found["curves"] = curves(found)
    return found


def growth(slices, smallest, largest, figure=lambda one: one["p50_ms"]):
    """The figure of the largest size over that of the smallest, round by round."""
    return spread.spread([figure(big) / figure(small) for small, big in zip(slices[smallest], slices[largest])])


def collect_ms(one):
    """Of a slice of whole cases, the part that asks the departments."""
    return one["steps"]["collect"]["p50_ms"]


def targets(found):
    """What growth is asked to stay within."""
    subjects, fields, departments = found["subjects"], found["fields"], found["departments"]
    return [
        {"id": "growth_subjects", "relation": "<=", "required": WITHIN,
         "measured": subjects["growth"]["p50_ms"]["median"],
         "name": f"p50 of a case, {_short(subjects['from'])} to {_short(subjects['to'])} subjects"},
        {"id": "growth_fields", "relation": "<=", "required": WITHIN, "measured": fields["growth"]["p50_ms"]["median"],
         "name": f"p50 of a case, view of {fields['from']} to {fields['to']} fields of which 3 asked"},
        {"id": "growth_departments", "relation": "<=", "required": WITHIN,
         "measured": departments["growth"]["ours / bare"]["median"],
         "name": f"growth of p50, {departments['from']} to {departments['to']} departments / the bare fan-out's own"},
    ]


def lines(found):
    """For people."""
    told = ["growth: p50 in ms of a whole case at 1 in flight, of its collecting, and processor ms of one"]
    for part, what in (("subjects", "subjects"), ("fields", "fields in a view"), ("departments", "departments")):
        for size in found[part]["sizes"]:
            bare = f"; bare fan-out {spread.text(size['bare']['p50_ms'], 2)}" if "bare" in size else ""
            told.append(f"  {_short(size[part]):>8} {what:<18}{spread.text(size['ours']['p50_ms'], 2):>25}"
                        f"{spread.text(size['collect_p50_ms'], 2):>25}{sum(size['cpu_ms'].values()):>8.1f}{bare}")
        told.append("  " + ", ".join(f"{figure}: {spread.text(ratio, 2)}" for figure, ratio
                                     in found[part]["growth"].items()) + f"  ({_ends(found[part])})")
    told.append(f"growth: cases a second by cases in flight, {found['departments_in_flight']} departments each")
    for level in found["in_flight"]:
        told.append(f"  {level['in_flight']:>8} in flight {spread.text(level['ours']['per_second']):>24}, bare fan-out "
                    f"{spread.text(level['bare']['per_second']):>24}; p99 {level['ours']['p99_ms']['median']:.0f} ms"
                    + (f"; {level['ours']['failed']} refused or too late" if level["ours"]["failed"] else ""))
    return told + [f"  left out: {sentence}" for sentence in found["subjects"]["left_out"]] + [""]


def curves(found):
    """For the page's charts."""
    drawn = []
    for part, title in (("subjects", "subjects in the departments' databases"), ("fields", "fields in a view, 3 asked"),
                        ("departments", "departments asked")):
        sizes = found[part]["sizes"]
        series = [{"label": "case", "points": [[size[part], size["ours"]["p50_ms"]["median"]] for size in sizes]},
                  {"label": "collect", "points": [[size[part], size["collect_p50_ms"]["median"]] for size in sizes]}]
        if "bare" in sizes[0]:
            series.append({"label": "bare fan-out",
                           "points": [[size[part], size["bare"]["p50_ms"]["median"]] for size in sizes]})
        drawn.append({"title": "p50 by " + title, "x_label": title, "y_label": "ms", "log_x": True, "series": series})
    points = {side: [[level["in_flight"], level[side]["per_second"]["median"]] for level in found["in_flight"]]
              for side in ("ours", "bare")}
    drawn.append({"title": "cases a second by cases in flight", "x_label": "in flight", "y_label": "cases/s",
                  "log_x": True, "series": [{"label": side, "points": points[side]} for side in points]})
    return drawn


# --- subjects ---

def _subjects(root, binaries, bench_binaries, plan, say):
    sizes, left_out = _sizes_with_room(root, plan)
    slices, about = {size: [] for size in sizes}, {}
    with contextlib.ExitStack() as stack:
        loads, people = {}, None
        for size in sizes:
            say(f"growth: ten departments with {_short(size)} subjects")
            federation = Federation(os.path.join(root, f"subjects-{size}"), binaries, share_runs=_SHARE_RUNS)
            stack.callback(_gone, federation)
            about[size], codes = _populate(federation, size, plan)
            federation.start()
            people = people or whole_people(federation, _PERSONS)
            loads[size] = Load(bench_binaries, federation, applicants(people, codes), plan["warm_ms"])
        for number in range(plan["rounds"]):
            for size in sizes if number % 2 == 0 else reversed(sizes):
                slices[size].append(loads[size].forms(FORM, 1, plan["seconds"]))
    return {**_grown("subjects", slices), "bytes": about, "left_out": left_out}


def _sizes_with_room(root, plan):
    """The sizes that fit the disk beside each other; and sentences about the others."""
    sizes, left_out = [], []
    free = shutil.disk_usage(root).free // 2
    for size in SUBJECTS["quick" if plan.get("quick") else "large" if plan.get("large") else "full"]:
        free -= size * _BYTES_A_SUBJECT
        if free < 0:
            left_out.append(f"{_short(size)} subjects: {_short(size * _BYTES_A_SUBJECT)} bytes of disk are needed")
        else:
            sizes.append(size)
    return sizes, left_out


def _populate(federation, size, plan):
    """Databases of so many subjects; bytes on disk, and the codes of the copies that are whole."""
    num = federation.populate(DEFAULT_SEED, _base(plan), datetime.date.today())
    copies = max(1, round(size / num) - 1)
    people = [person.id_no for household in federation.people.households for person in household.people]
    taken = grow_people.enlarge(os.path.join(federation.root, "departments"), people, copies)
    federation.make()
    return taken, grow_people.whole_of(grow_people.codes_of(copies))


def whole_people(federation, num):
    """(id_no, name, class) of adults who live alone and about whom every department knows what the form asks."""
    chosen = []
    everybody = [person.id_no for household in federation.people.households for person in household.people]
    may_be = set(grow_people.copied(everybody))
    for household in federation.households:
        person = household["members"][0]
        if len(household["members"]) > 1 or household["class"] == "MANUAL" or person["id_no"] not in may_be:
            continue
        outcome = federation.window.apply(household["members"])
        federation.window.discard(outcome.case_id)
        if outcome.class_id == household["class"] and all(fact.state == "ok" for fact in outcome.facts):
            chosen.append((person["id_no"], person["name"], household["class"]))
        if len(chosen) == num:
            break
    return chosen


def applicants(people, codes):
    """Every copy of those people: one person after the other, so that neighbours in the list are none on disk."""
    return [(grow_people.number_of(id_no, code), name, class_id) for code in codes for id_no, name, class_id in people]


# --- departments, fields, in flight ---

def _city(root, binaries, bench_binaries, plan, say):
    scale = "quick" if plan.get("quick") else "full"
    federation = Federation(os.path.join(root, "city"), binaries, share_runs=_SHARE_RUNS)
    try:
        say(f"growth: {max(DEPARTMENTS[scale])} departments and a view of {max(FIELDS[scale])} fields")
        federation.populate(DEFAULT_SEED, _base(plan), datetime.date.today())
        adults = [person for household in federation.people.households for person in household.people
                  if person.age >= 18 and not person.died]
        city = City(federation, DEPARTMENTS[scale], FIELDS[scale])
        city.come([person.id_no for person in adults])
        federation.make()
        federation.start()
        load = Load(bench_binaries, federation, [(p.id_no, p.name, CLASS) for p in adults], plan["warm_ms"])
        return {"fields": _fields(load, FIELDS[scale], plan),
                **_departments(load, city, scale, plan, say)}
    finally:
        _gone(federation)


def _fields(load, sizes, plan):
    slices = {size: [] for size in sizes}
    for number in range(plan["rounds"]):
        for size in sizes if number % 2 == 0 else reversed(sizes):
            slices[size].append(load.forms(form_of_fields(size), 1, plan["seconds"]))
    return _grown("fields", slices)


def _departments(load, city, scale, plan, say):
    """Ours beside a bare fan-out with as many echoes and messages as large."""
    numbers = DEPARTMENTS[scale]
    with contextlib.ExitStack() as stack:
        sizes, bares = {}, {}
        for num in numbers:
            sizes[num] = load.sizes(form_of_departments(num), city.names(num))
            bares[num] = load.fanout(sizes[num], num)
            stack.callback(bares[num].stop)
        say("growth: departments")
        ours, bare = {num: [] for num in numbers}, {num: [] for num in numbers}
        for number in range(plan["rounds"]):
            for num in numbers if number % 2 == 0 else reversed(numbers):
                ours[num].append(load.forms(form_of_departments(num), 1, plan["seconds"]))
                bare[num].append(load.bare(bares[num].target, sizes[num], 1, plan["seconds"]))
        usual = 10 if 10 in numbers else max(numbers)
        case = (form_of_departments(usual), bares[usual].target, sizes[usual])
        crowd = _crowds(load, IN_FLIGHT[scale], case, plan, say)
    return {"departments": _beside(_grown("departments", ours), ours, bare), "in_flight": crowd,
            "departments_in_flight": usual}


def _beside(found, ours, bare):
    """The same with the bare fan-out's figures, and how much more ours grows than it."""
    smallest, largest = found["from"], found["to"]
    for size in found["sizes"]:
        size["bare"] = spread.side(bare[size["departments"]])
    found["growth"]["bare p50_ms"] = growth(bare, smallest, largest)
    found["growth"]["ours / bare"] = spread.spread([
        (ours[largest][i]["p50_ms"] / ours[smallest][i]["p50_ms"]) /
        (bare[largest][i]["p50_ms"] / bare[smallest][i]["p50_ms"]) for i in range(len(ours[smallest]))])
    return found


def _crowds(load, levels, case, plan, say):
    form, target, sizes = case
    found = []
    for level in levels:
        say(f"growth: {level} in flight")
        rounds = plan["rounds"] if level < _MANY else 1
        ours, bare = [], []
        for _ in range(rounds):
            ours.append(load.forms(form, level, plan["seconds"], may_fail=True))
            bare.append(load.bare(target, sizes, level, plan["seconds"]))
        found.append({"in_flight": level, "ours": spread.side(ours), "bare": spread.side(bare),
                      "ratio": spread.ratio(ours, bare, "per_second")})
    return found


# --- all of them ---

def _grown(part, slices):
    """Sizes with their figures, and the growth from the first to the last."""
    sizes = list(slices)
    smallest, largest = sizes[0], sizes[-1]
    return {
        "from": smallest, "to": largest,
        "sizes": [{part: size, "ours": spread.side(slices[size]),
                   "collect_p50_ms": spread.spread([collect_ms(one) for one in slices[size]]),
                   "cpu_ms": spread.cpu(slices[size])} for size in sizes],
        "growth": {"p50_ms": growth(slices, smallest, largest),
                   "collect": growth(slices, smallest, largest, collect_ms),
                   "processor": growth(slices, smallest, largest, lambda one: sum(one["cpu_ms"].values()))}}


def _ends(part):
    return f"{_short(part['from'])} to {_short(part['to'])}"


def _short(num):
    for unit, name in ((10**9, " G"), (10**6, " M"), (10**3, " k")):
        if num >= unit:
            return f"{num / unit:g}{name}"
    return str(num)


def _base(plan):
    return _BASE_PEOPLE["quick" if plan.get("quick") else "full"]


def _gone(federation):
    """Stopped, and its files gone: others follow."""
    federation.stop()
    shutil.rmtree(federation.root, ignore_errors=True)


@contextlib.contextmanager
def _keys_made_once(root):
    """The federations that differ in size only share their keys, as those of the tests do."""
    before = os.environ.get("LIANBAN_KEPT")
    os.environ["LIANBAN_KEPT"] = before or os.path.join(root, "kept")
    try:
        yield
    finally:
        if before is None:
            del os.environ["LIANBAN_KEPT"]
