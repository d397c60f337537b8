"""Every header comes from a target that its includer names in its own deps. What Bazel lets pass is a header
that reaches a file through a dependency of a dependency."""

import os
import re

# A directive that brings in a file, however it is spelt; what is more than `#include <x>` or `#include "x"`
# on one line, no rule here could see.
DIRECTIVE = re.compile(r"^[ \t]*(?:#|%:|\?\?=)[ \t]*(?:include|import|embed)", re.MULTILINE)
IMPORT = re.compile(r'^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"', re.MULTILINE)
GENERATED = ".pb-c.h"
# What would let an include mean another file than the one of that path.
BENDING = ("includes", "include_prefix", "strip_include_prefix", "textual_hdrs")


def plain_includes(tree, build):
    """Each include is one that these rules can read."""
    del build
    for source in tree.c():
        spliced = re.sub(r"\\[ \t]*\n", "", source.code)
        if len(DIRECTIVE.findall(spliced)) != len(source.includes):
            yield source.path, 1, "an #include that is not one line of `#include <x>` or `#include \"x\"`"


def targets(tree, build):
    """Each file belongs to a target, and no target lets an include mean anything but the path it says."""
    named = {path for target in build.targets for path in target.own_files()}
    for source in tree.c():
        if source.path not in named:
            yield source.path, 1, "no target names it"
    for target in build.targets:
        line = build.lines[(target.package, target.name)]
        for attribute in BENDING:
            if target.attributes.get(attribute):
                yield target.package + "/BUILD", line, "%s has %s" % (target.name, attribute)
        for option in target.attributes.get("copts") or []:
            if re.match(r"-(I|i[a-z]|B|-include)", option):
                yield target.package + "/BUILD", line, "%s has the option %s" % (target.name, option)


def direct(tree, build):
    """What a file includes is of the same target, or a public header of a target in its deps. A header that
    stands in several targets keeps to this in one of them."""
    exporters = _exporters(build)
    broken, kept = {}, set()
    for target in build.targets:
        own, deps = set(target.own_files()), set(target.deps())
        for path, line, name in _included(tree, target, own):
            if name in own or name not in exporters or deps & exporters[name]:
                kept.add((path, line))
            else:
                broken.setdefault((path, line), "%s is %s, which is not among the deps of %s" % (
                    name, " or ".join(sorted(exporters[name])) or "private", target.label))
    for (path, line), why in sorted(broken.items()):
        if path.endswith(".c") or (path, line) not in kept:
            yield path, line, why


def _exporters(build):
    """The labels of the targets that offer each header."""
    found = {}
    for target in build.targets:
        for name in target.offered():
            found.setdefault(name, set()).add(target.label)
        if target.kind != "lb_proto":
            for name in target.own_files():
                if name.endswith(".h"):
                    found.setdefault(name, set())
    return found


def _included(tree, target, own):
    """(path, line, header) of every include in a target's files, and of every import of its .proto."""
    for path in sorted(own):
        source = tree.by_path.get(path)
        if source is not None and source.is_c:
            for line, name, _ in source.includes:
                yield path, line, name
    if target.kind == "lb_proto":
        source = tree.by_path[os.path.join(target.package, target.attributes["src"])]
        for match in IMPORT.finditer(source.text):
            yield (source.path, source.line_at(match.start(1)),
                   match.group(1)[:-len(".proto")] + GENERATED)
