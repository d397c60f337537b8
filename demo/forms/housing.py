"""Public rental housing: the three ways to it, the lines at 15 square metres and at a year's income."""

from forms.poverty import members_of

_AWAY = "130102"


def _family(tell, *people, area=60, homes=1, urban=True):
    family = tell.family(*(people or ((36, "M", "head", 5000), (35, "F", "spouse", 2200), (7, "M", "child", 0))),
                         area=area, homes=homes, urban=urban)
    family.rental = ""
    return family


def _told(tell, key, expected, zh, en, family):
    tell.case(key, expected, zh, en, *members_of(family))


def _of_the_city(tell):
    # 60 square metres built are 45 for use.
    _told(tell, "fifteen", "ELIGIBLE", "三口人均正好15平方米", "three of them, 15 square metres a head", _family(tell))
    _told(tell, "above-fifteen", "NONE", "人均15.1平方米", "15.1 square metres a head", _family(tell, area=60.4))
    _told(tell, "no-home", "ELIGIBLE", "无房", "no home", _family(tell, homes=0))
    for key, cents, expected, zh, en in (("at-the-limit", 500000, "ELIGIBLE", "三口年收入正好十万元",
                                          "100,000 a year, three of them"),
                                         ("above-the-limit", 500001, "NONE", "三口年收入超过十万元八分",
                                          "eight cents more")):
        family = _family(tell, (36, "M", "head", 5000), (35, "F", "spouse", 5000), (7, "M", "child", 0))
        spouse = family.people[1]
        spouse.wage, spouse.wage_from, spouse.wage_to = cents, -8, -1
        _told(tell, key, expected, zh, en, family)
    four = (36, "M", "head", 6000), (35, "F", "spouse", 4000), (7, "M", "child", 0), (3, "F", "child", 0)
    _told(tell, "four", "ELIGIBLE", "四口年收入十二万元", "120,000 a year, four of them", _family(tell, *four))
    _told(tell, "three-with-as-much", "NONE", "三口年收入十二万元", "120,000 a year, three of them",
          _family(tell, *four[:3]))
    _told(tell, "rural", "NONE", "农村户籍", "registered in the country", _family(tell, urban=False))


def _before_others(tell):
    _told(tell, "old", "PRIORITY", "有六十岁以上老人", "one of 60 or more",
          _family(tell, (36, "M", "head", 5000), (35, "F", "spouse", 2200), (61, "F", "parent", 900)))
    family = _family(tell)
    family.people[2].disability = ("5", "3")
    _told(tell, "disabled-child", "PRIORITY", "子女重度残疾", "a severely disabled child", family)
    family = _family(tell)
    family.people[1].disease = "C50"
    _told(tell, "ill", "PRIORITY", "成员患大病", "a seriously ill member", family)


def _recognised(tell):
    for key, kind, zh, en in (("dibao", "DIBAO", "低保家庭，补贴比例95%", "recognised: 95 per cent of the rent"),
                              ("low-income", "EDGE", "低收入家庭，补贴比例90%", "low income: 90 per cent")):
        family = _family(tell)
        for person in family.people:
            person.recognised = kind
        if kind == "DIBAO":
            family.people[0].mark("wage-null")
        _told(tell, key, "ELIGIBLE", zh, en, family)


def _other_ways(tell):
    family = _family(tell, (36, "M", "head", 30000), area=90)
    family.rental = "waiting"
    _told(tell, "queued", "ELIGIBLE", "保障性住房轮候家庭", "in an older queue", family)
    family = _family(tell, homes=0)
    family.rental = "housed"
    _told(tell, "housed", "HOUSED", "已承租公租房", "rents public housing already", family)
    for key, expected, zh, en in (("worker-from-elsewhere", "ELIGIBLE", "外地来京，缴费十二个月",
                                   "from elsewhere, twelve months paid"),
                                  ("eleven-months", "NONE", "外地来京，缴费十一个月",
                                   "from elsewhere, eleven months paid"),
                                  ("with-a-home", "NONE", "外地来京，在本市有房", "from elsewhere, with a home here")):
        family = _family(tell, (29, "M", "head", 7000), area=80, homes=int(key == "with-a-home"))
        worker = family.people[0]
        worker.area6, worker.carried = _AWAY, 0
        if key == "eleven-months":
            worker.unpaid = ((-5, 0),)
        _told(tell, key, expected, zh, en, family)


def _doubtful(tell):
    family = _family(tell)
    family.marks = family.marks | {"two-files"}
    _told(tell, "two-files", "MANUAL", "住房档案重复", "two housing files", family)
    family = _family(tell, (36, "M", "head", 5000), (35, "F", "spouse", 2200), (62, "M", "parent", 3000))
    family.declared = family.people[:2]
    _told(tell, "left-out", "MANUAL", "漏报同户老人", "a parent left out", family)
    family = _family(tell)
    family.people[0].mark("wage-null")
    _told(tell, "no-amount", "MANUAL", "一个月工资未申报金额", "a month's wage without an amount", family)


def plant(tell):
    for chapter in (_of_the_city, _before_others, _recognised, _other_ways, _doubtful):
        chapter(tell)


def ordinary(population):
    """Every third of the other households."""
    told = {id(case.members[0][1].household) for case in population.cases}
    for household in population.households:
        if id(household) not in told and household.number % 3 == 1 and not household.story:
            yield members_of(household)
