#!/usr/bin/python3
"""How many machines a province needs, from what one run of the bench measured and from assumptions that are stated.

    capacity.py REPORT.json [--set NAME=VALUE ...] [--json]
    capacity.py REPORT.json --write docs/PERFORMANCE.md     put the tables between the document's markers
    capacity.py --assumptions                               every assumption and its default

REPORT.json is what `./run bench --json` printed. Nothing is rounded before it is shown.
"""

import argparse
import json
import math
import os
import re
import sys

# What nobody measured: name, default, unit, meaning.
ASSUMPTIONS = (
    ("people", 100e6, "people", "who live in the province"),
    ("cases_per_person_year", 2.0, "cases", "one-form cases a person has in a year, all forms together"),
    ("departments", 20, "departments", "that keep an adapter"),
    ("departments_per_case", 10, "departments", "that a case asks; the bench's case asks ten"),
    ("windows", 3000, "windows", "that are open at the morning peak"),
    ("minutes_per_case", 3.0, "minutes", "a window takes for one case while people queue"),
    ("online_factor", 4.0, "", "cases that come online at the peak, for each that comes to a window"),
    ("working_days", 250, "days", "in a year"),
    ("headroom", 2.0, "", "processor bought for each that the peak needs"),
    ("cores_per_machine", 8, "cores", "of one server"),
    ("windows_per_agent", 50, "windows", "that share one agent (a hall)"),
    ("sites", 2, "sites", "each of which carries the whole peak alone"),
    ("copies", 2, "copies", "of every log: the node's and its backup"),
    ("years", 3, "years", "a log is kept on the node"),
    ("entry_bytes", 750, "bytes", "of an entry in evidence.db, where the report has none"),
)
_ROLES = ("adapter", "broker", "consent", "window")
_PEAK_LEVEL = 64
_ENTRIES_PER_DEPARTMENT = 2   # a broker's: ROUTE and DELIVER; an adapter's is one
_CONSENT_ENTRIES, _WINDOW_ENTRIES = 1, 2
_MARKS = re.compile(r"(<!-- (\w+): made by bench/capacity.py -->\n).*?(<!-- end -->)", re.DOTALL)


class Lacking(Exception):
    """A figure that the report does not have, or an assumption that cannot be."""


def assumptions(changes=()):
    """All of them by name; `changes` are "NAME=VALUE"."""
    values = {name: default for name, default, _, _ in ASSUMPTIONS}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in values:
            raise Lacking(f"there is no assumption '{name}'")
        try:
            values[name] = float(text)
        except ValueError:
            raise Lacking(f"{name}: '{text}' is no number") from None
        if not (math.isfinite(values[name]) and values[name] > 0):
            raise Lacking(f"{name} must be more than nothing")
    return values


def measured(report):
    """What is taken from a report of the bench, in base units."""
    level = next((one for one in report.get("levels", ()) if one["in_flight"] == _PEAK_LEVEL), None)
    if level is None:
        raise Lacking(f"the report has no level of {_PEAK_LEVEL} in flight")
    used, hops, memory = level["cpu_ms_per_form"]["ours"], report["bytes_per_hop"]["ours"], report["memory_kib"]
    evidence = report.get("evidence") or {}
    found = {f"{role}_ms": used[role] for role in _ROLES}
    found["adapter_ms"] /= report.get("departments", 10)
    found.update(
        case_bytes=hops["case_request"] + hops["case_answer"],
        department_bytes=hops["department_request"] + hops["department_answer"],
        p50_s=level["ours"]["p50_ms"]["median"] / 1000, entry_bytes=evidence.get("bytes_per_entry"),
        entries_per_second=evidence.get("ours", {}).get("per_second"),
        memory_mib={role: max(memory["loaded"][role], memory.get("crowd", {}).get(role, 0)) / 1024
                    for role in _ROLES})
    return found


