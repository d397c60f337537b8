"""A strict reader of Prometheus' text format 0.0.4: what it accepts, every scraper does."""

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HEAD = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Wrong(Exception):
    """A line that a scraper might refuse."""


def _labels(text):
    found, at = {}, 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if not match or match.group(1) in found:
            raise Wrong(text)
        found[match.group(1)] = match.group(2)
        at = match.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise Wrong(text)
            at += 1
    return found


def _check_histogram(name, samples):
    series = {}
    for suffix, labels, value in samples:
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        series.setdefault(key, {})[suffix, labels.get("le")] = value
    for key, parts in series.items():
        bounds = [le for suffix, le in parts if suffix == "_bucket"]
        counts = [parts["_bucket", le] for le in bounds]
        finite = [float(le) for le in bounds[:-1]]
        if bounds[-1] != "+Inf" or finite != sorted(set(finite)) or counts != sorted(counts):
            raise Wrong(f"{name}{key}: buckets")
        if parts["_count", None] != counts[-1] or ("_sum", None) not in parts:
            raise Wrong(f"{name}{key}: count")


def read(text):
    """{(name, ((label, value), ...)): number}; raises Wrong."""
    if not text.endswith("\n"):
        raise Wrong("no line feed at the end")
    families, order, found = {}, [], {}
    for line in text[:-1].split("\n"):
        head = _HEAD.fullmatch(line)
        if head:
            kind, name, rest = head.groups()
            family = families.setdefault(name, {"samples": []})
            if kind in family or family["samples"] or (order and order[-1] != name and name in order):
                raise Wrong(line)
            family[kind] = rest
            order.append(name)
            continue
        sample = _SAMPLE.fullmatch(line)
        family = families[order[-1]] if order else {}
        if not sample or "TYPE" not in family or "HELP" not in family:
            raise Wrong(line)
        suffix = sample.group(1)[len(order[-1]):]
        number = sample.group(3)
        if not sample.group(1).startswith(order[-1]) or suffix not in _SUFFIXES[family["TYPE"]]:
            raise Wrong(line)
        if not _NUMBER.fullmatch(number) or (family["TYPE"] != "gauge" and number.startswith("-")):
            raise Wrong(line)
        labels = _labels(sample.group(2) or "")
        key = sample.group(1), tuple(sorted(labels.items()))
        if key in found:
            raise Wrong("twice: " + line)
        found[key] = float(number)
        family["samples"].append((suffix, labels, float(number)))
    for name, family in families.items():
        if family["TYPE"] == "histogram":
            _check_histogram(name, family["samples"])
    return found
