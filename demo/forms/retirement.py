"""An employee retires: people around the months at which something changes."""

_MEN, _MANAGERS, _WORKERS = (720, 4, 36), (660, 4, 36), (600, 2, 60)  # months, step, cap
_FROM = 2025 * 12
_RECORDED = 12   # months that are on record one by one


def _month_of(kind, born):
    base, step, cap = kind
    late = born + base - _FROM
    return born + base + (0 if late < 0 else min(cap, late // step + 1))


def _needed(month):
    return 180 + 6 * max(0, min(10, month // 12 - 2029))


def _born_to_retire(kind, month):
    """The last month of birth whose holders have retired in `month` or before."""
    born = month - kind[0]
    while _month_of(kind, born) > month:
        born -= 1
    return born


class _People:
    """Makes employees of a given month of birth."""

    def __init__(self, tell):
        self._tell, self._population = tell, tell.population
        self.now = self._population.this_month

    def add(self, kind, born, paid, wage=7200):
        age = (self.now - born) // 12
        person = self._tell.family((age, "M" if kind is _MEN else "F", "head", wage)).people[0]
        self._population.set_birth(person, f"{born // 12:04d}-{born % 12 + 1:02d}-01")
        person.job, person.wage, person.pension = "1", wage * 100, 0
        person.post = "2" if kind is _MANAGERS else "1"
        person.carried = paid - _RECORDED
        return person


def _reached(tell, people):
    for kind, key, zh, en in ((_MEN, "man", "男职工到龄当月", "a man in the month he reaches it"),
                              (_MANAGERS, "manager", "管理岗位女职工", "a woman in management"),
                              (_WORKERS, "worker", "工人岗位女职工", "a woman in a worker's post")):
        person = people.add(kind, _born_to_retire(kind, people.now), 300)
        tell.case(key, "ELIGIBLE", zh, en, ("applicant", person))
    for less, key, expected, zh, en in ((0, "just-enough", "ELIGIBLE", "缴费正好够", "just enough contributions"),
                                        (1, "one-short", "SHORT", "缴费差一个月", "one month short")):
        born = _born_to_retire(_MEN, people.now)
        person = people.add(_MEN, born, _needed(_month_of(_MEN, born)) - less)
        tell.case(key, expected, zh, en, ("applicant", person))
    person = people.add(_MEN, _born_to_retire(_MEN, people.now), _needed(people.now) + 1)
    person.unpaid = ((-4, 0), (-3, 0))
    tell.case("arrears", "SHORT", "欠缴两个月不计入", "two months in arrears do not count", ("applicant", person))
    person = people.add(_MEN, _born_to_retire(_MEN, people.now), _RECORDED)
    person.mark("contribution-gap")
    tell.case("gap", "ELIGIBLE", "中断99个月，累计仍足够", "99 months missing, and enough all the same",
              ("applicant", person))
    person = people.add(_MEN, _born_to_retire(_MEN, people.now), 400)
    person.post = ""
    tell.case("man-without-post", "ELIGIBLE", "男职工岗位未登记，不影响", "a man's post is not recorded, nor needed",
              ("applicant", person))


def _not_reached(tell, people):
    born = people.now - _MEN[0]
    tell.case("early", "EARLY", "本月满60周岁，可弹性提前", "sixty this month: may choose",
              ("applicant", people.add(_MEN, born, 260)))
    tell.case("early-short", "NOT_YET", "满60周岁，缴费不足不能提前", "sixty, without the contributions to choose",
              ("applicant", people.add(_MEN, born, _needed(people.now) - 1)))
    tell.case("a-month-early", "NOT_YET", "差一个月满60周岁", "sixty next month",
              ("applicant", people.add(_MEN, born + 1, 300)))
    tell.case("young", "NOT_YET", "四十五岁女职工", "a woman of 45",
              ("applicant", people.add(_WORKERS, people.now - 545, 200)))
    person = people.add(_MEN, people.now - 64 * 12, 380)
    person.job, person.wage, person.pension, person.pension_from = "3", 0, 520000, -10
    tell.case("drawing", "DRAWING", "已领取养老金", "draws a pension already", ("applicant", person))


def _doubtful(tell, people):
    person = people.add(_WORKERS, people.now - 53 * 12, 300)
    person.post = ""
    tell.case("no-post", "MANUAL", "女职工岗位未登记", "a woman whose post is not recorded", ("applicant", person))
    person = people.add(_MEN, _born_to_retire(_MEN, people.now), 300)
    person.insured_at = "130102"
    tell.case("insured-elsewhere", "MANUAL", "在外地参保", "insured elsewhere", ("applicant", person))
    person = people.add(_MEN, _born_to_retire(_MEN, people.now), 300)
    person.unpaid = ((-6, None),)
    tell.case("not-said", "MANUAL", "一个月是否缴费没有记录", "a month without a word on whether it is paid",
              ("applicant", person))
    person = people.add(_MEN, _born_to_retire(_MEN, people.now), 300)
    person.mark("renamed")
    tell.case("renamed", "MANUAL", "姓名用字与登记不一致", "a name written unlike the register", ("applicant", person))
    person = people.add(_MEN, _born_to_retire(_MEN, people.now), 300)
    person.job = None
    person.wage = 0
    tell.case("unknown", "MANUAL", "人社库中查无此人", "not in the register of employees", ("applicant", person))


def plant(tell):
    people = _People(tell)
    _reached(tell, people)
    _not_reached(tell, people)
    _doubtful(tell, people)


def ordinary(population):
    """Everybody of 48 to 66 who works, or worked."""
    told = {id(person) for case in population.cases for _, person in case.members}
    for household in population.households:
        for person in household.people:
            if person.job and 48 <= person.age <= 66 and id(person) not in told:
                yield [("applicant", person)]
