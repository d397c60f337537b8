"""Makes departments with as many subjects as a city or a province, out of the demo's few, by SQL alone.

Every person of the demo's population is copied with a new identity number: digits 3 to 6, where the demo has
a district's code, count the copies, and the check character is made anew. What else tells people apart is
given the copy's mark. Only tables that the social-assistance form reads are copied. Some copies are whole, and
those who apply come from them; the others have one row where a person has one for each month or bank.
"""

import contextlib
import multiprocessing
import os
import re
import sqlite3

from identity import id_check

FIRST_CODE, LAST_CODE = 1000, 9999
_WHOLE = 24
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_HEAD = "99"
# By department and table: columns with identity numbers; columns with other keys; and, where a person has many
# rows, the column of whom a copy that is not whole keeps one.
TABLES = {
    "public-security": {
        "person": (("id_no",), (), None), "household": (("id_no",), ("hh",), None),
        "vehicle": (("owner_id",), ("plate",), None), "kin": (("a_id", "b_id"), (), None)},
    "civil-affairs": {
        "recognition": (("id_no",), ("rid", "hh_key"), None), "aid_payment": (("id_no",), ("pid",), "id_no")},
    "social-security": {
        "employee": (("aac002",), ("aac001",), None), "pension": ((), ("aac001",), None),
        "unemployment": ((), ("aac001",), None)},
    "medical-insurance": {
        "insured": (("id_no",), ("psn_no",), None), "settlement": ((), ("setl_id", "psn_no"), "psn_no"),
        "chronic": ((), ("psn_no",), None)},
    "health": {"death_cert": (("id_no",), ("cert_no",), None)},
    "education": {"student": (("id_no",), ("roll_no",), None), "fee": ((), ("roll_no",), "roll_no")},
    "housing": {
        "dwelling": ((), ("unit_no",), None), "title": (("owner_id",), ("unit_no",), None),
        "family_file": (("id_no",), ("family_no",), None)},
    "tax": {
        "wage": (("id_no",), (), "id_no"), "other_income": (("id_no",), (), "id_no"),
        "business": (("legal_id",), ("uscc",), None)},
    "disabled-federation": {"card": (("id_no",), ("card_no",), None)},
    "finance": {"bank_query": (("id_no",), (), "id_no"), "payout": (("id_no",), ("pay_id",), "id_no")},
}


def number_of(id_no, code):
    """The identity number of a person's copy."""
    first17 = f"{_HEAD}{code:04d}{id_no[6:17]}"
    return first17 + id_check(first17)


def codes_of(num):
    """The codes of so many copies, spread evenly, so that whole ones are everywhere among them."""
    most = LAST_CODE - FIRST_CODE + 1
    if num > most:
        raise ValueError(f"at most {most} copies")
    return [FIRST_CODE + most * i // num for i in range(num)]


def whole_of(codes):
    """Those of the codes whose copies are whole."""
    num = min(_WHOLE, len(codes))
    return [codes[len(codes) * i // num] for i in range(num)]


def copied(people):
    """Identity numbers that may be copied: with a tail (birth date and sequence) of their own."""
    by_tail = {}
    for id_no in people:
        by_tail.setdefault(id_no[6:17], []).append(id_no)
    return [numbers[0] for numbers in by_tail.values() if len(numbers) == 1]


def enlarge(folder, people, num_copies):
    """Adds so many copies of these identity numbers' people to every department's database in the folder, on all
    processors; returns bytes on disk."""
    jobs = [(os.path.join(folder, name + ".db"), name, copied(people), num_copies) for name in TABLES]
    with multiprocessing.Pool() as pool:
        return sum(pool.starmap(_enlarge, jobs, chunksize=1))


def _enlarge(path, department, people, num_copies):
    codes = codes_of(num_copies)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        for word in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144", "temp_store = MEMORY"):
            database.execute("PRAGMA " + word)
        _helpers(database, people, codes)
        indexes = database.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:
            database.execute(f"DROP INDEX {name}")
        database.execute("BEGIN")
        for table, columns in TABLES[department].items():
            _copy(database, table, *columns)
        database.execute("COMMIT")
        for _, sql in indexes:
            database.execute(sql)
        # As the demo's own databases are: statistics would make other plans than a department has.
        database.execute("PRAGMA journal_mode = DELETE")
    return os.path.getsize(path)


def _weighed(digits, first):
    """What digits from a position on add to an identity number's sum."""
    return sum(int(digit) * _WEIGHTS[first + i] for i, digit in enumerate(digits))


def _helpers(database, people, codes):
    """Who is copied, and the copies; sums are those of the check character."""
    database.execute("CREATE TEMP TABLE who (id_no TEXT PRIMARY KEY, tail TEXT, rest INTEGER)")
    database.executemany("INSERT INTO who VALUES (?, ?, ?)", [
        (id_no, id_no[6:17], _weighed(_HEAD, 0) + _weighed(id_no[6:17], 6)) for id_no in people])
    database.execute("CREATE TEMP TABLE copy (code TEXT, rest INTEGER, whole INTEGER)")
    whole = set(whole_of(codes))
    database.executemany("INSERT INTO copy VALUES (?, ?, ?)", [
        (f"{code:04d}", _weighed(f"{code:04d}", 2), int(code in whole)) for code in codes])


def _copy(database, table, ids, keys, many):
    """Adds every copy's rows of one table."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    named = "".join(f", {name}_who.tail AS {name}_tail, {name}_who.rest AS {name}_rest" for name in ids)
    joined = "".join(f" LEFT JOIN who AS {name}_who ON {name}_who.id_no = t.{name}" for name in ids)
    # A row about somebody who can't be copied is not copied either.
    known = " AND ".join([f"(t.{name} IS NULL OR {name}_who.id_no IS NOT NULL)" for name in ids] or ["1"])
    first = f"t.rowid IN (SELECT max(rowid) FROM {table} GROUP BY {many})" if many else "1"
    database.execute(f"CREATE TEMP TABLE base AS SELECT t.*{named}, {first} AS is_first FROM {table} AS t{joined} "
                     f"WHERE {known}")
    made = ", ".join(_made(name, ids, keys) for name in columns)
    database.execute(f"INSERT INTO main.{table} SELECT {made} FROM copy AS c CROSS JOIN base AS b "
                     "WHERE c.whole OR b.is_first ORDER BY c.rowid")
    database.execute("DROP TABLE base")


def _made(name, ids, keys):
    if name in ids:
        return (f"'{_HEAD}' || c.code || b.{name}_tail || "
                f"substr('10X98765432', 1 + (b.{name}_rest + c.rest) % 11, 1)")
    return f"b.{name} || '-' || c.code" if name in keys else f"b.{name}"


def tables_read(query):
    """The tables a view's query names."""
    return set(re.findall(r"\b(?:FROM|JOIN)\s+([a-z_]+)", query))
