"""Two subsidies of disabled persons: each branch, the severe and the other, and what excludes what."""

import datetime

from population import years_before


def _one(tell, age, kind, level, month=0, sex="M"):
    """One person alone with a certificate."""
    person = tell.family((age, sex, "head", month)).people[0]
    person.disability = (kind, level)
    return person


def _told(tell, key, expected, zh, en, *people):
    applicant, *children = people
    tell.case(key, expected, zh, en, ("applicant", applicant), *(("child", child) for child in children))


def _living(tell):
    for key, level, expected, zh, en in (("dibao-severe", "1", "BOTH", "低保，一级肢体", "recognised, severe"),
                                         ("dibao-other", "3", "LIVING", "低保，三级肢体", "recognised, not severe")):
        person = _one(tell, 44, "4", level)
        person.recognised = "DIBAO"
        _told(tell, key, expected, zh, en, person)
    single = _one(tell, 47, "6", "3")
    single.recognised = "SINGLE"
    _told(tell, "single-person", "BOTH", "单人保，三级精神", "recognised alone of the household", single)
    for key, kind, expected, zh, en in (("low-severe", "1", "BOTH", "低收入，一级视力", "low income, severe"),
                                        ("low-other", "2", "BOTH", "低收入，一级听力（非生活补贴重度）",
                                         "low income, deaf: severe for care alone")):
        person = _one(tell, 39, kind, "1")
        person.recognised = "EDGE"
        _told(tell, key, expected, zh, en, person)
    _told(tell, "idle", "LIVING", "失业无收入，四级肢体", "out of work", _one(tell, 35, "4", "4"))
    some = _one(tell, 35, "5", "2")
    some.pension = 100
    _told(tell, "idle-with-income", "CARE", "失业，有稳定性收入一元", "out of work with a stable income of one yuan", some)
    for key, days, expected, zh, en in (("one-day-below-60", 1, "BOTH", "明天满六十岁，失业无收入", "sixty tomorrow, out of work"),
                                        ("sixty-today", 0, "BOTH", "今天满六十岁，无收入，补差额", "sixty today, without income")):
        person = _one(tell, 60 - days, "4", "1")
        person.job = "2"
        tell.population.set_birth(person, (years_before(tell.population.today, 60)
                                           + datetime.timedelta(days=days)).isoformat())
        _told(tell, key, expected, zh, en, person)
    _told(tell, "idle-severe", "BOTH", "失业无收入，二级智力", "out of work, severe", _one(tell, 35, "5", "2"))
    student = _one(tell, 19, "3", "4")
    student.stage, student.job = "bachelor", None
    _told(tell, "student", "LIVING", "全日制大学生", "a full-time student", student)
    _told(tell, "old-severe", "BOTH", "六十五岁，养老金低于低保标准，补差额",
          "old, severe: the difference to the standard",
          _one(tell, 65, "4", "2", month=900))
    _told(tell, "woman-of-56", "BOTH", "五十六岁女性，工资低于标准，按差额", "a woman of 56 at work below the standard",
          _one(tell, 56, "1", "2", month=1300, sex="F"))


def _care_or_none(tell):
    _told(tell, "old-with-pension", "CARE", "六十五岁，养老金高于标准", "old, with a pension above the standard",
          _one(tell, 65, "4", "2", month=4200))
    _told(tell, "at-the-standard", "CARE", "养老金正好等于低保标准", "a pension of exactly the standard",
          _one(tell, 66, "4", "1", month=1450))
    _told(tell, "just-below", "BOTH", "养老金比低保标准少一元", "a pension one yuan below the standard",
          _one(tell, 66, "4", "1", month=1449))
    for key, multi, zh, en in (("multiple-mental", "46", "二级多重（含精神）", "several kinds, one of them mental"),
                               ("multiple-hearing", "23", "二级多重（听力言语）", "several kinds, hearing and speech")):
        person = _one(tell, 41, "7", "2", month=6000)
        person.multi = multi
        _told(tell, key, "CARE", zh, en, person)
    _told(tell, "working", "NONE", "在职，三级肢体", "at work, not severe", _one(tell, 41, "4", "3", month=6000))
    _told(tell, "old-other", "NONE", "六十五岁低收入，三级肢体", "old and poor, not severe",
          _one(tell, 65, "4", "3", month=900))
    _told(tell, "no-certificate", "NONE", "没有残疾人证", "no certificate", tell.family((41, "F", "head", 0)).people[0])


