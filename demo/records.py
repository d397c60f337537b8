"""What each department has on record of the population: one function per department."""

import hashlib

import form_records
from identity import uscc

_SOURCES = ("household register", "civil registration")
_BANKS = ("工商银行", "农业银行", "中国银行", "建设银行", "邮储银行")
_ROLES = {"head": "01", "spouse": "10", "child": "20", "parent": "50", "other": "90"}


def _people(population):
    for household in population.households:
        yield from household.people


def _blob(*parts):
    return hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:16]


def _chance(person, salt, percent):
    """A reproducible coin for details that no rule looks at."""
    return (person.number * 2654435761 + salt * 40503) % 100 < percent


def _public_security(population, out):
    for household in population.households:
        for person in household.people:
            _person_record(population, out, person)
            _household_record(population, out, household, person)
            _vehicle_records(population, out, person)
        for a, b, relation in _kin_within(household):
            out.put("kin", (a.id_no, b.id_no, relation, _SOURCES[0]))
        for person in household.people:
            form_records.custody(person, out)
            for other, relation in person.kin:
                out.put("kin", (person.id_no, other.id_no, relation, _SOURCES[1]))


def _person_record(population, out, person):
    if "unlisted" in person.marks:
        return
    dead = person.died and "death-unregistered" not in person.marks
    former = person.name[0] + "小" + person.name[-1] if _chance(person, 1, 2) else None
    out.put("person", (person.id_no, person.kept_name, former, "1" if person.sex == "M" else "2",
                       person.nation, person.birth, "dead" if dead else "alive",
                       _blob("photo", person.number)))
    if "released" in person.marks:
        out.put("release", (person.id_no, person.died))
    if person.age >= 18 and _chance(person, 2, 45):
        out.put("licence", (person.id_no, "C1", "valid"))


def _household_record(population, out, household, person):
    hkxz = "collective" if "collective" in household.marks else "urban" if household.urban else "rural"
    street = household.street + "001"
    since = person.birth if person.role == "child" else population.day(-3000 - person.number % 900)
    out.put("household", (person.own_hh or household.hh, person.id_no, _ROLES[person.role], hkxz,
                          person.area6, street, f"{household.number}号", since, None))
    if person.own_hh:
        out.put("residence_permit", (person.id_no, street, population.day(-500),
                                     population.day(230)))
    elif _chance(person, 3, 3):
        moved = population.day(-3000 - person.number % 900)
        out.put("household", ("00" + household.hh, person.id_no, "90", hkxz, household.area6, street,
                              "原址", population.day(-9000), moved))


def _vehicle_records(population, out, person):
    for i, (kind, disabled, scrapped) in enumerate(person.vehicles):
        out.put("vehicle", (f"京N{person.number:06d}{i}", person.id_no, kind, disabled,
                            300000 if disabled else 6500000, population.day(-1500),
                            population.day(-90) if scrapped else None))


def _kin_within(household):
    """Spouses, parents and children of one household, in both directions."""
    by_role = {}
    for person in household.people:
        by_role.setdefault(person.role, []).append(person)
    parents = by_role.get("head", []) + by_role.get("spouse", [])
    if len(parents) == 2:
        yield parents[0], parents[1], "spouse"
        yield parents[1], parents[0], "spouse"
    for parent in parents:
        for child in by_role.get("child", ()):
            yield parent, child, "child"
            yield child, parent, "parent"
    for elder in by_role.get("parent", ()):
        yield parents[0], elder, "parent"
        yield elder, parents[0], "child"


def _civil_affairs(population, out):
    for household in population.households:
        people = household.people
        if len(people) > 1 and people[1].role == "spouse" and "unmarried" not in household.marks:
            husband, wife = sorted(people[:2], key=lambda p: p.sex, reverse=True)
            out.put("marriage", (f"J{household.number:09d}", husband.id_no, wife.id_no,
                                 population.day(-4000 - household.number % 3000), None, "first"))
        for person in people:
            _aid_records(population, out, household, person)


