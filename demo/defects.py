"""Planted defects: who gets help from two departments at once, and what must not be taken for it.

Only for who asks for them: they are written into databases that are there already, so that everybody's
class stays what it is elsewhere. The truth is returned and kept nowhere.
"""

import contextlib
import dataclasses
import os
import random
import sqlite3

from identity import id_check
from truth import STANDARD

# Of those who get hardship aid: get job help too; have more than the standard; have a wage, but said no.
DUPLICATES, INELIGIBLE, INCOME_ERRORS = 0.12, 0.12, 0.08
_PAID = ("INSERT INTO aid_payment (pid, id_no, aid_kind, month, cents, batch)"
         " VALUES (?, ?, 'HARDSHIP', ?, ?, ?)")
_RENT = "INSERT INTO other_income (id_no, month, kind, cents) VALUES (?, ?, 'rent', ?)"
_WAGE = "INSERT INTO wage (id_no, month, payer_uscc, income_cents, tax_cents) VALUES (?, ?, 'payer', ?, 0)"
_HARDSHIP_CENTS, _JOB_HELP_CENTS, _WAGE_CENTS = 60000, 80000, 40000


@dataclasses.dataclass
class Planted:
    """Who is on which list, by identity number; `payments` are the records of the aid."""

    aided: set
    helped: set
    payments: dict         # record: identity number
    homonyms: list         # pairs of one name and birthday, one aided, the other helped
    variants: set          # written differently by the two departments
    elsewhere: set         # registered in another region
    names: dict            # of the aided, by identity number
    ineligible: set
    income_errors: set
    dead: set

    @property
    def both(self):
        return self.aided & self.helped


def plant(people, folder, seed=1, recipients=None):
    """Writes both lists into the databases of civil affairs and social security in `folder`; `people` is the
    population they were made from, of whose grown-ups a third get the aid, or as many as `recipients`."""
    rng = random.Random(seed)
    adults = [p for h in people.households if not h.story for p in h.people
              if p.age >= 18 and not p.died and not p.aid and not p.recognised and not p.marks]
    rng.shuffle(adults)
    third = min(len(adults) // 3, recipients or len(adults))
    aided, others = adults[:third], adults[third:]
    twice = aided[:round(DUPLICATES * len(aided))]
    planted = Planted({p.id_no for p in aided}, {p.id_no for p in twice + others[:third]}, {}, [], set(), set(),
                      {p.id_no: p.name for p in aided}, set(), set(), set())
    namesakes = [_namesake(rng, person) for person in aided[-8:]]
    planted.homonyms = [(person.id_no, id_no) for person, id_no in zip(aided[-8:], namesakes)]
    planted.helped |= set(namesakes)
    planted.elsewhere = {twice[0].id_no}
    _pay(people, folder, aided, planted)
    _tax(people, folder, aided, planted)
    _bury(people, folder, aided[-12:-10], planted)
    helped = [(p.id_no, p.name) for p in twice + others[:third]]
    helped += [(id_no, person.name) for person, id_no in zip(aided[-8:], namesakes)]
    _help(people, folder, helped, planted)
    return planted


def _namesake(rng, person):
    """Somebody else of the same name, birthday and region: another sequence number."""
    while True:
        first = person.id_no[:14] + f"{rng.randrange(900, 996):03d}"
        if first[:17] != person.id_no[:17]:
            return first + id_check(first)


def _written(index, id_no, planted):
    """As a department may have it: lower-case x, blanks behind it."""
    ways = (lambda n: n, lambda n: n.lower(), lambda n: n + "  ")
    written = ways[index % len(ways)](id_no)
    if written != id_no:
        planted.variants.add(id_no)
    return written


def _pay(people, folder, aided, planted):
    month = people.month(0)
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "civil-affairs.db"))) as database, database:
        for index, person in enumerate(aided):
            record = f"H{index:07d}{month}"
            planted.payments[record] = person.id_no
            database.execute(_PAID, (record, person.id_no, month, _HARDSHIP_CENTS, "B" + month))
            before = people.month(-1)
            database.execute(_PAID, (f"H{index:07d}{before}", person.id_no, before, _HARDSHIP_CENTS, "B" + before))


def _help(people, folder, helped, planted):
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "social-security.db"))) as database, database:
        database.execute("DELETE FROM job_help")
        for index, (id_no, name) in enumerate(helped):
            own = f"{880000000 + index:012d}"
            region = "510104" if id_no in planted.elsewhere else "110105"
            database.execute("INSERT INTO employee (aac001, aac002, aac003, aac006, aac008, aab301)"
                             " VALUES (?, ?, ?, ?, '2', ?)",
                             (own, _written(index, id_no, planted), name, id_no[6:14], region))
            database.execute("INSERT INTO job_help (aac001, program, from_m, to_m, cents)"
                             " VALUES (?, 'placement', ?, ?, ?)",
                             (own, people.month(-2), people.month(4), _JOB_HELP_CENTS))


def _tax(people, folder, aided, planted):
    """Nobody on the list has an income, as they said, but for some: rent above the standard, the first of
    them by one cent in the year, or a small wage. One is at the standard exactly, which is not above it."""
    rich = aided[20:20 + round(INELIGIBLE * len(aided))]
    earning = aided[-20 - round(INCOME_ERRORS * len(aided)):-20]
    planted.ineligible = {p.id_no for p in rich}
    planted.income_errors = {p.id_no for p in earning}
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "tax.db"))) as database, database:
        for person in aided:
            database.execute("DELETE FROM wage WHERE id_no = ?", (person.id_no,))
            database.execute("DELETE FROM other_income WHERE id_no = ?", (person.id_no,))
        for offset in range(-12, 0):
            month = people.month(offset)
            rents = [STANDARD + (1 if offset == -7 else 0)] + [2 * STANDARD] * (len(rich) - 1)
            database.executemany(_RENT, [(person.id_no, month, cents) for person, cents in zip(rich, rents)])
            database.execute(_RENT, (aided[19].id_no, month, STANDARD))
            database.executemany(_WAGE, [
                (person.id_no, month, _WAGE_CENTS) for person in earning])


def _bury(people, folder, dead, planted):
    """The register knows of the first one's death, of the second's only a hospital."""
    planted.dead = {p.id_no for p in dead}
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "public-security.db"))) as database, database:
        database.execute("UPDATE person SET status = 'dead' WHERE id_no = ?", (dead[0].id_no,))
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "health.db"))) as database, database:
        database.execute("INSERT INTO death_cert (cert_no, id_no, died_at, natural) VALUES ('DEFECT', ?, ?, 1)",
                         (dead[1].id_no, people.day(-20)))