def plan(figures, given):
    """The plan: {"peak": .., "roles": .., "logs": .., "network": ..}; figures of `measured`."""
    at_windows = given["windows"] * 60 / given["minutes_per_case"] / 3600
    peak = at_windows * (1 + given["online_factor"])
    yearly = given["people"] * given["cases_per_person_year"]
    asked = given["departments_per_case"]
    busiest = peak                    # a department that every case asks
    work = {"broker": figures["broker_ms"] * asked / 10 * peak, "adapter": figures["adapter_ms"] * busiest,
            "consent": figures["consent_ms"] * peak,
            "window": figures["window_ms"] * peak / math.ceil(given["windows"] / given["windows_per_agent"])}
    nodes = {"broker": 1, "adapter": given["departments"], "consent": 1,
             "window": math.ceil(given["windows"] / given["windows_per_agent"])}
    roles = {}
    for role in _ROLES:
        cores = work[role] / 1000 * given["headroom"]
        machines = max(math.ceil(cores / given["cores_per_machine"]), 1)
        sites = 1 if role == "window" else given["sites"]   # an agent stands in its hall
        roles[role] = {"cores_at_peak": work[role] / 1000, "cores_bought": cores, "machines_each": machines,
                       "nodes": nodes[role], "machines": machines * nodes[role] * sites,
                       "memory_mib": figures["memory_mib"][role]}
    return {"peak": {"cases_per_second_at_windows": at_windows, "cases_per_second": peak,
                     "mean_cases_per_second": yearly / (given["working_days"] * 8 * 3600),
                     "cases_per_year": yearly, "in_flight": peak * figures["p50_s"],
                     "cores_for_all": sum(figures[f"{role}_ms"] * (asked if role == "adapter" else 1)
                                          for role in _ROLES) / 1000 * peak},
            "roles": roles, "logs": _logs(figures, given, yearly, peak), "network": _network(figures, peak, asked)}


def _logs(figures, given, yearly, peak):
    """Entries and bytes of one log of each kind."""
    size = figures["entry_bytes"] or given["entry_bytes"]
    asked, logs = given["departments_per_case"], {}
    per_case = {"broker": _ENTRIES_PER_DEPARTMENT * asked, "adapter": 1, "consent": _CONSENT_ENTRIES,
                "window": _WINDOW_ENTRIES / math.ceil(given["windows"] / given["windows_per_agent"])}
    for role in _ROLES:
        entries = per_case[role] * yearly
        rate, most = per_case[role] * peak, figures["entries_per_second"]
        logs[role] = {"entries_per_case": per_case[role], "entries_per_second": rate,
                      "of_one_log": rate / most if most else None,
                      "entries_per_year": entries, "bytes_per_year": entries * size,
                      "bytes_kept": entries * size * given["years"] * given["copies"]}
    return logs


def _network(figures, peak, asked):
    """Bits a second at the peak."""
    return {"window_to_broker_bits": figures["case_bytes"] * 8 * peak,
            "broker_to_adapters_bits": figures["department_bytes"] * asked * 8 * peak,
            "one_adapter_bits": figures["department_bytes"] * 8 * peak}


# --- for people ---

def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:.2g}"


def _bytes(value):
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value /= 1000
        if unit == "TB":
            break
    return f"{_number(value)} {unit}"


def capacity_lines(figures, given):
    """The plan with its arithmetic, as Markdown."""
    found = plan(figures, given)
    peak, roles, logs = found["peak"], found["roles"], found["logs"]
    yield (f"{_number(given['windows'])} windows × 60 / {_number(given['minutes_per_case'])} minutes a case / 3,600 s "
           f"= {_number(peak['cases_per_second_at_windows'])} cases/s at windows; "
           f"× (1 + {_number(given['online_factor'])} online) = "
           f"**{_number(peak['cases_per_second'])} cases/s at the peak**.")
    yield (f"{_number(given['people'])} people × {_number(given['cases_per_person_year'])} = "
           f"{_number(peak['cases_per_year'])} cases a year; over {_number(given['working_days'])} days of 8 hours "
           f"{_number(peak['mean_cases_per_second'])} cases/s on average; the peak is "
           f"{peak['cases_per_second'] / peak['mean_cases_per_second']:.1f} times that.")
    yield (f"At the measured median of {1000 * figures['p50_s']:.1f} ms (64 in flight) the peak has "
           f"{_number(peak['in_flight'])} cases under way at once, and all programs together use "
           f"{_number(peak['cores_for_all'])} cores of the machine measured.")
    yield ""
    yield "| program | ms of a core | × cases/s | cores | × headroom | machines each | nodes | machines | MiB a node |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for role, row in roles.items():
        share = f" / {row['nodes']:.0f} agents" if role == "window" else ""
        each = f"{figures[role + '_ms']:.2f}" + (f" × {given['departments_per_case']:.0f} / 10"
                                                  if role == "broker" else "")
        yield (f"| {role} | {each} | {_number(peak['cases_per_second'])}{share} | {_number(row['cores_at_peak'])} | "
               f"{_number(row['cores_bought'])} | {row['machines_each']} of {given['cores_per_machine']:.0f} cores | "
               f"{row['nodes']:.0f} | {row['machines']:.0f} | {row['memory_mib']:.0f} |")
    yield ""
    yield "| log of | entries a case | entries/s at the peak | of what one log takes | a year | bytes a year | kept |"
    yield "|---|---|---|---|---|---|---|"
    for role, row in logs.items():
        part = f"{row['of_one_log']:.1%}" if row["of_one_log"] else "not measured"
        yield (f"| {role} | {_number(row['entries_per_case'])} | {_number(row['entries_per_second'])} | {part} | "
               f"{_number(row['entries_per_year'])} | {_bytes(row['bytes_per_year'])} | {_bytes(row['bytes_kept'])} |")
    size = figures["entry_bytes"] or given["entry_bytes"]
    yield ""
    yield (f"An entry is {size:.0f} bytes; kept are {_number(given['years'])} years × "
           f"{_number(given['copies'])} copies. The adapter is one that every case asks; "
           "the log of an agent is of one hall.")
    network = found["network"]
    yield (f"Network at the peak: windows to broker {_number(network['window_to_broker_bits'] / 1e6)} Mbit/s, "
           f"broker to all adapters {_number(network['broker_to_adapters_bits'] / 1e6)}, to one "
           f"{_number(network['one_adapter_bits'] / 1e6)}.")


