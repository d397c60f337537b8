"""What a household's class should be, computed from the hidden population alone.

Written from the rules in words, in two-valued logic with doubts set aside first; it reads neither the
YAML files nor a department's database, so that it can contradict them.
"""

from population import MAJOR_DISEASES

STANDARD = 145000           # cents per head and month
LOCAL_INCOME = 8541500      # cents per head and year
MEAN_AREA = 34              # square metres per head
CAPITAL_LIMIT = 10000000    # cents


def _months_between(first, last):
    """How many of the twelve counted months lie in [first, last]."""
    return max(0, min(last, -1) - max(first, -12) + 1)


def income_of(person):
    """Counted income of the twelve months."""
    total = person.wage * _months_between(person.wage_from, person.wage_to)
    total += person.other * _months_between(-13, 0)
    total += person.pension * _months_between(person.pension_from, 0)
    if person.unemployment:
        total += person.unemployment * _months_between(person.unemployed_from, person.unemployed_to)
    return total + person.transfer * _months_between(-13, 0)


def is_severe(person):
    if person.disability is None:
        return False
    kind, level = person.disability
    return level in "12" or (level == "3" and kind in "56")


def _rules_out_work(person):
    if person.disability is None:
        return False
    kind, level = person.disability
    return (kind in "14" and level in "12") or (kind in "56" and level in "123")


def doubts_of(household):
    """Why a person must decide, as codes; empty when the records speak for themselves."""
    declared = household.declared
    applicant = declared[0]
    doubts = []
    if any(p.died for p in declared):
        doubts.append("death")
    if any("renamed" in p.marks for p in declared):
        doubts.append("name")
    if any("unlisted" in p.marks for p in declared):
        doubts.append("unlisted")
    registered = {p.id_no for p in household.people if p.own_hh is None}
    if registered != {p.id_no for p in declared}:
        doubts.append("household")
    if not applicant.area6.startswith("11"):
        doubts.append("region")
    if any(p.recognised or p.aid for p in declared):
        doubts.append("aided")
    if any("bank-stale" in p.marks for p in declared):
        doubts.append("stale")
    if any("wage-null" in p.marks or "capital-null" in p.marks for p in declared):
        doubts.append("amount")
    if "two-files" in household.marks:
        doubts.append("ambiguous")
    return doubts


def property_over(household):
    """Which property is over the limits, as codes."""
    declared = household.declared
    over = []
    if sum(cents for p in declared for _, cents in p.deposits) > 24 * STANDARD * len(declared):
        over.append("deposits")
    if any(not disabled and not scrapped for p in declared for _, disabled, scrapped in p.vehicles):
        over.append("vehicle")
    area = sum(area for area, _, _ in household.homes)
    if len(household.homes) > 1 and area // len(household.people) >= MEAN_AREA:
        over.append("homes")
    if household.premises:
        over.append("premises")
    for person in declared:
        capital = sum(cents for cents, status in person.firms if status == "active")
        if person.age >= 18 and capital >= CAPITAL_LIMIT:
            over.append("business")
            break
    return over


def _counted_income(household, income):
    """Income less one standard for illness, disability or a lone parent."""
    declared = household.declared
    heavy = any(is_severe(p) or p.disease in MAJOR_DISEASES for p in declared)
    dependent = [p for p in declared if p.stage or p.age < 17]
    lone = len(declared) - len(dependent) < 2 and len(dependent) > 0
    return heavy, income - (12 * STANDARD if heavy or lone else 0)


def _has_obligor(person):
    return any(not other.died and other.age >= 18 for other, _ in person.kin)


def judge(household):
    """(class, reasons): the class the form should come to."""
    doubts = doubts_of(household)
    if doubts:
        return "MANUAL", doubts
    declared = household.declared
    size = len(declared)
    income = sum(income_of(p) for p in declared if p.age >= 18)
    over = property_over(household)
    applicant = declared[0]
    line = 12 * STANDARD * size
    if size == 1 and income < line and not over:
        helpless = applicant.age >= 60 or _rules_out_work(applicant)
        if helpless and applicant.job not in ("1", "4"):
            return ("MANUAL", ["obligor"]) if _has_obligor(applicant) else ("TEKUN", ["no-labour"])
    heavy, counted = _counted_income(household, income)
    if not over:
        if counted < line:
            return "DIBAO", ["below-standard"]
        if 2 * counted < 3 * line:
            return ("SINGLE", ["heavy"]) if heavy else ("EDGE", ["below-edge"])
        spent = sum(cents for p in declared for month, _, cents in p.medical if -12 <= month <= -1)
        spent += sum(cents for p in declared for month, cents in p.fees if -12 <= month <= -1)
        if income < LOCAL_INCOME * size and 2 * spent > income:
            return "RIGID", ["rigid-spending"]
    return "NONE", over or ["income"]


def role_of(household, index):
    if index == 0:
        return "applicant"
    return "member" if household.declared[index].age >= 18 else "child"


def written_name(person):
    """The name as the citizen writes it; a renamed one differs from the register by a character."""
    return person.name + "某" if "renamed" in person.marks else person.name


def describe(household):
    """A household for the truth file."""
    expected, reasons = judge(household)
    entry = {
        "household": household.number,
        "members": [{"role": role_of(household, i), "id_no": p.id_no, "name": written_name(p)}
                    for i, p in enumerate(household.declared)],
        "class": expected,
        "reasons": reasons,
    }
    if household.story:
        entry["story"] = {k: household.story[k] for k in ("key", "zh", "en")}
    return entry
