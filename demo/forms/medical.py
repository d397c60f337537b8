"""Medical assistance for who is recognised: rates, caps, the highest of several identities."""


def bills(population, this_year, last_year=0):
    """Bills as (month offset, day, cents): outpatient at most 5,000 yuan each, of this and of last year."""
    found = []
    for offset, yuan in ((0, this_year), (-population.today.month, last_year)):
        while yuan:
            part = min(yuan, 5000)
            found.append((offset, 1, part * 100))
            yuan -= part
    return tuple(found)


def _one(tell, age, kind, outpatient, inpatient=0):
    person = tell.family((age, "M" if age % 2 else "F", "head", 900)).people[0]
    person.recognised = kind
    person.medical = bills(tell.population, outpatient)
    if inpatient:
        person.medical += ((0, 1, inpatient * 100),)
    return person


def _told(tell, key, expected, zh, en, *people):
    applicant, *children = people
    tell.case(key, expected, zh, en, ("applicant", applicant), *(("child", child) for child in children))


def _direct(tell):
    _told(tell, "supported", "DIRECT", "特困人员，全额救助", "supported in extreme hardship: all of it",
          _one(tell, 71, "TEKUN", 12000, 90000))
    _told(tell, "dibao", "DIRECT", "低保，门诊80%住院85%", "recognised: 80 and 85 per cent", _one(tell, 52,
          "DIBAO", 4000, 60000))
    _told(tell, "at-the-cap", "DIRECT", "门诊正好到封顶", "outpatient costs exactly at the cap", _one(tell, 53,
          "DIBAO", 10000))
    _told(tell, "above-the-caps", "DIRECT", "门诊和住院都超过封顶", "above both caps", _one(tell, 54, "EDGE",
          15000, 250000))
    _told(tell, "alone-of-household", "DIRECT", "单人保对象", "recognised alone of the household", _one(tell,
          44, "SINGLE", 900))
    both = _one(tell, 68, "DIBAO", 20000)
    both.mark("recognised-twice")
    _told(tell, "two-identities", "DIRECT", "既是低保又是特困，取高", "two identities: the higher one", both)
    family = tell.family((36, "F", "head", 1500), (9, "M", "child", 0))
    for person in family.people:
        person.recognised = "DIBAO"
    family.people[1].medical = bills(tell.population, 3333)
    _told(tell, "child", "DIRECT", "母亲为子女申请", "a mother for her child", *family.people)


def _others(tell):
    uninsured = _one(tell, 47, "DIBAO", 0)
    uninsured.mark("uninsured")
    _told(tell, "uninsured", "INSURE", "低保对象尚未参保", "recognised, not insured yet", uninsured)
    _told(tell, "not-recognised", "NOT_RECOGNISED", "未被认定", "not recognised", _one(tell, 47, None, 5000))
    run_out = _one(tell, 48, None, 5000)
    run_out.mark("recognition-ran-out")
    _told(tell, "ran-out", "NOT_RECOGNISED", "认定昨天到期", "recognised until yesterday", run_out)
    away = _one(tell, 47, "DIBAO", 5000)
    away.area6 = "130102"
    _told(tell, "from-elsewhere", "MANUAL", "外地户籍", "registered elsewhere", away)
    family = tell.family((36, "F", "head", 1500), (9, "M", "child", 0), (4, "F", "child", 0))
    for person in family.people:
        person.recognised = "DIBAO"
    _told(tell, "child-left-out", "MANUAL", "漏报一名子女", "a child left out", *family.people[:2])


def plant(tell):
    _direct(tell)
    _others(tell)


def ordinary(population):
    """Every other recognised adult, and as many who are not."""
    told = {id(person) for case in population.cases for _, person in case.members}
    for household in population.households:
        head = household.people[0]
        if head.age >= 18 and id(head) not in told and (head.recognised or household.number % 9 == 0):
            yield [("applicant", head)]
