"""What a running program has in its memory, as a file to be searched."""

import os
import signal

_PAGE = 4096
_CHUNK = 256 * _PAGE
_NOTHING = bytes(_PAGE)


def image(process, path):
    """Writes all that a program could have written to its memory, what it keeps out of core images as well; it
    stands still meanwhile. PermissionError where one may not look at another process."""
    process.signal(signal.SIGSTOP)
    try:
        with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory, open(path, "wb") as file:
            for first, last in _regions(process.pid):
                _copy(memory, first, last, file)
    finally:
        process.signal(signal.SIGCONT)
    return path


def _regions(pid):
    """(first, last) of what it may write to, or may have written to: all but what only stands in a file, and what
    the kernel shows of itself."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            where, rights, _, _, inode, *name = line.split(maxsplit=5)
            if rights[0] == "r" and (rights[1] == "w" or inode == "0") and not "".join(name).startswith("[v"):
                yield tuple(int(address, 16) for address in where.split("-"))


def _copy(memory, first, last, file):
    """The pages that are not empty."""
    memory.seek(first)
    while first < last:
        chunk = memory.read(min(_CHUNK, last - first))
        if not chunk:
            raise OSError("a page can't be read")
        first += len(chunk)
        if chunk.count(0) == len(chunk):
            continue
        for page in range(0, len(chunk), _PAGE):
            if chunk[page:page + _PAGE] != _NOTHING:
                file.write(chunk[page:page + _PAGE])
