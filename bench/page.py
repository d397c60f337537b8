"""The report as one HTML page that needs nothing else: the table of targets, charts by Chart.js (Debian's
libjs-chart.js, put into the page), and the report's text below."""

import html
import json
import os

LIBRARY = "/usr/share/javascript/chart.js/chart.min.js"
MISSING = ("--page needs the charts of the Debian package libjs-chart.js: "
           "apt-get install --no-install-recommends libjs-chart.js")
_SIDES = (("ours", "ours, whole case"), ("collect_alone", "ours, collect alone"), ("baseline", "bare fan-out"),
          ("streams", "bare, coalescing streams"))
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; border-bottom: 1px solid #ccc; text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums } .missed { color: #a00; font-weight: bold }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 2rem }
pre { overflow-x: auto; font-size: 12px; line-height: 1.35 }
"""
_DRAW = """
for (const [index, chart] of charts.entries())
  new Chart(document.getElementById("chart" + index), chart);
"""


def has_library():
    """Whether the charts' library is installed."""
    return os.path.exists(LIBRARY)


def _chart(kind, title, labels, datasets, y_label, log_y=False, stacked=False):
    scale = {"title": {"display": True, "text": y_label}, "type": "logarithmic" if log_y else "linear",
             "stacked": stacked}
    return {"type": kind, "data": {"labels": labels, "datasets": datasets},
            "options": {"animation": False, "plugins": {"title": {"display": True, "text": title},
                                                        "colors": {"enabled": True}},
                        "scales": {"y": scale, "x": {"stacked": stacked}}}}


_COLOURS = ("#1f6fb4", "#7fb6dd", "#c2571a", "#e8ab6c", "#4b8b3b", "#8d6cab", "#777777")


def _coloured(datasets):
    for index, dataset in enumerate(datasets):
        colour = _COLOURS[index % len(_COLOURS)]
        dataset.update(backgroundColor=colour, borderColor=colour)
    return datasets


def _fanout(levels):
    labels = [f"{entry['in_flight']} in flight" for entry in levels]
    for figure, title, unit in (("per_second", "Ten-department cases", "cases/s"),
                                ("p50_ms", "Latency, median", "ms"), ("p99_ms", "Latency, 99th percentile", "ms")):
        yield _chart("bar", title, labels, _coloured(
            [{"label": said, "data": [entry[side][figure]["median"] for entry in levels]}
             for side, said in _SIDES]), unit, log_y=True)
    roles = sorted(levels[0]["cpu_ms_per_form"]["ours"])
    yield _chart("bar", "Processor time of a case, ours", labels, _coloured(
        [{"label": role, "data": [entry["cpu_ms_per_form"]["ours"][role] for entry in levels]} for role in roles]),
        "ms", stacked=True)


def _stages(stages):
    names = list(stages[-1]["adapter_us"])
    yield _chart("bar", "Stages of a read at an adapter", names, _coloured(
        [{"label": f"{entry['in_flight']} in flight",
          "data": [entry["adapter_us"].get(name, 0) for name in names]} for entry in stages]), "microseconds",
        log_y=True)


def _single(single):
    levels = single["levels"]
    labels = [f"{entry['in_flight']} in flight" for entry in levels]
    sides = [side for side in ("fresh", "cached", "echo") if side in levels[0]]
    yield _chart("bar", "Single reads", labels, _coloured(
        [{"label": side, "data": [entry[side]["per_second"]["median"] for entry in levels]} for side in sides]),
        "reads/s", log_y=True)


def _memory(memory):
    roles = sorted(memory["idle"])
    yield _chart("bar", "Anonymous resident memory", roles, _coloured(
        [{"label": said, "data": [round(memory[when][role] / 1024, 1) for role in roles]}
         for when, said in (("idle", "idle"), ("loaded", "loaded"),
                            ("crowd", f"{memory['crowd_cases']} cases in flight"))]), "MiB")


def _curve(curve):
    datasets = [{"label": one["label"], "data": [{"x": x, "y": y} for x, y in one["points"]], "showLine": True}
                for one in curve["series"]]
    chart = _chart("scatter", curve["title"], [], _coloured(datasets), curve["y_label"])
    chart["options"]["scales"]["x"] = {"title": {"display": True, "text": curve["x_label"]},
                                       "type": "logarithmic" if curve.get("log_x") else "linear"}
    return chart


def _evidence(evidence):
    yield _curve({"title": "Evidence log: what an entry costs as the log grows", "x_label": "entries",
                  "y_label": "microseconds an entry", "log_x": True,
                  "series": [{"label": "ours", "points": [[one["at"], one["us_per_entry"]]
                                                          for one in evidence["cost"]]}]})


_DRAWN = (("levels", _fanout), ("single", _single), ("stages", _stages), ("memory_kib", _memory),
          ("evidence", _evidence))


def charts(document):
    """Chart.js's own descriptions of all charts of a document."""
    found = []
    for key, draw in _DRAWN:
        if document.get(key):
            found += draw(document[key])
    for part in document.values():
        if isinstance(part, dict):
            found += [_curve(curve) for curve in part.get("curves", ())]
    return found


def _targets(found):
    yield "<table><tr><th>target<th>required<th>measured<th>"
    for one in found.values():
        measured = "not measured" if one["measured"] is None else f"{one['measured']:g}"
        said = "met" if one["met"] else '<span class="missed">not met</span>'
        yield (f"<tr><td>{html.escape(one['name'])}<td class=number>{html.escape(one['relation'])} "
               f"{one['required']:g}<td class=number>{measured}<td>{said}")
    yield "</table>"


def make(document, text, library):
    """The page's text."""
    drawn = charts(document)
    machine = document["machine"]
    data = json.dumps(drawn, ensure_ascii=True).replace("<", "\\u003c")
    return "\n".join([
        "<!doctype html><html lang=en><meta charset=utf-8><title>Lianban: how fast</title>",
        "<meta name=viewport content='width=device-width'>", f"<style>{_STYLE}</style>",
        "<h1>Lianban 联办: how fast</h1>",
        f"<p>{machine['cores']} cores of {html.escape(machine['processor'])}, Linux "
        f"{html.escape(machine['kernel'])}, {machine['memory_mib']} MiB; all of it in one run.</p>",
        *_targets(document["targets"]), "<div class=charts>",
        *(f"<div><canvas id=chart{index}></canvas></div>" for index in range(len(drawn))), "</div>",
        f"<h2>The whole report</h2><pre>{html.escape(text)}</pre>",
        f"<script>{library}</script>", f"<script>const charts = {data};{_DRAW}</script></html>", ""])


def write(path, document, text):
    """Writes the page."""
    with open(LIBRARY, encoding="utf-8") as file:
        library = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(make(document, text, library))
