"""Reads what callgrind writes: instructions by function, by function with all it calls, and by object."""

import collections
import re

# What the compiler adds to the names of parts and copies of a function, and callgrind to recursions.
_COPY = re.compile(r"(\.(isra|part|constprop|cold|lto_priv)(\.\d+)?)+$|'\d+$|@@.*$")
_NAMED = re.compile(r"(c?(?:fn|ob|fl|fi|fe))=(\(\d+\))?(?: ?(.*))?")


class Malformed(Exception):
    """A file that is not callgrind's."""


class Profile:
    """One process between being switched on and off."""

    def __init__(self):
        self.total = 0
        self.own = collections.Counter()        # by function
        self.inclusive = collections.Counter()  # by function, with all it calls
        self.objects = collections.Counter()    # by the file name of a program or library
        self.calls = collections.Counter()      # by (caller, callee), how often
        self.under = collections.Counter()      # by (caller, callee), instructions below that call

    @staticmethod
    def read(path):
        """The profile of a file."""
        profile = Profile()
        with open(path, encoding="utf-8", errors="replace") as file:
            _Reader(profile).read(file)
        if not profile.own:
            raise Malformed(f"{path} has no instruction in it")
        return profile

    def count_of(self, function):
        """How often a function was called."""
        return sum(num for (_, callee), num in self.calls.items() if callee == function)


class _Reader:
    """Callgrind's format, as far as it is written with instructions alone."""

    def __init__(self, profile):
        self._profile = profile
        self._names = {"fn": {}, "ob": {}}
        self._function = self._object = ""
        self._callee = None   # of the call whose cost the next line is
        self._calls = 0

    def read(self, lines):
        for line in lines:
            line = line.rstrip("\n")
            if not line or line[0] == "#":
                continue
            if line[0] in "+-*0123456789":
                self._cost(line)
            elif line.startswith("calls="):
                self._calls = int(line[6:].split()[0])
            elif line.startswith("jump=") or line.startswith("jcnd="):
                raise Malformed("jumps are not read here")
            else:
                self._name(line)

    def _name(self, line):
        match = _NAMED.fullmatch(line)
        if match is None:
            return  # the head of the file
        kind, number, name = match.groups()
        if kind == "ob":
            self._object = self._resolve("ob", number, name)
        elif kind == "fn":
            self._function = _COPY.sub("", self._resolve("fn", number, name))
        elif kind == "cfn":
            self._callee = _COPY.sub("", self._resolve("fn", number, name))
        elif kind == "cob":
            self._resolve("ob", number, name)

    def _resolve(self, kind, number, name):
        known = self._names[kind]
        if number is None:
            return name
        if name:
            known[number] = name
        return known[number]

    def _cost(self, line):
        cost = int(line.split()[1])
        profile = self._profile
        if self._callee is None:
            profile.total += cost
            profile.own[self._function] += cost
            profile.objects[self._object.rpartition("/")[2]] += cost
            profile.inclusive[self._function] += cost
            return
        pair = self._function, self._callee
        profile.calls[pair] += self._calls
        profile.under[pair] += cost
        if self._callee != self._function:
            profile.inclusive[self._function] += cost
        self._callee = None
