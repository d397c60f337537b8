#!/usr/bin/env python3
"""What a household's class should be, computed from the ten departments' databases alone.

It reads no YAML and no truth about the population: plain SQL and the rules in words. Tests compare it
with the hidden truth and with what a case came to.
"""

import argparse
import datetime
import fractions
import json
import math
import os
import sqlite3
import sys
import unicodedata

_STANDARD = 145000
_LOCAL_INCOME_YEAR = 8541500
_RIGID_PERCENT = 50
_MEAN_AREA = 34
_MAJOR = {"C16", "C18", "C22", "C34", "C50", "C91", "C92", "D61", "G20", "I21", "I61", "N18", "Z94"}
_NOT_INCOME = {"social-aid", "veteran-honour", "scholarship", "family-planning", "bravery",
               "disability-subsidy"}
_FULL_TIME = {"primary", "junior", "senior", "vocational", "college", "bachelor"}
_DOTS = "\u2022\u30fb\uff65\u2027\u0387\u16eb"
_MAX_AGE_DAYS = {"public-security": 30, "education": 120, "housing": 90, "disabled-federation": 90}
_OTHER_MAX_AGE_DAYS = 45
_DEPARTMENTS = ("public-security", "civil-affairs", "social-security", "medical-insurance", "health",
                "education", "housing", "tax", "disabled-federation", "finance")


class Doubt(Exception):
    """The records do not settle it: a person decides. Its text is the reason."""


