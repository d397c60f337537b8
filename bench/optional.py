"""Parts that have a module of their own, and may lack what they need on this machine."""

import importlib


# What a part's module may call its own failures.
_FAILURES = ("StartFailed", "LoadFailed", "Differs")


class PartFailed(Exception):
    """A part could not be started; the text names it."""


class Optional:
    """What those parts found: their lines, their targets, and why one was left out."""

    def __init__(self):
        self.left_out, self.targets, self.writers = [], [], []

    def measure(self, name, module, *arguments):
        """{name: document} of one part, or nothing when it cannot run here."""
        part = importlib.import_module(module)
        why = part.missing() if hasattr(part, "missing") else ""
        if why:
            self.left_out.append(f"{name}: {why}")
            return {}
        try:
            found = part.measure(*arguments)
        except tuple(getattr(part, failure) for failure in _FAILURES if hasattr(part, failure)) as error:
            raise PartFailed(f"{name}: {error}") from None
        self.targets += part.targets(found)
        self.writers.append((name, part.lines))
        return {name: found}
