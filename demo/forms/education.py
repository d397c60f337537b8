"""Aid for pupils: stages, tiers, and the highest of several identities. Students of age: students.py."""


def _family(tell, *ages, month=7400):
    """A couple with children of these ages, each at the school of its age."""
    children = [(age, "F" if age % 2 else "M", "child", 0) for age in ages]
    family = tell.family((43, "M", "head", month), (41, "F", "spouse", 5200), *children)
    for child in family.people[2:]:
        child.boards = False
    return family


def _told(tell, key, expected, zh, en, family, left_out=()):
    applicant, parent, *children = family.people
    tell.case(key, expected, zh, en, ("applicant", applicant), ("parent", parent),
              *(("child", child) for child in children if child not in left_out))


def _recognise(family, kind):
    for person in family.people:
        person.recognised = kind


def _school(tell):
    family = _family(tell, 8)
    _recognise(family, "DIBAO")
    _told(tell, "dibao-pupil", "AID", "低保家庭小学生", "a pupil of a recognised household", family)
    family = _family(tell, 13)
    _recognise(family, "DIBAO")
    family.people[2].boards = True
    _told(tell, "dibao-boarder", "AID", "低保家庭寄宿初中生", "a boarder of a recognised household", family)
    family = _family(tell, 9)
    family.people[2].disability = ("2", "3")
    _told(tell, "disabled-pupil", "AID", "残疾小学生", "a disabled pupil", family)
    family = _family(tell, 9)
    family.people[1].disability = ("4", "2")
    _told(tell, "parent-disabled-primary", "NONE", "父母残疾，义务教育不另补助",
          "a disabled parent: not at compulsory school", family)
    family = _family(tell, 7)
    _recognise(family, "EDGE")
    _told(tell, "edge-pupil", "NONE", "低保边缘家庭小学生", "low income: not at compulsory school", family)


def _later(tell):
    family = _family(tell, 16)
    _recognise(family, "EDGE")
    family.people[2].stage = "senior"
    _told(tell, "senior-edge", "AID", "低保边缘家庭高中生", "low income at senior school", family)
    family = _family(tell, 16)
    _recognise(family, "DIBAO")
    family.people[2].stage, family.people[2].welfare = "senior", "de-facto"
    _told(tell, "senior-highest", "AID", "低保且事实无人抚养，取高", "two identities: the higher one", family)
    family = _family(tell, 17)
    family.people[0].disability, family.people[2].stage = ("1", "2"), "senior"
    _told(tell, "senior-parent-disabled", "AID", "残疾人子女读高中", "a disabled parent, at senior school", family)
    family = _family(tell, 16)
    _recognise(family, "EDGE")
    family.people[2].stage = "vocational"
    _told(tell, "vocational-second", "AID", "中职二等助学金", "vocational school, second tier", family)
    family = _family(tell, 17)
    _recognise(family, "TEKUN")
    family.people[2].stage = "vocational"
    _told(tell, "vocational-first", "AID", "中职一等助学金", "vocational school, first tier", family)
    family = _family(tell, 8, 12, 16)
    _recognise(family, "DIBAO")
    family.people[3].boards, family.people[4].stage = True, "senior"
    _told(tell, "three", "AID", "三个子女三个学段", "three children at three stages", family)
    family = _family(tell, 9, 16)
    family.people[2].disability, family.people[3].stage = ("5", "3"), "senior"
    _told(tell, "sister-disabled", "AID", "妹妹残疾，哥哥不因此受助",
          "a disabled sister gives her brother nothing", family)


def _identities(tell):
    """Each identity at the stages at which it counts, and one below."""
    for key, stage, kind, expected, zh, en in (
            ("martyr-senior", "senior", "martyr", "AID", "烈士子女读高中，最高档",
             "a martyr's child at senior school: the top"),
            ("police-senior", "senior", "police", "AID", "因公牺牲民警子女读高中",
             "a police hero's child at senior school"),
            ("orphan-vocational", "vocational", "orphan", "AID", "孤儿读中职，一等", "an orphan at vocational school"),
            ("veteran-vocational", "vocational", "veteran", "AID", "优抚对象子女读中职，一等",
             "a veteran's child at vocational school: the top"),
            ("veteran-senior", "senior", "veteran", "AID", "优抚对象子女读高中，一般档",
             "a veteran's child at senior school: not the top"),
            ("martyr-college", "bachelor", "martyr", "AID", "未成年烈士子女读大学",
             "a martyr's child at college under age"),
            ("orphan-primary", None, "orphan", "NONE", "孤儿读小学，“两补”未列",
             "an orphan at primary school: not of the two aids"),
            ("distressed-senior", "senior", "distressed", "NONE", "困境儿童不在名单内",
             "a child in distress is not of the list")):
        family = _family(tell, 17 if stage else 9)
        family.people[2].welfare, family.people[2].stage = kind, stage or "primary"
        _told(tell, key, expected, zh, en, family)
    for age, stage, expected in ((8, "primary", "NONE"), (16, "vocational", "AID")):
        family = _family(tell, age)
        _recognise(family, "TEKUN")
        family.people[2].stage = stage
        _told(tell, "tekun-" + stage, expected, f"特困学生（{stage}）", f"supported, at {stage} school", family)
    family = _family(tell, 17)
    family.people[2].stage, family.people[2].mode = "vocational", "part"
    _recognise(family, "DIBAO")
    _told(tell, "part-time", "NONE", "非全日制", "part-time studies", family)


def _none(tell):
    _told(tell, "well-off", "NONE", "一般家庭", "an ordinary family", _family(tell, 10, 14))
    family = _family(tell, 4)
    _recognise(family, "DIBAO")
    _told(tell, "too-young", "NONE", "学龄前", "below school age", family)
    family = _family(tell, 11)
    _recognise(family, "DIBAO")
    family.people[2].aided = True
    _told(tell, "drawn", "DRAWN", "本学期已发", "paid for this term", family)
    family = _family(tell, 11, 14)
    _recognise(family, "DIBAO")
    family.people[2].aided = True
    _told(tell, "one-drawn", "AID", "一人已发，另一人未发", "one is paid, the other not yet", family)


def _doubtful(tell):
    family = _family(tell, 8, 12)
    _recognise(family, "DIBAO")
    _told(tell, "left-out", "MANUAL", "漏报一名子女", "a child left out", family, left_out=family.people[3:])
    family = _family(tell, 8)
    _recognise(family, "DIBAO")
    family.people[2].mark("renamed")
    _told(tell, "renamed", "MANUAL", "子女姓名用字不一致", "a child's name written unlike the register", family)


def plant(tell):
    for chapter in (_school, _later, _identities, _none, _doubtful):
        chapter(tell)


def ordinary(population):
    """Every other couple, or one parent, with children under 18 who are all their own."""
    told = {id(person) for case in population.cases for _, person in case.members}
    for household in population.households:
        head, rest = household.people[0], household.people[1:]
        children = [person for person in rest if person.role == "child" and person.age < 18]
        if head.age >= 18 and children and id(head) not in told and len(children) <= 8:
            parents = [("parent", person) for person in rest if person.role == "spouse"]
            yield [("applicant", head)] + parents + [("child", child) for child in children]