def normal_name(name):
    """A name as it is compared: one kind of middle dot, half-width, no spaces, capitals."""
    for dot in _DOTS:
        name = name.replace(dot, "·")
    half = "".join(chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" else c for c in name)
    return "".join(c for c in half if unicodedata.category(c) != "Zs" and not c.isspace()).upper()


class Expected:
    """The ten databases, opened read-only."""

    def __init__(self, directory, today):
        self._today = today
        self._months = [_month(today, -offset) for offset in range(12, 0, -1)]
        self._open = {}
        for department in _DEPARTMENTS:
            path = os.path.abspath(os.path.join(directory, department + ".db"))
            self._open[department] = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def close(self):
        for connection in self._open.values():
            connection.close()

    def judge(self, members):
        """(class, reason) for declared members: dicts with role, id_no and name."""
        try:
            return self._judge(members)
        except Doubt as doubt:
            return "MANUAL", str(doubt)

    def allowance(self, members):
        """Cents a month of the subsistence allowance: the year's gap over twelve, up to whole yuan."""
        ids = [member["id_no"] for member in members]
        income = sum(self._income(member["id_no"]) for member in members if member["role"] != "child")
        heavy = any([self._heavy(id_no) for id_no in ids])
        counted = income - (12 * _STANDARD if heavy or self._lone_parent(members) else 0)
        gap = fractions.Fraction(12 * _STANDARD * len(members) - max(0, counted), 12 * 100)
        return math.ceil(gap) * 100

    def _rows(self, department, sql, *values):
        return self._open[department].execute(sql, values).fetchall()

    def _total(self, department, sql, id_no, months):
        """Sums (month, cents) rows that fall into the months; a missing amount is a doubt."""
        total = 0
        for month, cents in self._rows(department, sql, id_no):
            if month in months:
                if cents is None:
                    raise Doubt("an amount is missing")
                total += cents
        return total

    def _judge(self, members):
        self._check_freshness()
        applicant = members[0]["id_no"]
        ids = [member["id_no"] for member in members]
        for member in members:
            self._check_person(member)
        self._check_household(applicant, ids)
        adults = [m["id_no"] for m in members if m["role"] != "child"]
        incomes = sum(self._income(id_no) for id_no in adults)
        over = self._property(members, adults)
        return self._classify(members, incomes, over)

    def _classify(self, members, income, over):
        applicant, size = members[0]["id_no"], len(members)
        ids = [member["id_no"] for member in members]
        if size == 1 and not over and income < 12 * _STANDARD and self._helpless(applicant):
            if self._obligors(applicant):
                raise Doubt("somebody outside is obliged to support")
            return "TEKUN", "alone, unable to work, below the standard"
        heavy = any([self._heavy(id_no) for id_no in ids])
        counted = income - (12 * _STANDARD if heavy or self._lone_parent(members) else 0)
        if over:
            return "NONE", over
        if counted < 12 * _STANDARD * size:
            return "DIBAO", "below the standard"
        if counted * 2 < 12 * _STANDARD * size * 3:
            return ("SINGLE" if heavy else "EDGE"), "below 1.5 times the standard"
        rigid = sum(self._medical(id_no) + self._fees(id_no) for id_no in ids)
        if income < _LOCAL_INCOME_YEAR * size and rigid * 100 > income * _RIGID_PERCENT:
            return "RIGID", "unavoidable spending above half of income"
        return "NONE", "income"

    def _check_freshness(self):
        for department in _DEPARTMENTS:
            limit = _MAX_AGE_DAYS.get(department, _OTHER_MAX_AGE_DAYS)
            (as_of,), = self._rows(department, "SELECT as_of FROM data_as_of")
            self._check_date(as_of, limit)

    def _check_date(self, as_of, limit):
        if (self._today - datetime.date.fromisoformat(as_of)).days > limit:
            raise Doubt("the data are too old")

    def _check_person(self, member):
        id_no = member["id_no"]
        found = self._rows("public-security", "SELECT name, status, birth FROM person WHERE id_no = ?",
                           id_no)
        if len(found) != 1:
            raise Doubt("not in the register of persons")
        name, status, birth = found[0]
        if status != "alive" or self._rows("health", "SELECT 1 FROM death_cert WHERE id_no = ?", id_no):
            raise Doubt("a death")
        if normal_name(name) != normal_name(member["name"]):
            raise Doubt("another name")
        if (self._age(birth) < 18) != (member["role"] == "child"):
            raise Doubt("another age than the role's")
        today = self._today.isoformat()
        if self._rows("civil-affairs", "SELECT 1 FROM recognition WHERE id_no = ? AND valid_from <= ?"
                      " AND coalesce(valid_to, '9999') >= ?", id_no, today, today):
            raise Doubt("recognised already")
        kinds = self._rows("civil-affairs", "SELECT aid_kind, month FROM aid_payment WHERE id_no = ?",
                           id_no)
        if any(kind in ("DIBAO", "TEKUN") and month >= _month(self._today, -2)
               for kind, month in kinds):
            raise Doubt("aided already")
        for (as_of,) in self._rows("finance", "SELECT as_of FROM bank_query WHERE id_no = ?", id_no):
            self._check_date(as_of, _OTHER_MAX_AGE_DAYS)

    def _age(self, birth):
        born = datetime.date.fromisoformat(birth)
        before = (self._today.month, self._today.day) < (born.month, born.day)
        return self._today.year - born.year - before

    def _check_household(self, applicant, ids):
        current = self._rows("public-security", "SELECT hh, hukou_area6 FROM household"
                             " WHERE id_no = ? AND until IS NULL", applicant)
        if len(current) != 1:
            raise Doubt("no single registration")
        hh, area = current[0]
        if area[:2] != "11":
            raise Doubt("registered in another region")
        listed = self._rows("public-security", "SELECT id_no FROM household WHERE hh = ?"
                            " AND until IS NULL", hh)
        if {row[0] for row in listed} != set(ids):
            raise Doubt("another household")
        if len(self._rows("housing", "SELECT 1 FROM family_file WHERE id_no = ?", applicant)) != 1:
            raise Doubt("no single housing file")

    def _income(self, id_no):
        months = self._months
        total = self._total("tax", "SELECT month, income_cents FROM wage WHERE id_no = ?", id_no, months)
        total += self._total("tax", "SELECT month, cents FROM other_income WHERE id_no = ?", id_no,
                             months)
        for aac001, in self._rows("social-security", "SELECT aac001 FROM employee WHERE aac002 = ?",
                                  id_no):
            for start, cents in self._rows("social-security", "SELECT start_month, cents_month"
                                           " FROM pension WHERE aac001 = ?", aac001):
                total += cents * sum(month >= start for month in months)
            for first, last, cents in self._rows("social-security", "SELECT benefit_from, benefit_to,"
                                                 " cents_month FROM unemployment WHERE aac001 = ?",
                                                 aac001):
                total += cents * sum(first <= month <= last for month in months)
        for item, state, month, cents in self._rows("finance", "SELECT item, state, month, cents"
                                                    " FROM payout WHERE id_no = ?", id_no):
            if state == "paid" and item not in _NOT_INCOME and month in months:
                total += cents
        return total

    def _property(self, members, adults):
        """What is over the limits, or an empty text."""
        ids = [member["id_no"] for member in members]
        over = []
        savings = 0
        homes = premises = 0
        for id_no in ids:
            savings += sum(row[0] for row in self._rows(
                "finance", "SELECT balance_cents FROM bank_query WHERE id_no = ?", id_no))
            if any(not disabled and scrapped is None for disabled, scrapped in self._rows(
                    "public-security", "SELECT disabled_flag, scrap_date FROM vehicle"
                    " WHERE owner_id = ?", id_no)):
                over.append("vehicle")
            for kind, in self._rows("housing", "SELECT kind FROM title JOIN dwelling USING (unit_no)"
                                    " WHERE owner_id = ? AND seq = 1 AND to_d IS NULL", id_no):
                homes += kind == "home"
                premises += kind != "home"
        if any([self._has_capital(id_no) for id_no in adults]):
            over.append("business")
        if savings > 24 * _STANDARD * len(members):
            over.append("deposits")
        if premises:
            over.append("premises")
        if homes > 1 and not self._is_small(ids[0]):
            over.append("homes")
        return " ".join(over)

    def _has_capital(self, id_no):
        capitals = self._rows("tax", "SELECT capital_cents FROM business WHERE legal_id = ?"
                              " AND status = 'active'", id_no)
        if any(cents is None for cents, in capitals):
            raise Doubt("an amount is missing")
        return sum(cents for cents, in capitals) >= 10000000

    def _is_small(self, applicant):
        (family, size), = self._rows("housing", "SELECT family_no, members FROM family_file"
                                     " WHERE id_no = ?", applicant)
        area = sum(row[0] for row in self._rows(
            "housing", "SELECT d.area_m2 FROM dwelling d JOIN title t ON t.unit_no = d.unit_no"
            " JOIN family_file f ON f.id_no = t.owner_id WHERE f.family_no = ? AND t.seq = 1"
            " AND t.to_d IS NULL AND d.kind = 'home'", family))
        return area < _MEAN_AREA * size

    def _cards(self, id_no):
        today = self._today.isoformat()
        return self._rows("disabled-federation", "SELECT type, level FROM card WHERE id_no = ?"
                          " AND issued <= ? AND coalesce(valid_to, '9999') >= ?", id_no, today, today)

    def _heavy(self, id_no):
        if any(level in "12" or (level == "3" and kind in "56") for kind, level in self._cards(id_no)):
            return True
        today = self._today.isoformat()
        codes = self._rows("medical-insurance", "SELECT disease_code FROM chronic JOIN insured"
                           " USING (psn_no) WHERE id_no = ? AND from_d <= ?"
                           " AND coalesce(to_d, '9999') >= ?", id_no, today, today)
        return any(code in _MAJOR for code, in codes)

    def _student(self, id_no):
        return any(stage in _FULL_TIME and status == "active" for stage, status in self._rows(
            "education", "SELECT stage, status FROM student WHERE id_no = ?", id_no))

    def _lone_parent(self, members):
        dependants = 0
        for member in members:
            birth = member["id_no"][6:14]
            age = self._age(f"{birth[:4]}-{birth[4:6]}-{birth[6:]}")
            dependants += self._student(member["id_no"]) or age < 17
        return dependants > 0 and len(members) - dependants < 2

    def _helpless(self, id_no):
        working = self._rows("social-security", "SELECT 1 FROM employee WHERE aac002 = ?"
                             " AND aac008 IN ('1', '4')", id_no)
        unfit = any((kind in "14" and level in "12") or (kind in "56" and level in "123")
                    for kind, level in self._cards(id_no))
        birth = id_no[6:14]
        elder = self._age(f"{birth[:4]}-{birth[4:6]}-{birth[6:]}") >= 60
        return (elder or unfit) and not working

    def _obligors(self, id_no):
        """Whether a living adult spouse, parent or child is registered in another household."""
        (own,), = self._rows("public-security", "SELECT hh FROM household WHERE id_no = ?"
                             " AND until IS NULL", id_no)
        for other, in self._rows("public-security", "SELECT b_id FROM kin WHERE a_id = ? AND relation"
                                 " IN ('spouse', 'parent', 'child')", id_no):
            where = self._rows("public-security", "SELECT hh FROM household WHERE id_no = ?"
                               " AND until IS NULL", other)
            person = self._rows("public-security", "SELECT status, birth FROM person WHERE id_no = ?",
                                other)
            if (own,) in where:
                continue
            if not person or (person[0][0] == "alive" and self._age(person[0][1]) >= 18):
                return True
        return False

    def _medical(self, id_no):
        return self._total("medical-insurance", "SELECT substr(setl_time, 1, 7), psn_part_amt"
                           " FROM settlement JOIN insured USING (psn_no) WHERE id_no = ?", id_no,
                           self._months)

    def _fees(self, id_no):
        return self._total("education", "SELECT month, public_cents FROM fee JOIN student"
                           " USING (roll_no) WHERE id_no = ?", id_no, self._months)


def _month(day, offset):
    year, index = divmod(day.year * 12 + day.month - 1 + offset, 12)
    return f"{year:04d}-{index + 1:02d}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True, metavar="DIR", help="the ten databases")
    parser.add_argument("--truth", required=True, metavar="FILE", help="generate.py's truth file")
    arguments = parser.parse_args()
    with open(arguments.truth, encoding="utf-8") as file:
        truth = json.load(file)
    expected = Expected(arguments.db, datetime.date.fromisoformat(truth["today"]))
    wrong = 0
    for household in truth["households"]:
        result, reason = expected.judge(household["members"])
        if result != household["class"]:
            wrong += 1
            print(f"household {household['household']}: {result} ({reason}) by the databases,"
                  f" {household['class']} ({household['reasons']}) by the population")
    expected.close()
    print(f"{len(truth['households'])} households, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
