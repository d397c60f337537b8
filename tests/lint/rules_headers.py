"""Headers are manuals: a guard that is the path, our prefix, a comment on every function."""

import re

from tree import strip_attributes

PREFIX = re.compile(r"_*(lb|LB)_")


class Item:
    """One declaration at the outermost level of a header."""

    def __init__(self, text, first, last):
        self.text, self.first, self.last = text, first, last

    @property
    def head(self):
        """The declaration up to its body."""
        return strip_attributes(self.text.split("{")[0]).strip()

    def function(self):
        """The name of the function it declares or defines, or None."""
        head = self.head
        if head.startswith("typedef") or "=" in head or "(" not in head:
            return None
        match = re.search(r"(\w+)\s*\(", head)
        return match.group(1) if match and match.group(1) != "_Static_assert" else None


def without_directives(source):
    """The code with preprocessor lines and their continuations blanked."""
    lines, continued = [], False
    for line in source.code_lines:
        directive = continued or line.lstrip().startswith("#")
        continued = directive and line.rstrip().endswith("\\")
        lines.append("" if directive else line)
    return "\n".join(lines)


def items(source):
    """The declarations of a header, in order."""
    code = without_directives(source)
    depth, begin = 0, None
    for at, char in enumerate(code):
        if begin is None:
            if char.isspace() or char == ";":
                continue
            begin = at
        depth += (char in "({[") - (char in ")}]")
        ends_body = char == "}" and depth == 0 and re.search(
            r"\)\s*\{", strip_attributes(code[begin : at + 1]))
        if (char == ";" and depth == 0) or ends_body:
            text = code[begin : at + 1]
            first = code.count("\n", 0, begin) + 1
            yield Item(text, first, first + text.count("\n"))
            begin = None


def guards(tree, build):
    """The guard is the path, so that two headers never share one."""
    del build
    for source in tree.headers():
        guard = re.sub(r"\W", "_", source.path).upper()
        lines = [line.strip() for line in source.code_lines if line.strip()]
        if lines[:2] != ["#ifndef " + guard, "#define " + guard] or lines[-1] != "#endif":
            yield source.path, 1, "the guard is not %s, or not first and last" % guard


def comments(tree, build):
    """Every function of the product has a comment right above it, or above the lines it stands
    among, or one that names it."""
    for source in tree.headers():
        if not build.is_product(source.path):
            continue
        said = source.comment_words
        covered = -1  # the last line of a run of declarations that a comment covers
        for item in items(source):
            above = item.first - 1
            while source.lines[above - 1].startswith("#"):
                above -= 1
            if above in source.comment_lines or item.first in source.comment_lines:
                covered = item.last
            elif above == covered:
                covered = item.last
            name = item.function()
            if name and name not in said and covered != item.last \
                    and item.last not in source.comment_lines:
                yield source.path, item.first, "%s has no comment above it" % name


def _symbols(item):
    """The names the linker sees."""
    name = item.function()
    if name:
        return [name]
    if item.head.startswith("extern"):
        return re.findall(r"(\w+)\s*(?:\[[^\]]*\])?\s*;$", item.text)
    return []


def _types(item):
    """The tags, enumerators and typedefs that whoever includes the header gets."""
    text, head = item.text, item.head
    if item.function():
        return []
    if head.startswith("typedef"):
        name = re.search(r"\(\s*\*\s*(\w+)\s*\)", text) or re.search(r"(\w+)\s*;$", text)
        return [name.group(1)] if name else []
    found = re.findall(r"^(?:struct|union|enum)\s+(\w+)\s*[{;]", text)
    if head.startswith("enum"):
        body = text[text.find("{") + 1 : text.rfind("}")]
        found += [re.split(r"[\s=(]", part.strip())[0] for part in body.split(",") if part.strip()]
    return found


def _macros(source):
    """(line, name) of every macro but the guard."""
    guard = re.sub(r"\W", "_", source.path).upper()
    for line, text in enumerate(source.code_lines, 1):
        match = re.match(r"\s*#\s*define\s+(\w+)", text)
        if match and match.group(1) != guard:
            yield line, match.group(1)


def names(tree, build):
    """What the product's headers bring into other folders, or to the linker, carries our prefix.
    The types of a header that only its own folder sees may have short names."""
    for source in tree.headers():
        if not build.is_product(source.path):
            continue
        is_public = bool(build.owners(source.path, "hdrs"))
        found = list(_macros(source)) if is_public else []
        for item in items(source):
            found += [(item.first, name)
                      for name in _symbols(item) + (_types(item) if is_public else [])]
        for line, name in found:
            if not PREFIX.match(name):
                yield source.path, line, "%s lacks the prefix lb_ or LB_" % name


CODES, PROTOCOL = "gateway/base/codes.h", "docs/PROTOCOL.md"


def error_codes(tree, build):
    """Every named code stands in the protocol's document, and none that is not in the list."""
    del build
    codes = tree.by_path.get(CODES)
    if codes is None:
        return
    start = codes.text.index("#define LB_CODES(X)")
    protocol = tree.by_path.get(PROTOCOL)
    if protocol is None:
        yield PROTOCOL, 1, "there is no document of the protocol, so no code is documented"
        return
    for match in re.finditer(r"\bX\((\w+),", codes.text[start:]):
        if not re.search(r"`%s`" % match.group(1), protocol.text):
            yield (CODES, codes.line_at(start + match.start()),
                   "`%s` is not in %s" % (match.group(1), PROTOCOL))