def _aid_records(population, out, household, person):
    if person.recognised:
        out.put("recognition", (f"R{person.number:09d}", household.hh, person.id_no, person.recognised,
                                population.day(-200), population.day(165), household.area6, 90000,
                                "2024-07"))
        if "recognised-twice" in person.marks:
            out.put("recognition", (f"S{person.number:09d}", household.hh, person.id_no, "TEKUN", population.day(-20),
                                    population.day(345), household.area6, 145000, "2024-07"))
    elif "recognition-ran-out" in person.marks:
        out.put("recognition", (f"R{person.number:09d}", household.hh, person.id_no, "DIBAO", population.day(-366),
                                population.day(-1), household.area6, 90000, "2024-07"))
    elif _chance(person, 4, 1):
        out.put("recognition", (f"R{person.number:09d}", household.hh, person.id_no, "EDGE",
                                population.day(-900), population.day(-535), household.area6, 0,
                                "2023-07"))
    if person.aid:
        for offset in range(-12, 1):
            month = population.month(offset)
            out.put("aid_payment", (f"P{person.number:09d}{month}", person.id_no, person.aid, month,
                                    person.social_aid, "B" + month))
    elif _chance(person, 5, 1):
        month = population.month(-7)
        out.put("aid_payment", (f"P{person.number:09d}{month}", person.id_no, "TEMPORARY", month,
                                200000, "B" + month))
    if person.died and "death-unregistered" not in person.marks:
        out.put("cremation", (f"C{person.number:09d}", person.id_no, person.died))
    if person.welfare or (person.age < 16 and _chance(person, 6, 1)):
        out.put("child_welfare", (person.id_no, person.welfare or "distressed", population.day(300)))
    form_records.allowances(person, out)
    if person.recognised and person.role == "head":
        out.put("case_log", (f"L{person.number:09d}", "closed", population.day(-235),
                             population.day(-190), population.day(-200)))


def _social_security(population, out):
    for offset in range(-150, 2):
        out.put("period", (population.month(offset),))
    for person in _people(population):
        if person.job:
            _insurance_records(population, out, person)
        if person.age >= 16 and _chance(person, 7, 90):
            out.put("card", (f"K{person.number:08d}", person.id_no, _blob("acct", person.number)))


