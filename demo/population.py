"""The hidden population: people, households and what is true of them.

Every department's database is written from it, and the expected classes are computed from it. It is
never stored. Distributions follow the 2020 census and the 2024 income survey: 2.62 persons to a
household, 18 % under 15, 19 % aged 60 or more, 64 % urban, incomes by log-normals with the published
means and medians.

Months are offsets: 0 is the current month, -1 the one before it. The twelve months that count are -12
to -1. Money is integer cents.
"""

import datetime
import math
import random

from identity import IdNumbers, Names, load_regions

URBAN_SHARE = 0.6389
# median per head and year in yuan, and sigma from mean and median
_INCOME = {True: (49302, math.sqrt(2 * math.log(54188 / 49302))),
           False: (19605, math.sqrt(2 * math.log(23119 / 19605)))}
MAJOR_DISEASES = ("C16", "C18", "C22", "C34", "C50", "C91", "C92", "D61", "G20", "I21", "I61", "N18",
                  "Z94")
OTHER_DISEASES = ("I10", "E11", "J44", "M05", "K74")
_NATIONS = ("01", "01", "01", "01", "01", "01", "01", "01", "02", "03", "11")
_SHAPES = (  # weight, then ages of each person: (lowest, highest, role)
    (10, ((62, 88, "head"),)),
    (8, ((22, 59, "head"),)),
    (11, ((60, 84, "head"), (60, 82, "spouse"))),
    (13, ((26, 62, "head"), (26, 60, "spouse"))),
    (19, ((28, 46, "head"), (27, 45, "spouse"), (0, 17, "child"))),
    (9, ((30, 45, "head"), (29, 44, "spouse"), (0, 16, "child"), (1, 17, "child"))),
    (4, ((29, 46, "head"), (1, 17, "child"))),
    (1, ((30, 46, "head"), (1, 17, "child"), (3, 17, "child"))),
    (12, ((30, 45, "head"), (29, 44, "spouse"), (1, 16, "child"), (60, 78, "parent"))),
    (11, ((45, 58, "head"), (44, 57, "spouse"), (18, 27, "child"))),
    (1, ((30, 45, "head"), (29, 44, "spouse"), (1, 16, "child"), (2, 17, "child"),
         (60, 76, "parent"), (60, 76, "parent"), (20, 30, "other"))),
)


class Person:
    """One person. `marks` names planted defects; see stories.py."""

    __slots__ = ("id_no", "name", "kept_name", "variant", "sex", "nation", "birth", "age", "role",
                 "household", "own_hh", "area6", "died", "disability", "disease", "stage", "fees",
                 "job", "wage", "wage_from", "wage_to", "other", "other_kind", "pension",
                 "pension_from", "unemployment", "unemployed_from", "unemployed_to", "transfer",
                 "social_aid", "medical", "deposits", "vehicles", "firms", "recognised", "aid",
                 "kin", "marks", "number", "post", "carried", "unpaid", "insured_at", "medical_months",
                 "medical_owed", "maternity", "fund", "multi", "welfare", "allowance", "injury_care",
                 "drawn", "boards", "aided", "mode", "commercial", "custody", "reported", "subsidy", "policies")

    def __init__(self):
        for slot in self.__slots__:
            setattr(self, slot, None)
        self.wage = self.other = self.pension = self.unemployment = 0
        self.transfer = self.social_aid = 0
        self.wage_from, self.wage_to, self.pension_from = -13, 0, -120
        self.medical_owed = 0
        self.unpaid = ()    # month offsets recorded as not paid, or with None as not said
        self.fees = self.medical = self.deposits = self.vehicles = self.firms = self.kin = self.commercial = ()
        self.marks = frozenset()

    def mark(self, *names):
        self.marks = self.marks | set(names)


class Household:
    """People who live together. `declared` are those named in the application."""

    __slots__ = ("number", "hh", "area6", "street", "urban", "people", "declared", "homes",
                 "premises", "story", "marks", "births", "rental")

    def __init__(self):
        self.people, self.homes, self.premises, self.births = [], [], [], []
        self.declared, self.story, self.marks = None, None, frozenset()
        self.rental = None  # waiting, housed, or "" for neither