def _excluded(tell):
    supported = _one(tell, 58, "4", "1")
    supported.recognised = "TEKUN"
    _told(tell, "supported", "NONE", "特困人员两项均不享受", "supported in extreme hardship: neither", supported)
    injured = _one(tell, 40, "4", "1")
    injured.job, injured.injury_care = "2", 260000
    _told(tell, "injured-at-work", "NONE", "领取工伤护理费两项均不享受",
          "care of the work-injury insurance: neither", injured)
    placed = _one(tell, 33, "5", "1")
    placed.allowance = "placement"
    _told(tell, "placed", "LIVING", "托养补贴，不享受护理补贴", "cared for in an institution: living alone", placed)
    drawn = _one(tell, 33, "5", "1")
    drawn.drawn = "disability-subsidy"
    _told(tell, "drawn", "NONE", "本月已发放", "paid for this month already", drawn)
    for kind, zh in (("elder-living", "享受老年人生活津贴，择高"), ("elder-care", "享受老年人护理津贴，择高"),
                     ("work-disabled", "享受因公致残津贴，择高"), ("retired-cadre", "享受离休津贴，择高")):
        person = _one(tell, 66, "4", "1", month=900)
        person.allowance = kind
        _told(tell, "choice-" + kind, "MANUAL", zh, "a like allowance: one chooses the higher", person)
    for kind in ("courage", "returned-youth"):
        person = _one(tell, 33, "5", "1")
        person.allowance = kind
        _told(tell, "cared-" + kind, "LIVING", "另有护理津贴，不享受护理补贴", "another care allowance: living alone", person)
    away = _one(tell, 50, "4", "1")
    away.area6 = "130102"
    _told(tell, "from-elsewhere", "NONE", "外地户籍", "registered elsewhere", away)


def _children(tell):
    family = tell.family((38, "F", "head", 5200), (36, "M", "spouse", 6100), (9, "M", "child", 0),
                         (13, "F", "child", 0))
    mother, _, boy, girl = family.people
    boy.disability = ("6", "1")
    _told(tell, "child", "BOTH", "母亲为两个子女申请，一人一级精神", "a mother for her children, one of them severe",
          mother, boy, girl)
    family = tell.family((39, "M", "head", 5200), (11, "F", "child", 0))
    family.people[1].disability, family.people[1].welfare = ("1", "1"), "distressed"
    _told(tell, "distressed-child", "CARE", "困境儿童只享受护理补贴", "a child in distress: care alone", *family.people)
    family = tell.family((39, "M", "head", 5200), (11, "F", "child", 0), (7, "M", "child", 0))
    family.people[1].disability = ("1", "1")
    _told(tell, "child-left-out", "MANUAL", "漏报一名子女", "a child left out", *family.people[:2])
    family = tell.family((39, "M", "head", 5200), (11, "F", "child", 0))
    other = tell.family((45, "F", "head", 5200))
    family.people[1].disability = ("1", "1")
    _told(tell, "not-the-parent", "MANUAL", "申请人不是监护人", "not the child's parent", other.people[0],
          family.people[1])


def _doubtful(tell):
    unlisted = _one(tell, 44, "4", "1")
    unlisted.mark("unlisted")
    _told(tell, "unlisted", "MANUAL", "公安库中查无此人", "not in the register of persons", unlisted)
    dead = _one(tell, 44, "4", "1")
    dead.died = tell.population.day(-12)
    _told(tell, "dead", "MANUAL", "登记为死亡", "registered as dead", dead)
    odd = _one(tell, 44, "4", "9")
    _told(tell, "unknown-level", "MANUAL", "等级代码不在表中", "a level no table has", odd)


def plant(tell):
    for chapter in (_living, _care_or_none, _excluded, _children, _doubtful):
        chapter(tell)


def ordinary(population):
    """Every other disabled adult alone, and the head of a household for its disabled children."""
    told = {id(person) for case in population.cases for _, person in case.members}
    for household in population.households:
        head = household.people[0]
        children = [person for person in household.people if person.role == "child" and person.age < 18]
        for person in household.people:
            if person.disability and person.age >= 18 and id(person) not in told:
                yield [("applicant", person)]
        if id(head) not in told and head.age >= 18 and any(child.disability for child in children):
            yield [("applicant", head)] + [("child", child) for child in children]
