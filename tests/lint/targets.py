"""What the BUILD files say: targets, and the layers of the root BUILD."""

import ast
import functools
import os


# Of ours; //:cmocka has no header of the checkout.
MACRO_DEPS = {"lb_fuzz": ["//tests/fuzz"]}


class Target:
    """One rule: its package, kind, name and attributes."""

    def __init__(self, package, kind, attributes):
        self.package, self.kind, self.attributes = package, kind, attributes
        self.name = attributes.get("name", "")

    def files(self, *attributes):
        """The files it names, as paths from the root."""
        for attribute in attributes:
            for label in self.attributes.get(attribute) or []:
                if not label.startswith(("//", ":", "@")):
                    yield os.path.join(self.package, label)

    @property
    def label(self):
        return "//%s:%s" % (self.package, self.name)

    def own_files(self):
        """All files it is made of, other packages' too, as paths from the root."""
        for attribute in ("srcs", "hdrs"):
            for label in self.attributes.get(attribute) or []:
                package, _, name = label.rpartition(":")
                if label.startswith("//"):
                    yield os.path.join(package[2:], name)
                else:
                    yield os.path.join(self.package, name)

    def offered(self):
        """The headers that who depends on it may include, by the names they are included by."""
        if self.kind == "lb_proto":
            return [self.attributes["src"][:-len(".proto")] + ".pb-c.h"]
        return list(self.files("hdrs"))

    def deps(self):
        """The whole labels of its direct dependencies; what a macro of bazel/defs.bzl adds, too."""
        for label in [*(self.attributes.get("deps") or []), *MACRO_DEPS.get(self.kind, ())]:
            package, colon, name = label.partition(":")
            package = package[2:] if label.startswith("//") else self.package
            yield "//%s:%s" % (package, name if colon else os.path.basename(package))

    @property
    def is_test(self):
        return (self.kind.endswith("_test") or self.kind == "lb_fuzz"
                or bool(self.attributes.get("testonly")))


def read_build(package, text):
    """The targets of one BUILD file. Starlark is Python without anything that could do harm, and
    the names of Python that could are not there; what a file calls is a rule to record."""
    targets = []

    def rule(kind):
        return lambda *_, **attributes: targets.append(Target(package, kind, attributes))

    path = package + "/BUILD"
    called = {node.func.id for node in ast.walk(ast.parse(text, path))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    names = {kind: rule(kind) for kind in called}
    names["glob"] = names["select"] = lambda *_, **__: []
    exec(compile(text, path, "exec"), {"__builtins__": {}, **names})  # noqa: S102
    return targets


class Build:
    """All targets of a tree."""

    def __init__(self, tree):
        self.targets = []
        self.defaults = {}
        self.groups = []  # (name, packages) of the root BUILD, the lowest layer's first
        self.lines = {}
        for source in tree.sources:
            if source.name == "BUILD":
                self._add(source)
        self.packages = sorted({target.package for target in self.targets})

    def _add(self, source):
        for target in read_build(source.folder, source.text):
            if target.kind == "package":
                self.defaults[source.folder] = target.attributes.get("default_visibility", [])
            elif target.kind == "package_group":
                if source.folder == "":
                    self.groups.append((target.name, target.attributes["packages"]))
            elif target.name:
                self.targets.append(target)
                self.lines[(source.folder, target.name)] = next(
                    (number for number, line in enumerate(source.lines, 1)
                     if '"%s"' % target.name in line), 1)

    def column(self, package):
        """How many layers lie under a package; None for one that is in no layer."""
        count = sum(any(_covers(entry, package) for entry in packages)
                    for _, packages in self.groups)
        return count if count or package == "gateway/base" else None

    def visibility(self, target):
        return target.attributes.get("visibility") or self.defaults.get(target.package, [])

    def visible_from(self, target):
        """The lowest column that may use a target: the place of its group among the layers, plus
        one. 0 for everybody, None for nobody outside the package."""
        names = [name for name, _ in self.groups]
        columns = []
        for label in self.visibility(target):
            if label == "//visibility:public":
                return 0
            if label.startswith("//:") and label[3:] in names:
                columns.append(names.index(label[3:]) + 1)
        return min(columns, default=None)

    def owners(self, path, attribute):
        """The product's targets (no tests) that name a file in an attribute."""
        return [target for target in self._naming[attribute].get(path, ()) if not target.is_test]

    def is_fixture(self, path):
        """Whether a header is made for tests of other folders."""
        return any(target.is_test for target in self._naming["hdrs"].get(path, ()))

    def is_product(self, path):
        return bool(self.owners(path, "srcs") or self.owners(path, "hdrs"))

    @functools.cached_property
    def _naming(self):
        """For each attribute, the targets that name each file in it."""
        found = {"srcs": {}, "hdrs": {}}
        for attribute, naming in found.items():
            for target in self.targets:
                for path in target.files(attribute):
                    naming.setdefault(path, []).append(target)
        return found


def _covers(entry, package):
    """Whether an entry of a package group means a package."""
    entry = entry[2:] if entry.startswith("//") else entry
    if entry.endswith("/..."):
        return package == entry[:-4] or package.startswith(entry[:-3])
    return package == entry
