"""What must not get worse: for each guarded figure 80 % of what was reached when the floors were last
renewed (`./run bench --renew-floors`), in floors.json."""

import json
import os

from targets import holds, part_of

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "floors.json")
BROKEN = 3          # the exit status
_KEPT = 0.8


class BadFloors(Exception):
    """floors.json is not what --renew-floors writes."""


def of(relation, reached):
    """80 % of a figure; where less is better, what is as much worse."""
    return round(reached * _KEPT if relation == ">=" else reached / _KEPT, 4)


def renewed(old, targets):
    """The floors after a run: new for what it measured, as before for what it left out."""
    fresh = {name: {"relation": one["relation"], "reached": one["measured"],
                    "floor": of(one["relation"], one["measured"])}
             for name, one in targets.items() if one["measured"] is not None}
    return {**old, **fresh}


def broken(floors, targets, parts):
    """A sentence for each floor that a run of these parts is below. A guarded figure that they should have
    measured and have not is broken as well."""
    found = []
    for name, floor in floors.items():
        if part_of(name) not in parts:
            continue
        measured = targets[name]["measured"] if name in targets else None
        if measured is None:
            found.append(f"{name} is guarded and was not measured")
        elif not holds(measured, floor["relation"], floor["floor"]):
            word = "below" if floor["relation"] == ">=" else "above"
            found.append(f"{name} is {measured:g}, {word} its floor of {floor['floor']:g} "
                         f"(reached before: {floor['reached']:g})")
    return found


def load(path=FILE):
    """The floors; BadFloors for anything else in the file."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BadFloors(f"{path}: {error}") from None
    for name, floor in found.items():
        if not isinstance(floor, dict) or floor.get("relation") not in (">=", "<=") \
                or not all(isinstance(floor.get(which), (int, float)) for which in ("floor", "reached")):
            raise BadFloors(f"{path}: {name} is no floor")
    return found


def save(floors, path=FILE):
    """Whole or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(floors, file, indent=1, sort_keys=True)
        file.write("\n")
    os.replace(path + ".new", path)