class Population:
    """Everything that is true, and the means to add to it."""

    def __init__(self, seed, today):
        self.rng = random.Random(seed)
        self.today = today
        self.this_month = today.year * 12 + today.month - 1
        self.households = []
        self.num_people = 0
        self.num_own = 0    # households; after them come those that the other forms' stories are about
        self._ids = IdNumbers(self.rng)
        self._names = Names(self.rng)
        self.districts, self.streets = load_regions()

    def month(self, offset):
        """An offset as YYYY-MM."""
        year, index = divmod(self.this_month + offset, 12)
        return f"{year:04d}-{index + 1:02d}"

    def day(self, offset):
        """Today plus some days, as YYYY-MM-DD."""
        return (self.today + datetime.timedelta(days=offset)).isoformat()

    def birth_of(self, age):
        """A birth date that makes somebody `age` full years old today."""
        latest = years_before(self.today, age)
        earliest = years_before(self.today, age + 1) + datetime.timedelta(days=1)
        span = (latest - earliest).days
        return (earliest + datetime.timedelta(days=self.rng.randrange(span + 1))).isoformat()

    def add_household(self, urban=None):
        rng = self.rng
        household = Household()
        household.number = len(self.households) + 1
        household.area6 = rng.choice(self.districts)[0]
        household.street = rng.choice(self.streets[household.area6])[0]
        household.hh = f"{household.area6}{household.number:08d}"
        household.urban = rng.random() < URBAN_SHARE if urban is None else urban
        self.households.append(household)
        return household

    def add_person(self, household, age, sex, role, surname=None):
        person = Person()
        self.num_people += 1
        person.number = self.num_people
        person.age, person.sex, person.role, person.household = age, sex, role, household
        person.birth = self.birth_of(age)
        person.area6 = household.area6
        person.id_no = self._ids.next(household.area6, person.birth, sex)
        person.name, person.kept_name, person.variant = self._names.draw(sex, surname)
        person.nation = "07" if person.variant == "dot" else self.rng.choice(_NATIONS)
        household.people.append(person)
        return person

    def set_birth(self, person, birth):
        """Gives a person another birth date of the same age, with a number that fits it."""
        person.birth = birth
        person.id_no = self._ids.next(person.area6, birth, person.sex)


def years_before(day, years):
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def stage_of(age, roll):
    """The school stage of an age; `roll` in [0, 1) decides whether a grown one still studies."""
    if age < 6 or age > 22:
        return None
    if age < 12:
        return "primary"
    if age < 15:
        return "junior"
    if age < 18:
        return "senior" if roll < 0.7 else "vocational"
    if roll < 0.3:
        return "bachelor"
    return "college" if roll < 0.5 else None


def fees_of(population, stage):
    """Public-price fees of the last year as (month offset, cents)."""
    yearly = {"senior": {9: 80000, 3: 80000}, "vocational": {9: 50000}, "college": {9: 550000},
              "bachelor": {9: 500000}}.get(stage, {})
    due = []
    for offset in range(-13, 1):
        cents = yearly.get((population.this_month + offset) % 12 + 1)
        if cents:
            due.append((offset, cents))
    return tuple(due)


def _fill_person(population, person):
    rng = population.rng
    person.stage = stage_of(person.age, rng.random())
    person.fees = fees_of(population, person.stage)
    if rng.random() < 0.02 + 0.0012 * person.age:
        kind = rng.choice("1234456667")
        person.disability = (kind, rng.choice("12334444" if kind != "7" else "1234"))
    roll = rng.random()
    if roll < 0.008 + 0.0007 * person.age:
        person.disease = rng.choice(MAJOR_DISEASES)
    elif roll < 0.06 + 0.002 * person.age:
        person.disease = rng.choice(OTHER_DISEASES)
    yearly = rng.lognormvariate(math.log(900 + 25 * person.age), 0.8)
    if person.disease in MAJOR_DISEASES:
        yearly += rng.lognormvariate(math.log(26000), 0.8)
    bills = rng.randrange(1, 6)
    person.medical = tuple((rng.randrange(-13, 1), rng.randrange(1, 28), int(yearly * 100 / bills))
                           for _ in range(bills))


def _earn(population, household):
    """Splits the household's income over its earners; returns income per head and year in yuan."""
    rng = population.rng
    median, sigma = _INCOME[household.urban]
    per_head = rng.lognormvariate(math.log(median), sigma)
    month = per_head * 100 * len(household.people) / 12
    workers, retired = [], []
    for person in household.people:
        if person.age >= 60:
            retired.append(person)
        elif person.age >= 18 and person.stage is None:
            if rng.random() < 0.9:
                workers.append(person)
            else:
                _out_of_work(population, person)
    earners = len(workers) + len(retired)
    for person in retired:
        person.job, person.pension = "3", int(month / earners)
    for person in workers:
        _work(population, person, month / earners)
    if not earners:
        household.people[0].transfer = int(month * 0.3)
    if rng.random() < 0.06:
        household.people[0].transfer += rng.randrange(3000, 30000)
    return per_head


def _out_of_work(population, person):
    rng = population.rng
    person.job = "2"
    if rng.random() < 0.4:
        person.unemployment = rng.randrange(180000, 230000)
        person.unemployed_from = rng.randrange(-9, -1)
        person.unemployed_to = person.unemployed_from + rng.randrange(3, 12)


