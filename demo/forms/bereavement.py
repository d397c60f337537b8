"""Somebody has died: one heir or several, the police, and what is left to settle."""

import truth


def _couple(tell, *children, days=15, pension=3600):
    """A wife whose husband died some days ago; children are (age, sex) and live with her."""
    family = tell.family((79, "M", "head", pension), (76, "F", "spouse", 1900),
                         *((age, sex, "child", 4100 if age >= 18 else 0) for age, sex in children))
    husband = family.people[0]
    husband.died = tell.population.day(-days)
    return family, husband, family.people[1], family.people[2:]


def _told(tell, key, expected, zh, en, dead, applicant, *heirs, relation="spouse"):
    members = [("applicant", applicant)] + [("heir", heir) for heir in heirs] + [("deceased", dead)]
    relative = {"kind": "relative", "id_no": applicant.id_no, "name": truth.written_name(applicant),
                                                                                         "relation": relation,
                "interest": "benefit"}
    tell.case(key, expected, zh, en, *members, more={len(members) - 1: {"representative": relative}})


def _clear(tell):
    _, husband, wife, _ = _couple(tell)
    _told(tell, "widow", "SETTLE", "丈夫去世，妻子为唯一继承人", "a widow, the only heir", husband, wife)
    _, husband, wife, (son,) = _couple(tell, (48, "M"))
    _told(tell, "wife-and-son", "SETTLE", "妻子和儿子共同申请", "wife and son together", husband, wife, son)
    _told_by_child(tell)
    _, husband, wife, _ = _couple(tell)
    husband.mark("death-unregistered")
    _told(tell, "not-registered-yet", "SETTLE", "死亡证明已开具，户口未注销", "certified, not yet registered",
          husband, wife)
    _, husband, wife, _ = _couple(tell)
    husband.mark("unnatural", "released")
    _told(tell, "released", "SETTLE", "非正常死亡，公安已处置完毕", "unnatural, the examination is closed",
          husband, wife)
    _, husband, wife, _ = _couple(tell)
    husband.job, husband.pension, husband.deposits = None, 0, ()
    _told(tell, "nothing-to-settle", "CLOSE", "无账户，仅注销", "no account, cancelling alone", husband, wife)


def _assets(tell):
    """One kind of account at a time."""
    for key, zh, en, true in (
            ("bank-only", "仅有银行存款", "a bank account alone", {"deposits": ((0, 42000),)}),
            ("policy-only", "仅有商业保险保单", "a commercial insurer's policy alone", {"policies": 1})):
        _, husband, wife, _ = _couple(tell)
        husband.job, husband.pension, husband.deposits = None, 0, ()
        for name, value in true.items():
            setattr(husband, name, value)
        _told(tell, key, "SETTLE", zh, en, husband, wife)


def _told_by_child(tell):
    """A daughter elsewhere is her mother's only heir."""
    mother = tell.family((84, "F", "head", 2900)).people[0]
    daughter = tell.family((55, "F", "head", 5100)).people[0]
    mother.died = tell.population.day(-30)
    mother.kin, daughter.kin = ((daughter, "child"),), ((mother, "parent"),)
    _told(tell, "daughter", "SETTLE", "女儿为母亲办理", "a daughter for her mother", mother, daughter, relation="child")


def _waiting(tell):
    _, husband, wife, _ = _couple(tell)
    husband.mark("unnatural")
    _told(tell, "unnatural", "HELD", "非正常死亡，等待公安处置", "unnatural: held for the police", husband, wife)
    _, husband, wife, _ = _couple(tell)
    husband.died = None
    _told(tell, "no-certificate", "NOT_YET", "尚无死亡医学证明", "no certificate yet", husband, wife)


def _doubtful(tell):
    _, husband, wife, _ = _couple(tell, (48, "M"))
    _told(tell, "one-of-two", "MANUAL", "两名继承人，只有一人申请", "two heirs, one applies", husband, wife)
    _, husband, wife, _ = _couple(tell, (16, "F"))
    _told(tell, "heir-under-age", "MANUAL", "有未成年继承人", "an heir under age", husband, wife)
    _, husband, wife, _ = _couple(tell)
    neighbour = tell.family((66, "F", "head", 3000)).people[0]
    _told(tell, "not-a-relative", "MANUAL", "申请人不是近亲属", "no relative by the register", husband, neighbour,
          relation="sibling")
    _, husband, wife, _ = _couple(tell)
    _told(tell, "somebody-too-many", "MANUAL", "多报了一名继承人", "one heir too many", husband, wife,
          tell.family((51, "M", "head", 3000)).people[0])
    _, husband, wife, _ = _couple(tell)
    husband.mark("renamed")
    _told(tell, "renamed", "MANUAL", "逝者姓名用字不一致", "the name of the deceased written otherwise", husband, wife)


def plant(tell):
    for chapter in (_clear, _assets, _waiting, _doubtful):
        chapter(tell)


def ordinary(_population):
    """Nobody dies but in stories."""
    return ()
