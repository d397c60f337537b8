"""The half-yearly recheck of disability subsidies: what it finds, and what it proposes to a person."""

import datetime

from population import years_before


def _drawing(tell, age, kind, level, subsidy="living", month=0):
    """Somebody alone who draws a subsidy and reported in this half-year."""
    person = tell.family((age, "M", "head", month)).people[0]
    person.disability, person.subsidy, person.reported = (kind, level), subsidy, tell.population.day(0)
    return person


def _told(tell, key, expected, zh, en, person):
    tell.case(key, expected, zh, en, ("applicant", person))


def _unchanged(tell):
    day = tell.population.day
    _told(tell, "as-before", "UNCHANGED", "无变化", "as before", _drawing(tell, 44, "4", "3"))
    _told(tell, "at-work-with-care", "UNCHANGED", "只享受护理补贴，在职", "the care subsidy alone, at work",
          _drawing(tell, 44, "4", "1", subsidy=None, month=6000))
    person = _drawing(tell, 44, "4", "3", month=6000)
    person.recognised = "EDGE"
    _told(tell, "at-work-low-income", "UNCHANGED", "在职，低收入家庭", "at work, of a low-income household", person)
    student = _drawing(tell, 20, "2", "4", month=800)
    student.stage = "bachelor"
    _told(tell, "student-at-work", "UNCHANGED", "在校生兼职", "a student with a job", student)
    for key, custody, zh, en in (
            ("set-free", ("prison", day(-700), day(-1)), "昨天刑满释放", "set free yesterday"),
            ("sentence-to-come", ("prison", day(1), None), "明天开始执行", "a sentence from tomorrow on"),
            ("detained", ("detention", day(-9), None), "拘留，不是监禁刑罚", "detained, not in prison")):
        person = _drawing(tell, 39, "4", "3")
        person.custody = custody
        _told(tell, key, "UNCHANGED", zh, en, person)


def _proposed(tell):
    day = tell.population.day
    dead = _drawing(tell, 61, "1", "1", subsidy=None)
    dead.died = day(-9)
    _told(tell, "dead", "STOP_PROPOSED", "登记为死亡", "registered as dead", dead)
    lately = _drawing(tell, 61, "1", "1", subsidy=None)
    lately.died = day(-9)
    lately.mark("death-unregistered")
    _told(tell, "dead-by-certificate", "STOP_PROPOSED", "死亡证明已开具，户口未注销", "certified, not yet registered", lately)
    moved = _drawing(tell, 37, "4", "3")
    moved.area6 = "130102"
    _told(tell, "moved", "STOP_PROPOSED", "户籍迁出本市", "moved out of the city", moved)
    for key, custody, zh, en in (("in-prison", ("prison", day(0), None), "今天开始执行监禁刑罚", "in prison from today on"),
                                 ("last-day-in-prison", ("prison", day(-700), day(0)), "刑期最后一天",
                                  "the last day in prison")):
        person = _drawing(tell, 39, "4", "3")
        person.custody = custody
        _told(tell, key, "STOP_PROPOSED", zh, en, person)
    both = _drawing(tell, 39, "4", "3")
    both.area6, both.recognised = "130102", "TEKUN"
    _told(tell, "moved-and-supported", "STOP_PROPOSED", "已迁出且为特困", "moved, and supported besides", both)


def _to_look_at(tell):
    for key, true, zh, en in (
            ("supported", {"recognised": "TEKUN"}, "已纳入特困供养", "supported in extreme hardship"),
            ("working", {"job": "1", "wage": 480000}, "享受生活补贴，已就业", "at work, with the living subsidy"),
            ("cared-for-elsewhere", {"allowance": "placement", "disability": ("5", "1")}, "另享受托养补贴",
             "cared for in an institution"),
            ("injured-at-work", {"job": "2", "injury_care": 200000}, "领取工伤护理费", "care of the work-injury insurance"),
            ("no-certificate", {"disability": None}, "没有有效残疾人证", "no valid certificate")):
        person = _drawing(tell, 44, "4", "3")
        for name, value in true.items():
            setattr(person, name, value)
        _told(tell, key, "REVIEW", zh, en, person)
    late = _drawing(tell, 44, "4", "3")
    late.reported = tell.population.day(-200)
    _told(tell, "not-reported", "REVIEW" if _is_missed(tell.population.today) else "UNCHANGED", "本半年未办理复核",
          "no report in this half-year", late)
    unlisted = _drawing(tell, 44, "4", "3")
    unlisted.mark("unlisted")
    _told(tell, "unlisted", "MANUAL", "公安库中查无此人", "not in the register of persons", unlisted)
    sixty = _drawing(tell, 60, "4", "2")
    sixty.job, sixty.wage = "1", 120000
    tell.population.set_birth(sixty, years_before(tell.population.today, 60).isoformat())
    _told(tell, "sixty-today", "UNCHANGED", "今天满六十岁，收入另行核查", "sixty today: another branch", sixty)


def _is_missed(today):
    """Are the days to report in over, by the week that the register of reports may be late?"""
    due = datetime.date(today.year, 1 if today.month < 7 else 7, 20)
    due += datetime.timedelta(days={5: 2, 6: 1}.get(due.weekday(), 0))
    return today - due > datetime.timedelta(days=7)


def plant(tell):
    for chapter in (_unchanged, _proposed, _to_look_at):
        chapter(tell)


def ordinary(_population):
    """Only who is told draws a subsidy by all registers."""
    return ()