def _work(population, person, month):
    rng = population.rng
    own_business = rng.random() < 0.18
    person.job = "4" if own_business else "1"
    rent = month * 0.3 if rng.random() < 0.2 else 0
    rest = month - rent
    if own_business:
        person.other, person.other_kind = int(rest * 0.8), "business"
        person.wage = int(rest * 0.2)
    else:
        person.wage = int(rest)
    if rent:
        person.other += int(rent)
        person.other_kind = person.other_kind or "rent"
    if own_business and rng.random() < 0.3:
        capital = rng.choice((3000000, 5000000, 10000000, 50000000, 200000000))
        person.firms = ((capital, "active"),)


def _own(population, household, per_head):
    """Deposits, vehicles, homes and premises, more of each the richer."""
    rng = population.rng
    for person in household.people:
        if person.age < 18 and rng.random() < 0.85:
            continue
        saved = rng.lognormvariate(math.log(per_head * 0.35 + 1500), 0.9)
        banks = rng.randrange(1, 4)
        person.deposits = tuple((bank, int(saved * 100 / banks)) for bank in range(banks))
    adults = [person for person in household.people if person.age >= 18]
    if rng.random() < min(0.5, per_head / 90000):
        adults[0].vehicles = (("car", 0, 0),)
    elif rng.random() < 0.05:
        adults[0].vehicles = (("car", 0, 1),)
    holder = adults[0]
    couple = adults[1] if len(adults) > 1 and adults[1].role == "spouse" else None
    size = len(household.people)
    count = rng.choices((0, 1, 2, 3), (18, 66, 13, 3))[0]
    for _ in range(count):
        area = rng.randrange(40, 120) + 8 * size + rng.choice((0, 0.25, 0.5, 0.75))
        household.homes.append((area, holder, couple))
    if rng.random() < 0.03:
        household.premises.append((rng.randrange(12, 60), holder))


def _defects(population, household):
    """The rare things that only a person can settle."""
    rng = population.rng
    roll = rng.random()
    person = rng.choice(household.people)
    if roll < 0.004:
        person.mark("bank-stale")
        person.deposits = person.deposits or ((0, 120000),)
    elif roll < 0.008 and person.wage:
        person.mark("wage-null")
    elif roll < 0.012 and person.firms:
        person.mark("capital-null")
    elif roll < 0.016:
        person.mark("unlisted")
    elif roll < 0.019:
        household.marks = frozenset(["two-files"])
    elif roll < 0.026 and len(household.people) > 1:
        household.declared = household.people[:-1]
    elif roll < 0.029:
        person.mark("renamed")


def _ordinary(population):
    rng = population.rng
    shape = rng.choices([s[1] for s in _SHAPES], weights=[s[0] for s in _SHAPES])[0]
    household = population.add_household()
    family = None
    for low, high, role in shape:
        if role == "spouse":
            sex = "F" if household.people[0].sex == "M" else "M"
        else:
            sex = "M" if rng.random() < 0.527 else "F"
        surname = family if role == "child" else None
        person = population.add_person(household, rng.randrange(low, high + 1), sex, role, surname)
        if role == "head" and "·" not in person.name:
            family = person.name[0]
        _fill_person(population, person)
    _own(population, household, _earn(population, household))
    _defects(population, household)


def _link_kin(population, first):
    """Gives people who live alone a parent or child elsewhere, as most have one."""
    rng = population.rng
    heads = [h.people[0] for h in population.households[first:]]
    for person in heads:
        if len(person.household.people) > 1 or person.kin or rng.random() < 0.35:
            continue
        for _ in range(6):
            other = rng.choice(heads)
            if other.kin or not 20 <= abs(person.age - other.age) <= 42:
                continue
            older = person.age > other.age
            person.kin = ((other, "child" if older else "parent"),)
            other.kin = ((person, "parent" if older else "child"),)
            break


def _recognise(population, first):
    """A few of the poor are recognised already; one in eight of the recognised is not poor."""
    rng = population.rng
    for household in population.households[first:]:
        month = sum(p.wage + p.other + p.pension for p in household.people) / len(household.people)
        if rng.random() < (0.15 if month < 145000 else 0.0035):
            for person in household.people:
                person.recognised = "DIBAO"
            household.people[0].aid = "DIBAO"
            household.people[0].social_aid = 120000


def generate(seed, people, today):
    """The population of at least `people` persons, stories first; the same for the same arguments."""
    import forms
    from stories import plant
    population = Population(seed, today)
    plant(population)
    first = len(population.households)
    while population.num_people < people:
        _ordinary(population)
    _link_kin(population, first)
    _recognise(population, first)
    population.num_own = len(population.households)
    forms.plant(population)
    for household in population.households:
        if household.declared is None:
            household.declared = list(household.people)
    return population
