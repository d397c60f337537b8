"""Planted for the triggers: who may be entitled without having applied, and who is just short of it.

As defects.py, written into databases that are there already. What each household should come to is told with it.
"""

import contextlib
import os
import sqlite3

_WAGE = "INSERT INTO wage (id_no, month, payer_uscc, income_cents, tax_cents) VALUES (?, ?, 'payer', ?, 0)"
_CLEAR = (("tax", "DELETE FROM wage WHERE id_no = ?"), ("tax", "DELETE FROM other_income WHERE id_no = ?"),
          ("finance", "DELETE FROM payout WHERE id_no = ?"),
          ("social-security", "DELETE FROM employee WHERE aac002 = ?"))
_MONTH = 300000              # a wage in cents; 30 % of a year of it:
_THIRTY = 12 * _MONTH * 3 // 10
# key, a month's wage, own medical costs of twelve months, what it comes to
_MEDICAL = (("exactly-thirty", _MONTH, _THIRTY, "NONE"), ("a-cent-above", _MONTH, _THIRTY + 1, "CANDIDATE"),
            ("heavy", _MONTH, 3000000, "CANDIDATE"), ("heavy-withdrawn", _MONTH, 3000000, "CANDIDATE"),
            ("light", _MONTH, 200000, "NONE"), ("no-costs", _MONTH, 0, "NONE"), ("no-income", 0, 50000, "CANDIDATE"),
            ("wage-unreadable", None, 3000000, "MANUAL"))
# key, status, month of registration, benefit now, a wage, what it comes to
_JOBLESS = (("twelve-months", "2", -12, False, False, "CANDIDATE"), ("eleven-months", "2", -11, False, False, "NONE"),
            ("for-years", "2", -30, False, False, "CANDIDATE"), ("with-benefit", "2", -30, True, False, "NONE"),
            ("with-a-wage", "2", -30, False, True, "NONE"), ("at-work", "1", None, False, True, "NONE"),
            ("not-registered", "2", None, False, False, "MANUAL"))
# key, wages of the last three months after three of 9,000 yuan, what it comes to
_DROP = (("half", 450000, "CANDIDATE"), ("a-cent-less-than-half", 450001, "NONE"), ("nothing-left", None, "CANDIDATE"),
         ("steady", 900000, "NONE"))


class _Books:
    """The departments' databases, open for writing."""

    def __init__(self, people, folder):
        self._people, self._folder = people, folder
        self._open = {}

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        for database in self._open.values():
            with contextlib.closing(database), database:
                pass

    def put(self, department, sql, *values):
        if department not in self._open:
            self._open[department] = sqlite3.connect(os.path.join(self._folder, department + ".db"))
        self._open[department].execute(sql, values)

    def clear(self, members):
        """None of them has an income that anybody knows of."""
        for member in members:
            for department, sql in _CLEAR:
                self.put(department, sql, member["id_no"])

    def wages(self, id_no, months, cents):
        for offset in months:
            self.put("tax", _WAGE, id_no, self._people.month(offset), cents)

    def costs(self, number, members, cents):
        """Own costs of the twelve months, all in one bill of the first of them."""
        for member in members:
            self.put("medical-insurance", "DELETE FROM settlement WHERE psn_no IN"
                     " (SELECT psn_no FROM insured WHERE id_no = ?)", member["id_no"])
        first, own = members[0]["id_no"], f"{970000000000 + number}"
        self.put("medical-insurance", "DELETE FROM insured WHERE id_no = ?", first)
        self.put("medical-insurance", "INSERT INTO insured (psn_no, id_no, insutype, status, from_m, area6)"
                 " VALUES (?, ?, '390', '1', ?, '110101')", own, first, self._people.month(-140))
        if cents:
            self.put("medical-insurance", "INSERT INTO settlement (setl_id, mdtrt_id, psn_no, med_type, setl_time,"
                     " fulamt_ownpay_amt, psn_part_amt) VALUES (?, ?, ?, '21', ?, 0, ?)", "B" + own, "B" + own, own,
                     self._people.month(-2) + "-03 10:20:00", cents)

    def jobless(self, number, id_no, plan):
        _, status, registered, benefit, _, _ = plan
        own, month = f"{870000000 + number:012d}", self._people.month
        self.put("social-security", "INSERT INTO employee (aac001, aac002, aac008) VALUES (?, ?, ?)", own, id_no,
                 status)
        if registered is not None:
            until = month(1) if benefit else month(registered + 6)
            self.put("social-security", "INSERT INTO unemployment (aac001, reg_date, benefit_from, benefit_to,"
                     " cents_month) VALUES (?, ?, ?, ?, 200000)", own, month(registered) + "-15",
                     month(registered), until)


def plant(people, households, folder, without=()):
    """Returns the watches: form, key, members, class. `without` are people who are planted for something else."""
    free = _free(households, set(without))
    homes = [members for members in free if len(members) > 1][:len(_MEDICAL)]
    alone = [members[:1] for members in free if members not in homes]
    watches = []
    with _Books(people, folder) as books:
        for number, (plan, members) in enumerate(zip(_MEDICAL, homes)):
            key, wage, costs, expected = plan
            books.clear(members)
            if wage != 0:
                books.wages(members[0]["id_no"], range(-12, 0), wage)
            books.costs(number, members, costs)
            watches.append({"form": "medical-burden", "key": key, "members": members, "class": expected})
        for number, plan in enumerate(_JOBLESS):
            members = alone.pop()
            books.clear(members)
            if plan[4]:
                books.wages(members[0]["id_no"], (-5,), _MONTH)
            books.jobless(number, members[0]["id_no"], plan)
            watches.append({"form": "long-unemployment", "key": plan[0], "members": members, "class": plan[-1]})
        for key, wage, expected in _DROP:
            members = alone.pop()
            books.clear(members)
            books.wages(members[0]["id_no"], range(-6, -3), 900000)
            if wage is not None:
                books.wages(members[0]["id_no"], range(-3, 0), wage)
            watches.append({"form": "income-drop", "key": key, "members": members, "class": expected})
    return watches


def _free(households, taken):
    """Ordinary households of whom nothing is special, as those who declare them would."""
    found = []
    for household in households:
        members = [{key: member[key] for key in ("role", "id_no", "name")} for member in household["members"]]
        plain = "story" not in household and household["class"] != "MANUAL"
        roles = {member["role"] for member in members}
        if plain and roles <= {"applicant", "member", "child"} and not taken & {m["id_no"] for m in members}:
            found.append(members)
    return found
