"""The last scene: nothing of any person is in what the broker wrote."""

import os
import sqlite3

import truth
from identity import id_is_valid
from search import count_bytes, find, needles

_MIN_DIGITS = 7
_NAME_COLUMNS = ("name", "former_name", "baby_name", "aac003")


def identities(folder):
    """Every identity number and every name in the ten databases."""
    found = set()
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".db"):
            continue
        connection = sqlite3.connect(f"file:{os.path.join(folder, name)}?mode=ro", uri=True)
        for table, in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for _, column, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                rows = connection.execute(f"SELECT DISTINCT {column} FROM {table}")
                found.update(value for value, in rows if isinstance(value, str) and value != ""
                             and (column in _NAME_COLUMNS or id_is_valid(value)))
        connection.close()
    return found


def released(people):
    """Amounts the departments answered about: a household's yearly incomes and deposits, in cents."""
    amounts = set()
    for household in people.households:
        for person in household.declared:
            amounts.add(truth.income_of(person))
            amounts.add(sum(cents for _, cents in person.deposits))
    return {str(amount) for amount in amounts if len(str(amount)) >= _MIN_DIGITS}


def broker_is_blind(federation, narrator):
    """Searches everything the broker wrote."""
    narrator.scene("中转方看不见任何人", "The broker has seen nobody")
    place = federation.members["broker"].folder
    names = identities(os.path.join(federation.root, "departments"))
    amounts = released(federation.people)
    wanted = needles(names | amounts)
    files, size = count_bytes(place)
    hits = find(wanted, place)
    narrator.verdict(not hits, f"在中转方写下的 {files} 个文件、{size / 1e6:.1f} MB 中，按明文、十六进制和 base64 "
                               f"查找 {len(names)} 个身份号码与姓名、{len(amounts)} 个金额：找到 {len(hits)} 处",
                     f"{files} files, {size / 1e6:.1f} MB; {len(names)} identities and {len(amounts)} amounts, "
                     f"plain, hex and base64: {len(hits)} found")
    for path, offset, _ in hits[:10]:
        narrator.line(f"{path} at {offset}")
    return {"scene": "blind", "ok": not hits, "files": files, "bytes": size, "identities": len(names),
            "amounts": len(amounts), "found": [[path, offset] for path, offset, _ in hits]}