def _insurance_records(population, out, person):
    own = f"{310000000 + person.number * 7:012d}"
    name = person.name[:-1] + "?" if person.variant == "rare" else person.name
    unit = person.number % 977
    out.put("employee", (own, person.id_no, name, "1" if person.sex == "M" else "2", person.birth,
                         person.job, form_records.post_of(person), f"U{unit:06d}", f"示例单位{unit}",
                         person.insured_at or person.area6))
    form_records.pension_months(person, own, out)
    if person.pension:
        out.put("pension", (own, population.month(person.pension_from), person.pension,
                            "employee" if person.pension > 100000 else "resident"))
    if person.unemployment:
        out.put("unemployment", (own, population.month(person.unemployed_from) + "-01",
                                 population.month(person.unemployed_from),
                                 population.month(person.unemployed_to), person.unemployment))
    if person.job == "1" and person.wage:
        gap = "contribution-gap" in person.marks
        for offset in range(-360 if gap else -12, 0):
            if gap and -250 <= offset < -151:
                continue
            paid = dict(person.unpaid).get(offset, 1)
            out.put("contribution", (own, "110", population.month(offset), person.wage,
                                     person.wage * 8 // 100, person.wage * 16 // 100, paid))
    if person.injury_care or (person.job == "1" and _chance(person, 8, 1)):
        out.put("work_injury", (own, "8", person.injury_care or 0))
    helped = person.recognised and _chance(person, 9, 12)
    if helped or (person.job == "2" and _chance(person, 10, 30)):
        out.put("job_help", (own, "placement", population.month(-8), population.month(-3), 80000))


def _medical_insurance(population, out):
    for person in _people(population):
        own = f"{990000000000 + person.number * 13}"
        if "uninsured" in person.marks:
            continue
        insutype = "310" if person.job in ("1", "3", "4") else "390"
        out.put("insured", (own, person.id_no, insutype, "1", population.month(-140), None,
                            person.area6))
        if insutype == "390":
            out.put("contribution", (own, population.month(-9)[:4], None, 1, 40000))
        elif person.age >= 18:
            out.put("account", (own, person.number * 37 % 900000))
        form_records.medical_months(population, person, (own, insutype), out)
        for i, (offset, day, cents) in enumerate(person.medical):
            _settlement(population, out, person, own, (i, offset, day, cents))
        if person.disease:
            out.put("chronic", (own, person.disease, population.day(-700), None))
        elif _chance(person, 11, 1):
            out.put("chronic", (own, "C50", population.day(-3000), population.day(-1200)))


def _settlement(population, out, person, own, bill):
    i, offset, day, cents = bill
    fund = cents * 2
    account = cents // 5
    out.put("settlement", (f"S{person.number:09d}{i:02d}", f"M{person.number:09d}{i:02d}", own,
                           "21" if cents > 500000 else "11",
                           f"{population.month(offset)}-{day:02d} 10:20:00", cents + fund, fund + cents,
                           0, 0, fund, 0, 0, 0, fund, cents, account, cents - account,
                           person.disease or "J06", f"H{person.number % 53:04d}"))


def _health(population, out):
    for household in population.households:
        adults = [p for p in household.people if p.age >= 18]
        for person in household.people:
            if person.died:
                out.put("death_cert", (f"D{person.number:09d}", person.id_no, person.died,
                                       int("unnatural" not in person.marks), "I21", f"H{person.number % 53:04d}"))
            if person.age < 6:
                _birth_records(population, out, person, adults)
            elif person.age > 40 and _chance(person, 12, 8):
                out.put("only_child", (person.id_no, f"O{person.number:08d}"))
        form_records.births(household, out)


def _birth_records(population, out, child, adults):
    mothers = [p for p in adults if p.sex == "F"]
    fathers = [p for p in adults if p.sex == "M"]
    mother = mothers[0].id_no if mothers else None
    father = fathers[0].id_no if fathers else None
    out.put("birth_cert", (f"B{child.number:09d}", child.name, "1" if child.sex == "M" else "2",
                           child.birth + " 08:30", 3200 + child.number % 400, 39, mother, father,
                           f"H{child.number % 53:04d}", child.birth, 0))
    out.put("vaccine_book", (f"V{child.number:08d}", child.id_no, mother or father))
    if mother and child.age < 2:
        out.put("maternal_record", (mother, "postnatal", child.birth))


def _education(population, out):
    for i, (area6, name) in enumerate(population.districts):
        for kind in ("primary", "junior", "senior", "vocational", "college", "bachelor"):
            out.put("school", (f"{area6}{kind[:3].upper()}", f"{name}示范学校", kind, area6))
    for person in _people(population):
        if person.stage:
            roll = "G" + person.id_no
            first = {"primary": 6, "junior": 12, "senior": 15, "vocational": 15}.get(person.stage, 18)
            out.put("student", (roll, person.id_no,
                                f"{person.household.area6}{person.stage[:3].upper()}", person.stage,
                                person.age - first + 1, "active", form_records.boards(person),
                                population.day(-365 * (person.age - first) - 80), person.mode or "full"))
            for offset, cents in person.fees:
                charged = cents * 3 if _chance(person, 14, 10) else cents
                out.put("fee", (roll, population.month(offset), charged, cents))
            if person.recognised:
                out.put("aid", (roll, "2019-autumn", "grant", "1", 100000, "paid"))
            if person.aided:
                out.put("aid", (roll, form_records.term(population.today), "grant", "1", 100000, "paid"))
        elif 23 <= person.age <= 30 and _chance(person, 15, 20):
            out.put("student", ("G" + person.id_no, person.id_no, "110101BAC", "bachelor", 4,
                                "graduated", 0, population.day(-2500), "full"))


def _housing(population, out):
    for household in population.households:
        for i, (area, holder, partner) in enumerate(household.homes):
            _dwelling(population, out, (household, "home", i), area, (holder, partner))
        for i, (area, holder) in enumerate(household.premises):
            _dwelling(population, out, (household, "shop", 50 + i), area, (holder, None))
        for person in household.people:
            out.put("family_file", (f"F{household.number:08d}", person.id_no, len(household.people)))
        head = household.people[0]
        if "two-files" in household.marks:
            out.put("family_file", (f"X{household.number:08d}", head.id_no, 1))
        if household.rental or (household.rental is None and not household.homes and _chance(head, 16, 25)):
            _rental(population, out, household, head)
        for person in household.people:
            if person.job == "1" and person.wage > 300000:
                _housing_fund(population, out, person)


def _dwelling(population, out, unit, area, holders):
    household, kind, index = unit
    number = f"{household.area6}{household.number:012d}GB{index:08d}"
    out.put("dwelling", (number, area, round(area * 0.75, 2), kind, household.street + "001",
                         1975 + household.number % 45))
    shares = 5000 if holders[1] else 10000
    for seq, holder in enumerate(h for h in holders if h):
        out.put("title", (number, holder.id_no, seq + 1, shares, population.day(-4000), None))
    if household.number % 17 == 0:
        out.put("title", (number, household.people[-1].id_no, 1, 10000, population.day(-9000),
                          population.day(-4000)))


def _rental(population, out, household, head):
    case = f"Q{household.number:08d}"
    state = household.rental or ("housed" if household.number % 2 else "waiting")
    out.put("prh_queue", (case, head.id_no, len(household.people), household.number % 5000,
                          population.day(-800), state))
    if state == "housed":
        out.put("prh_contract", ("T" + case, case, f"公租房{household.number}", population.day(-300),
                                 population.day(795), 120000, 70))


def _housing_fund(population, out, person):
    account = f"GJJ{person.number:09d}"
    out.put("gjj_account", (account, person.id_no, person.wage, person.wage * 3, person.fund or "normal",
                            None, _blob("payout", person.number)))
    for offset in range(-3, 0):
        out.put("gjj_deposit", (account, population.month(offset), person.wage * 24 // 100))


def _tax(population, out):
    year = int(population.month(-12)[:4])
    for person in _people(population):
        if person.wage or person.other or person.firms:
            out.put("taxpayer", (person.id_no, "T" + person.id_no, person.area6))
        if person.wage:
            payer = uscc(person.number % 977)
            for offset in range(person.wage_from, person.wage_to + 1):
                blank = "wage-null" in person.marks and offset == -5
                out.put("wage", (person.id_no, population.month(offset), payer,
                                 None if blank else person.wage, max(0, person.wage - 500000) // 33))
        if person.other:
            for offset in range(-13, 1):
                out.put("other_income", (person.id_no, population.month(offset), person.other_kind,
                                         person.other))
        for i, (capital, status) in enumerate(person.firms):
            blank = "capital-null" in person.marks
            out.put("business", (uscc(10000000 + person.number * 4 + i), person.id_no,
                                 f"北京示例{person.number}商贸有限公司", None if blank else capital,
                                 status, year, person.other * 40, person.other * 12))
        if person.job == "4":
            out.put("si_fee", (person.id_no, "110", population.month(-1), 150000, 150000))
        if person.wage > 500000:
            out.put("deduction", (person.id_no, year, "children", 2400000))


def _disabled_federation(population, out):
    for person in _people(population):
        if person.disability:
            kind, level = person.disability
            card = person.id_no + kind + level
            out.put("card", (card, person.id_no, kind, level, population.day(-1400),
                             population.day(2200), (person.multi or "14") if kind == "7" else None))
            form_records.subsidies(population, person, card, out)
            if level in "12":
                out.put("subsidy", (card, "care", population.month(-1), 30000))
                out.put("rehab", (card, "training", population.day(-60), 45000))
        elif _chance(person, 17, 1):
            out.put("card", (person.id_no + "43", person.id_no, "4", "1", population.day(-5000),
                             population.day(-1300), None))


def _finance(population, out):
    fresh, stale = population.day(-2), population.day(-410)
    for person in _people(population):
        for bank, cents in person.deposits:
            old = "bank-stale" in person.marks
            out.put("bank_query", (person.id_no, _BANKS[bank], cents, stale if old else fresh))
        form_records.policies(person, fresh, out)
        if person.transfer:
            for offset in range(-13, 1):
                _payout(population, out, person, ("transfer", offset, person.transfer))
        if person.aid:
            out.put("onecard", (person.id_no, _blob("card", person.number), _BANKS[4]))
            for offset in range(-12, 1):
                _payout(population, out, person, ("social-aid", offset, person.social_aid))
        if person.disability and person.disability[1] in "12":
            _payout(population, out, person, ("disability-subsidy", -1, 30000))
        if person.drawn:
            _payout(population, out, person, (person.drawn, 0, 30000))
        if person.stage and _chance(person, 18, 4):
            _payout(population, out, person, ("scholarship", -6, 300000))
    year = int(population.month(0)[:4])
    for item, budget in (("social-aid", 9000000000), ("transfer", 4000000000)):
        out.put("fund", (item, year, budget, budget * 7 // 10, 12))


def _payout(population, out, person, payment):
    item, offset, cents = payment
    month = population.month(offset)
    out.put("payout", (f"Z{person.number:09d}{item}{month}", person.id_no, "civil-affairs", item, month,
                       cents, "paid"))


FILL = {
    "public-security": _public_security,
    "civil-affairs": _civil_affairs,
    "social-security": _social_security,
    "medical-insurance": _medical_insurance,
    "health": _health,
    "education": _education,
    "housing": _housing,
    "tax": _tax,
    "disabled-federation": _disabled_federation,
    "finance": _finance,
}
