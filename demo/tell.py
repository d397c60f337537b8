"""Tells the story: Chinese and English to people, one JSON document to programs."""

import sys
import unicodedata

_BOLD, _GREEN, _RED, _DIM, _PLAIN = "\033[1m", "\033[32m", "\033[31m", "\033[2m", "\033[0m"


def width_of(text):
    """Terminal columns; a Chinese character takes two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def pad(text, width):
    return text + " " * max(0, width - width_of(text))


class Narrator:
    """Writes scenes to one stream; colours and moving counters only on a terminal."""

    def __init__(self, out):
        self._out = out
        self._live = sys.stderr.isatty()
        self._colour = self._out.isatty()
        self._scene = 0

    def scene(self, zh, en):
        self._scene += 1
        self._write("")
        self._write(self._paint(_BOLD, f"{self._scene}. {zh}") + self._paint(_DIM, f"  {en}"))

    def say(self, zh, en):
        self._write(f"   {zh}")
        self._write(self._paint(_DIM, f"   {en}"))

    def line(self, text):
        self._write(f"   {text}")

    def quote(self, text):
        """What another program printed, as it stands."""
        for line in text.rstrip("\n").split("\n"):
            self._write(self._paint(_DIM, "   | ") + line)

    def verdict(self, good, zh, en):
        """One expectation and whether it held."""
        mark = self._paint(_GREEN, "[ok]  ") if good else self._paint(_RED, "[FAIL]")
        self._write(f"   {mark} {zh}")
        self._write(f"          {self._paint(_DIM, en)}")

    def row(self, good, *cells):
        """A line of a table: (text, width) each."""
        mark = self._paint(_GREEN, "ok  ") if good else self._paint(_RED, "FAIL")
        self._write(f"   {mark} " + " ".join(pad(text, width) for text, width in cells).rstrip())

    def progress(self, zh, en, done, total):
        """A counter: in place on a terminal, one line when it is full elsewhere."""
        if self._live:
            sys.stderr.write(f"\r   {zh} {en} {done}/{total} " + ("\n" if done == total else ""))
            sys.stderr.flush()
        elif done == total:
            print(f"   {zh} {en} {done}/{total}", file=sys.stderr, flush=True)

    def _paint(self, colour, text):
        return colour + text + _PLAIN if self._colour else text

    def _write(self, text):
        print(text, file=self._out, flush=True)
