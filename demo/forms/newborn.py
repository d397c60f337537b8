"""A child is born: parents, certificates, and what of them a person has to settle."""

import dataclasses
import datetime

from population import years_before

AWAY = "130102"


@dataclasses.dataclass
class Birth:
    """One certificate."""

    name: str
    sex: str            # "1" or "2"
    born: str
    mother: object = None
    father: object = None
    again: bool = False  # issued again


def _couple(tell, wage=8200, months=40, born=-20):
    """A couple of the city with a child born some days ago, the mother insured for some months."""
    family = tell.family((31, "M", "head", 9000), (29, "F", "spouse", wage))
    father, mother = family.people
    mother.medical_months, mother.medical_owed = months, 0
    family.births.append(Birth(father.name[0] + "小宝", "2", tell.population.day(born), mother, father))
    return family, mother, father


def _told(tell, key, expected, zh, en, mother, father):
    members = [("applicant", mother)] + ([("father", father)] if father else [])
    tell.case(key, expected, zh, en, *members)


def _clear(tell):
    today = tell.population.today
    _, mother, father = _couple(tell)
    _told(tell, "full", "FULL", "夫妻，母亲参加职工医保", "a couple, the mother insured as an employee", mother, father)
    _, mother, father = _couple(tell, months=9)
    _told(tell, "nine-months", "FULL", "缴费正好九个月", "nine months of contributions, as many as needed",
          mother, father)
    _, mother, father = _couple(tell)
    mother.area6 = father.household.people[1].area6 = AWAY
    tell.population.set_birth(mother, mother.birth)
    _told(tell, "mother-from-elsewhere", "FULL", "父亲为本市户籍，母亲外地户籍", "the mother is registered elsewhere",
          mother, father)
    family, mother, father = _couple(tell)
    family.births[0].born = (years_before(today, 1) + datetime.timedelta(days=1)).isoformat()
    _told(tell, "last-day", "FULL", "明天满一周岁", "one year old tomorrow", mother, father)
    _, mother, father = _couple(tell, months=8)
    _told(tell, "eight-months", "BASIC", "缴费八个月，尚无生育待遇", "eight months of contributions: no benefit yet",
          mother, father)
    _, mother, father = _couple(tell, wage=0)
    _told(tell, "uninsured", "BASIC", "母亲未就业，居民医保", "the mother is insured as a resident", mother, father)
    family, mother, father = _couple(tell)
    mother.maternity = family.births[0].born
    _told(tell, "settled", "BASIC", "生育待遇已结算", "the benefit is settled already", mother, father)


def _twins(tell):
    """Two certificates: of two children, or of one."""
    def twins(**second):
        family, mother, father = _couple(tell)
        first = family.births[0]
        family.births.append(dataclasses.replace(first, **{"name": father.name[0] + "二宝", "sex": "1", **second}))
        return mother, father
    _told(tell, "twins", "FULL", "双胞胎，两份出生医学证明", "twins, a certificate for each", *twins())
    _told(tell, "twins-by-another", "MANUAL", "两份证明的父亲不同", "twins by two fathers, it says",
          *twins(father=None))
    _told(tell, "twins-one-again", "MANUAL", "双胞胎，其中一份为补发", "twins, one certificate issued again",
          *twins(again=True))
    _told(tell, "twins-at-midnight", "MANUAL", "双胞胎，出生日期跨越零点", "twins, born on two days",
          *twins(born=tell.population.day(-19)))
    mother, father = twins(name=None)
    mother.household.births[1].name = mother.household.births[0].name
    _told(tell, "one-child-twice", "MANUAL", "同一新生儿两份证明", "one child with two certificates", mother, father)
    mother, father = twins(born=tell.population.day(-420))
    _told(tell, "child-before", "FULL", "四百天前的哥哥另有证明", "a brother of 400 days before", mother, father)


def _outside(tell):
    today = tell.population.today
    family, mother, father = _couple(tell)
    family.births[0].born = years_before(today, 1).isoformat()
    _told(tell, "too-old", "NONE", "今天满一周岁", "one year old today", mother, father)
    family, mother, father = _couple(tell)
    family.births[0].again = True
    _told(tell, "issued-again", "NONE", "补发的出生医学证明", "a certificate issued again", mother, father)
    _, mother, father = _couple(tell)
    mother.area6 = father.area6 = AWAY
    _told(tell, "from-elsewhere", "NONE", "父母均为外地户籍", "both parents are registered elsewhere", mother, father)


def _doubtful(tell):
    family, mother, father = _couple(tell)
    family.marks = family.marks | {"unmarried"}
    _told(tell, "unmarried", "MANUAL", "父母未婚：同样登记，由人工办理",
          "parents not married: registered all the same, by a person",
          mother, father)
    alone = tell.family((27, "F", "head", 6100))
    mother = alone.people[0]
    mother.medical_months = 30
    alone.births.append(Birth(mother.name[0] + "小宝", "1", tell.population.day(-9), mother))
    _told(tell, "mother-alone", "MANUAL", "单身母亲", "a mother alone", mother, None)
    family, mother, father = _couple(tell)
    other = tell.family((33, "M", "head", 7000))
    family.births[0].father = other.people[0]
    _told(tell, "another-father", "MANUAL", "证明所载父亲另有其人", "another father on the certificate", mother, father)
    family, mother, father = _couple(tell)
    family.marks = family.marks | {"collective"}
    _told(tell, "collective", "MANUAL", "父母户籍均在集体户", "both parents in a collective household", mother, father)
    family, mother, father = _couple(tell)
    family.births.clear()
    _told(tell, "no-certificate", "MANUAL", "没有出生医学证明", "no certificate", mother, father)
    family, mother, father = _couple(tell)
    tell.case("father-applies", "MANUAL", "父亲作为申请人", "the father as applicant", ("applicant", father),
              ("father", mother))
    family, mother, father = _couple(tell)
    father.died = tell.population.day(-30)
    _told(tell, "father-died", "MANUAL", "父亲已去世", "the father has died", mother, father)


def plant(tell):
    _clear(tell)
    _twins(tell)
    _outside(tell)
    _doubtful(tell)


def ordinary(population):
    """The parents of every child under two who is registered already."""
    told = {id(person) for case in population.cases for _, person in case.members}
    for household in population.households:
        adults = [person for person in household.people if person.age >= 18]
        mother = next((person for person in adults if person.sex == "F"), None)
        father = next((person for person in adults if person.sex == "M"), None)
        if mother and id(mother) not in told and any(person.age < 2 for person in household.people):
            yield [("applicant", mother)] + ([("father", father)] if father else [])
