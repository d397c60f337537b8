"""Aid for students of age: tiers of senior school, vocational school and college, and whose identity counts."""

from population import years_before


def _student(tell, age, stage, **true):
    """A student living with both parents."""
    family = tell.family((50, "M", "head", 5400), (48, "F", "spouse", 3100), (age, "F", "child", 0))
    student = family.people[2]
    student.job, student.stage, student.boards = None, stage, False
    for name, value in true.items():
        setattr(student, name, value)
    return student, family.people[:2]


def _told(tell, key, expected, zh, en, student, *parents):
    tell.case(key, expected, zh, en, ("applicant", student), *(("parents", parent) for parent in parents))


def _tiers(tell):
    for key, age, stage, true, expected, zh, en in (
            ("college-dibao", 20, "bachelor", {"recognised": "DIBAO"}, "AID", "低保大学生，一等",
             "recognised, at college: first tier"),
            ("college-edge", 20, "college", {"recognised": "EDGE"}, "AID", "低收入大学生，二等",
             "low income, at college: second tier"),
            ("college-edge-disabled", 21, "bachelor", {"recognised": "EDGE", "disability": ("3", "4")}, "AID",
             "低收入残疾大学生，一等", "in need and disabled: first tier"),
            ("college-disabled", 21, "bachelor", {"disability": ("3", "4")}, "AID", "残疾大学生，二等",
             "disabled and not in need: second tier"),
            ("college-martyr", 19, "bachelor", {"welfare": "martyr"}, "AID", "烈士子女大学生，一等",
             "a martyr's child at college"),
            ("college-veteran", 22, "college", {"welfare": "veteran"}, "AID", "优抚对象子女大学生，一等",
             "a veteran's child at college"),
            ("senior-police", 18, "senior", {"welfare": "police"}, "AID", "年满十八岁的高中生，最高档",
             "of age at senior school: the top"),
            ("vocational-edge", 18, "vocational", {"recognised": "EDGE"}, "AID", "年满十八岁的中职生，二等",
             "of age at vocational school: second tier"),
            ("well-off", 20, "bachelor", {}, "NONE", "一般家庭大学生", "an ordinary student"),
            ("graduate", 24, "master", {"recognised": "DIBAO"}, "MANUAL", "研究生由人工办理",
             "a graduate student: another scheme's"),
            ("not-enrolled", 20, None, {"recognised": "DIBAO"}, "NONE", "没有学籍", "on no roll"),
            ("part-time", 20, "college", {"recognised": "DIBAO", "mode": "part"}, "NONE", "非全日制",
             "part-time studies"),
            ("drawn", 20, "bachelor", {"recognised": "DIBAO", "aided": True}, "DRAWN", "本学期已发",
             "paid for this term"),
            ("renamed", 20, "bachelor", {"recognised": "DIBAO", "marks": frozenset(["renamed"])}, "MANUAL",
             "姓名用字不一致", "a name written unlike the register")):
        student, _ = _student(tell, age, stage, **true)
        _told(tell, key, expected, zh, en, student)


def _parents(tell):
    student, parents = _student(tell, 20, "bachelor")
    parents[0].disability = ("4", "3")
    _told(tell, "parent-disabled", "AID", "父亲残疾，父母一并申报",
     "a disabled father, both parents named", student, *parents)
    student, parents = _student(tell, 20, "bachelor")
    parents[0].disability = ("4", "3")
    _told(tell, "parent-unnamed", "NONE", "父亲残疾，未申报父母", "a disabled father who is not named", student)
    student, parents = _student(tell, 20, "bachelor")
    parents[0].disability = ("4", "3")
    _told(tell, "one-parent-named", "MANUAL", "只申报父母一方", "one of two parents named", student, parents[0])
    student, _ = _student(tell, 20, "bachelor")
    stranger = tell.family((47, "M", "head", 2000)).people[0]
    stranger.disability = ("1", "1")
    _told(tell, "not-the-parent", "MANUAL", "申报的不是父母", "somebody else's certificate", student, stranger)
    student, parents = _student(tell, 19, "college", recognised="EDGE")
    parents[1].disability, parents[0].died = ("6", "2"), tell.population.day(-400)
    _told(tell, "mother-alone", "AID", "父亲已故，母亲残疾且低收入，一等",
     "a father dead, a disabled mother, in need: first tier",
          student, parents[1])


def _of_age(tell):
    """Who is eighteen today; before that day nobody is an applicant."""
    student, _ = _student(tell, 18, "senior", recognised="EDGE")
    tell.population.set_birth(student, years_before(tell.population.today, 18).isoformat())
    _told(tell, "eighteen-today", "AID", "今天满十八岁", "eighteen today", student)


def plant(tell):
    for chapter in (_tiers, _parents, _of_age):
        chapter(tell)


def ordinary(population):
    """Every other student of age, alone."""
    told = {id(person) for case in population.cases for _, person in case.members}
    for household in population.households[:population.num_own]:
        for person in household.people:
            if person.stage and person.age >= 18 and id(person) not in told:
                yield [("applicant", person)]
