"""Households made poor by illness: the line after medical costs, the steps of the aid, property."""

from forms.medical import bills


def _couple(tell, wage=9000, spent=60000):
    """A couple with one wage that spent so many yuan in December, so last year and within twelve months."""
    family = tell.family((51, "M", "head", wage), (50, "F", "spouse", 0))
    for person in family.people:
        person.medical = ()
    family.people[0].medical = bills(tell.population, 0, spent)
    return family


def members_of(household):
    """Declared members with their roles."""
    people = household.declared or household.people
    return [("applicant" if i == 0 else "member" if person.age >= 18 else "child", person)
            for i, person in enumerate(people)]


def _told(tell, key, expected, zh, en, family):
    tell.case(key, expected, zh, en, *members_of(family))


def _aid(tell):
    _told(tell, "three-steps", "AID", "扣除六万元后低于最低工资，三档分段", "60,000 spent: all three steps",
          _couple(tell))
    # 9,000 a month leave 2,540 a head once 47,040 are spent.
    _told(tell, "at-the-line", "AID", "扣除后人均正好等于最低工资", "exactly the minimum wage left",
          _couple(tell, spent=47040))
    _told(tell, "above-the-line", "NONE", "扣除后人均高一元", "a yuan more than the minimum wage left",
          _couple(tell, spent=47039))
    _told(tell, "first-step", "AID", "正好三万元", "30,000 exactly", _couple(tell, wage=7000, spent=30000))
    _told(tell, "second-step", "AID", "正好五万元", "50,000 exactly", _couple(tell, spent=50000))
    _told(tell, "odd-sum", "AID", "三万零一元", "30,001", _couple(tell, wage=7000, spent=30001))
    _told(tell, "cap", "AID", "四十万元，按封顶救助", "400,000: the cap", _couple(tell, wage=30000, spent=400000))
    three = tell.family((44, "M", "head", 8000), (43, "F", "spouse", 3000), (11, "F", "child", 0))
    three.people[2].medical = bills(tell.population, 0, 90000)
    _told(tell, "child-ill", "AID", "三口之家，孩子患病", "three of them, the child is ill", three)


def _insured(tell):
    """What a commercial insurer paid is no cost: the line with it, and to the yuan."""
    for key, paid, expected, zh, en in (
            ("insurer-at-the-line", 2960, "AID", "商业保险赔付后正好到线", "an insurer paid: exactly at the line"),
            ("insurer-above-the-line", 2961, "NONE", "商业保险多赔一元即超线", "an insurer paid a yuan more: above the line")):
        family = _couple(tell, spent=50000)
        family.people[0].commercial = ((-tell.population.today.month, paid * 100),)
        _told(tell, key, expected, zh, en, family)
    family = _couple(tell, wage=4000, spent=20000)
    family.people[0].commercial = ((-tell.population.today.month, 2500000),)
    _told(tell, "insurer-paid-all", "NONE", "商业保险全部赔付", "an insurer paid it all", family)
    family = _couple(tell, wage=4000, spent=20000)
    family.people[1].commercial = ((-tell.population.today.month, 2500000),)
    _told(tell, "insurer-of-the-other", "AID", "配偶的赔付不抵本人费用", "what the spouse was paid is not the husband's", family)


def _none(tell):
    for key, expected, zh, en in (("car", "NONE", "名下有机动车", "a car"), ("drawn", "DRAWN", "本年度已救助",
                                   "aided this year"),
                                  ("recognised", "COVERED", "低保家庭", "recognised already"),
                                  ("shop", "NONE", "名下有商铺", "a shop"), ("deposits", "NONE", "存款超过限额",
                                   "large deposits")):
        family = _couple(tell)
        head = family.people[0]
        if key == "car":
            head.vehicles = (("car", 0, 0),)
        elif key == "drawn":
            head.drawn = "illness-aid"
        elif key == "recognised":
            head.recognised = family.people[1].recognised = "EDGE"
        elif key == "shop":
            family.premises.append((30, head))
        else:
            head.deposits = ((0, 24 * 254000 * 2 + 1),)
        _told(tell, key, expected, zh, en, family)
    family = _couple(tell, wage=4000, spent=1)
    family.people[0].medical = ((0, 1, 8000),)
    _told(tell, "nothing-spent-last-year", "NONE", "上一年度没有费用", "nothing spent last year", family)


def _doubtful(tell):
    family = _couple(tell)
    family.people[0].mark("bank-stale")
    _told(tell, "stale", "MANUAL", "银行存款数据过旧", "bank data too old", family)
    family = tell.family((51, "M", "head", 9000), (50, "F", "spouse", 0), (24, "M", "child", 6000))
    family.people[0].medical = bills(tell.population, 0, 60000)
    family.declared = family.people[:2]
    _told(tell, "left-out", "MANUAL", "漏报成年子女", "a grown son left out", family)
    family = _couple(tell)
    family.people[0].mark("wage-null")
    _told(tell, "no-amount", "MANUAL", "一个月工资未申报金额", "a month's wage without an amount", family)


def plant(tell):
    for chapter in (_aid, _insured, _none, _doubtful):
        chapter(tell)


def ordinary(population):
    """Every third of the other households."""
    told = {id(case.members[0][1].household) for case in population.cases}
    for household in population.households:
        if id(household) not in told and household.number % 3 == 0 and not household.story:
            yield members_of(household)
