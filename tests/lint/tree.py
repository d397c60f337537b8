"""The files of a checkout as the rules see them: text, code without comments, functions."""

import functools
import os
import re

# Made things, foreign things, and what is not text.
SKIPPED = {".git", ".build", "__pycache__", "node_modules"}
KINDS = (".c", ".h", ".py", ".sh", ".bzl", ".proto", ".yaml", ".sql", ".md", ".html", ".js", ".css",
         ".java")
NAMES = {"run", "BUILD", "WORKSPACE", ".bazelrc"}

# A comment, a string or a character, whichever comes first.
LEXEMES = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)


def blank(match):
    """Keeps the lines and the quotes of a lexeme, nothing else."""
    text = match.group(0)
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[0]
    return re.sub(r"[^\n]", " ", text)


class Function:
    """A function body of a C file: its name, and the lines of its signature and closing brace."""

    def __init__(self, name, first, last):
        self.name, self.first, self.last = name, first, last

    @property
    def num_lines(self):
        return self.last - self.first + 1


class Source:
    """One file; `path` is relative to the checkout, with slashes."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.folder, self.name = os.path.split(path)
        self.lines = text.split("\n")

    @property
    def is_c(self):
        return self.path.endswith((".c", ".h"))

    @property
    def is_header(self):
        return self.path.endswith(".h")

    @functools.cached_property
    def code(self):
        """The C text with comments and the insides of strings blanked; the lines stay."""
        return LEXEMES.sub(blank, self.text)

    @functools.cached_property
    def code_lines(self):
        return self.code.split("\n")

    @functools.cached_property
    def comment_lines(self):
        """The numbers of the lines on which a comment stands or ends, from 1."""
        found = set()
        for match in LEXEMES.finditer(self.text):
            if match.group(0)[0] == "/":
                first = self.line_at(match.start())
                found.update(range(first, first + match.group(0).count("\n") + 1))
        return found

    @functools.cached_property
    def comment_words(self):
        """Every word of every comment."""
        return {word for match in LEXEMES.finditer(self.text) if match.group(0)[0] == "/"
                for word in re.findall(r"\w+", match.group(0))}

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @functools.cached_property
    def includes(self):
        """(line, name, is_system) of every #include that is on one line by itself."""
        found = []
        for number, (line, code) in enumerate(zip(self.lines, self.code_lines), 1):
            match = "#" in code and re.match(r'\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', line)
            if match:
                found.append((number, match.group(1) or match.group(2), match.group(1) is not None))
        return found

    def functions(self):
        """Function bodies, which open and close with a brace of their own in the first column."""
        lines = self.code_lines
        for opened, line in enumerate(lines):
            if line.rstrip() != "{":
                continue
            first = opened
            while first > 0 and lines[first - 1].strip() and lines[first - 1][0] not in "}#":
                first -= 1
            name = re.search(r"(\w+)\s*\(", strip_attributes("\n".join(lines[first:opened])))
            last = next((i for i in range(opened, len(lines)) if lines[i][:1] == "}"), None)
            if name and last is not None:
                yield Function(name.group(1), first + 1, last + 1)


def strip_attributes(text):
    """Without __attribute__((...)) and LB_MUST, which look like calls or hide the name."""
    return re.sub(r"__attribute__\s*\(\(.*?\)\)|\bLB_MUST\b", "", text, flags=re.DOTALL)


class Tree:
    """All files of a checkout that a rule may want."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.sources = sorted(self._read(), key=lambda source: source.path)
        self.by_path = {source.path: source for source in self.sources}

    def _read(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders
                          if name not in SKIPPED and not name.startswith("bazel-")]
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if name.endswith(KINDS) or name in NAMES:
                    with open(os.path.join(self.root, path), encoding="utf-8") as file:
                        yield Source(path.replace(os.sep, "/"), file.read())

    def c(self):
        return [source for source in self.sources if source.is_c]

    def headers(self):
        return [source for source in self.sources if source.is_header]