def assumption_lines(given):
    """Every assumption, as Markdown."""
    yield "| assumption | value | of what |"
    yield "|---|---|---|"
    for name, _, unit, meaning in ASSUMPTIONS:
        yield f"| `{name}` | {_number(given[name])} {unit} | {meaning} |"


def measured_lines(report):
    """What a run measured: its machine, and the targets beside it, as Markdown."""
    machine = report["machine"]
    yield (f"{machine['cores']} cores of {machine['processor']}, Linux {machine['kernel']}, "
           f"{machine['memory_mib']} MiB; fdatasync {machine['fdatasync_p50_us']} us; "
           f"load average before {machine['load_before']}.")
    yield ""
    yield "| what | required | measured | |"
    yield "|---|---|---|---|"
    for entry in report.get("targets", {}).values():
        got = "not measured" if entry["measured"] is None else f"{entry['measured']:.3g}"
        met = "met" if entry["met"] else "not met"
        yield f"| {entry['name']} | {entry['relation']} {entry['required']:g} | {got} | {met} |"
    yield ""
    yield ("| in flight | cases/s | p50 ms | p99 ms | bare fan-out, cases/s | ms of a core: adapters | agent | "
           "broker | office |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for level in report["levels"]:
        ours, used = level["ours"], level["cpu_ms_per_form"]["ours"]
        yield (f"| {level['in_flight']} | {ours['per_second']['median']:.1f} | {ours['p50_ms']['median']:.1f} | "
               f"{ours['p99_ms']['median']:.1f} | {level['baseline']['per_second']['median']:.0f} | "
               f"{used['adapter']:.1f} | {used['window']:.1f} | {used['broker']:.1f} | {used['consent']:.1f} |")


def write(path, report, given):
    """Puts what was made between the markers of a document."""
    parts = {"measured": list(measured_lines(report)), "assumptions": list(assumption_lines(given)),
             "capacity": list(capacity_lines(measured(report), given))}
    with open(path, encoding="utf-8") as file:
        text = file.read()
    missing = set(parts) - {match.group(2) for match in _MARKS.finditer(text)}
    if missing:
        raise Lacking(f"{path} has no markers for {', '.join(sorted(missing))}")
    text = _MARKS.sub(lambda match: match.group(1) + "\n" + "\n".join(parts[match.group(2)]) + "\n\n" + match.group(3),
                      text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", nargs="?", metavar="REPORT.json")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another assumption")
    parser.add_argument("--json", action="store_true", help="the plan as JSON")
    parser.add_argument("--write", metavar="FILE", help="put the tables between the markers of this document")
    parser.add_argument("--assumptions", action="store_true", help="show them")
    arguments = parser.parse_args(argv)
    try:
        given = assumptions(arguments.set)
        if arguments.assumptions:
            print("\n".join(assumption_lines(given)))
            return 0
        if arguments.report is None:
            parser.error("a report is needed: ./run bench --json >REPORT.json")
        with open(arguments.report, encoding="utf-8") as file:
            text = file.read()
        report = json.loads(text[text.index("{"):])
        if arguments.write:
            write(arguments.write, report, given)
        elif arguments.json:
            print(json.dumps({"assumptions": given, "measured": measured(report),
                              "plan": plan(measured(report), given)}, indent=1))
        else:
            print("\n".join(capacity_lines(measured(report), given)))
    except (Lacking, OSError, ValueError, KeyError) as error:
        print(f"capacity: {os.path.basename(arguments.report or '')}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
