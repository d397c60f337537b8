"""Keys and certificates that several federations of one run of the tests share: making them takes longer than
most of what is tried with them. LIANBAN_KEPT names the folder; without it each federation makes its own."""

import fcntl
import hashlib
import json
import os
import shutil

_ANSWER = "answer.json"


def made(root, members, make):
    """What `make` returns, with the folders and files it leaves under `root`. The first time it is called for
    such members; from then on others are given copies."""
    kept = os.environ.get("LIANBAN_KEPT")
    if not kept:
        return make()
    who = sorted((member.name, member.spiffe, os.path.relpath(member.folder, root)) for member in members)
    folder = os.path.join(kept, hashlib.sha256(json.dumps(who).encode()).hexdigest()[:32])
    os.makedirs(kept, mode=0o700, exist_ok=True)
    with open(folder + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(folder, _ANSWER)):
            before = set(_entries(root))
            answer = make()
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder, 0o700)
            _copy([entry for entry in _entries(root) if entry not in before], root, folder)
            with open(os.path.join(folder, _ANSWER), "w", encoding="utf-8") as file:
                json.dump(answer, file)
            return answer
    _copy([entry for entry in _entries(folder) if entry != _ANSWER], folder, root)
    with open(os.path.join(folder, _ANSWER), encoding="utf-8") as file:
        return json.load(file)


def _entries(root):
    """Everything under a folder, folders before what is in them."""
    for base, folders, files in os.walk(root):
        for name in (*folders, *files):
            yield os.path.relpath(os.path.join(base, name), root)


def _copy(entries, source, target):
    for entry in entries:
        old, new = os.path.join(source, entry), os.path.join(target, entry)
        if os.path.isdir(old):
            os.makedirs(new, exist_ok=True)
            shutil.copymode(old, new)
        else:
            os.makedirs(os.path.dirname(new), exist_ok=True)
            shutil.copy(old, new)
