"""What cases have left behind in the logs and stores of a federation: each sentence returned is something wrong."""

import os
import sqlite3

from logs import counterparts


def wrong_uses(federation, department):
    """Each grant was made for one case: it is used once, whatever was asked twice. Returns sentences, and how
    many answers were given once more."""
    path = os.path.join(federation.members[department].state, "evidence.db")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        most, total = connection.execute("SELECT coalesce(max(used), 0), coalesce(sum(used), 0) FROM use").fetchone()
    finally:
        connection.close()
    answered = [e for e in federation.entries(department, "--type", "READ") if e["code"] == "ANSWERED"]
    first = sum(1 for entry in answered if not entry["retry"])
    if most > 1 or total != first:
        return [f"{department}: {total} uses, {first} first answers, one grant used {most} times"], 0
    return [], len(answered) - first


def wrong_logs(federation, gone=None, directory=None):
    """Both sides of every read, in as many logs as there are; and each verifies. `gone` is a department that has
    left its log behind, and `directory` the last one that listed it."""
    if gone is not None:
        federation.members[gone.name] = gone
    departments = [name for name, member in federation.members.items() if member.kind == "adapter"]
    wrong = counterparts(federation, departments, broker_died=True)
    states = [federation.members[name].state for name in (*federation.brokers, *departments)]
    compared = federation.material.lianban("log", "reconcile", *states, may_fail=True)
    wrong += [f"reconcile: {f['class']} {f['adapter']}" for f in compared["findings"] if f["class"] != "UNCLOSED"]
    if gone is not None:
        wrong += _unverified(federation.verify_logs(gone.name, directory=directory))
        del federation.members[gone.name]
    return wrong + _unverified(federation.verify_logs())


def _unverified(verdict):
    return [f"{log['folder']}: {log['code']}" for log in verdict["logs"] if log["code"] != "OK"]
