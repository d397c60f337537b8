"""The households a visitor is told about: each class, and each reason for a person to decide.

Each is planted at the head of the population with its expected class, which truth.py must confirm.
"""

from population import fees_of


class Teller:
    """Builds story households with plain values: nothing about them is left to chance but names."""

    def __init__(self, population):
        self.population = population

    def household(self, key, expect, zh, en, *people, area=60, homes=1, urban=True):
        """A family with its story; `people` as in family()."""
        household = self.family(*people, area=area, homes=homes, urban=urban)
        household.story = {"key": key, "class": expect, "zh": zh, "en": en}
        return household

    def family(self, *people, area=60, homes=1, urban=True):
        """`people` are (age, sex, role, wage or pension in yuan a month)."""
        population = self.population
        household = population.add_household(urban)
        household.area6 = "110105"
        household.street = population.streets["110105"][0][0]
        household.hh = f"110105{household.number:08d}"
        for age, sex, role, month in people:
            person = population.add_person(household, age, sex, role)
            person.area6 = "110105"
            population.set_birth(person, person.birth)
            _plain(population, person, month)
        for _ in range(homes):
            household.homes.append((area, household.people[0], None))
        return household


def _plain(population, person, month):
    cents = month * 100
    if person.age >= 60:
        person.job, person.pension = "3", cents
    elif person.age >= 18:
        person.job, person.wage = ("1" if month else "2"), cents
    if person.age >= 18:
        person.deposits = ((0, 150000 + 1000 * (person.number % 50)),)
    elif person.age >= 6:
        person.stage = "primary" if person.age < 12 else "junior" if person.age < 15 else "senior"
        person.fees = fees_of(population, person.stage)
    person.medical = ((-4, 9, 8000),)


def _tekun(tell):
    elder = tell.household("tekun-elder", "TEKUN", "独居老人，无亲属", "an old man alone, no kin",
                           (74, "M", "head", 230), homes=0)
    elder.people[0].disease = "I10"
    unfit = tell.household("tekun-disabled", "TEKUN", "独居智力残疾人", "a mentally disabled man alone",
                           (46, "M", "head", 0), homes=0)
    unfit.people[0].disability = ("5", "2")
    unfit.people[0].job = None
    tell.household("tekun-home", "TEKUN", "独居老人，自有旧房一套", "an old woman alone in her own home",
                   (69, "F", "head", 900), area=52)


def _dibao(tell):
    tell.household("dibao-couple", "DIBAO", "夫妻带一孩，收入低", "a couple with a child, low wages",
                   (38, "M", "head", 2600), (36, "F", "spouse", 0), (8, "F", "child", 0))
    lone = tell.household("dibao-lone-parent", "DIBAO", "单亲母亲，按规定核减后符合",
                          "a lone mother, within the line after the deduction",
                          (41, "F", "head", 3600), (17, "M", "child", 0))
    lone.people[1].stage = "senior"
    severe = tell.household("dibao-severe", "DIBAO", "夫妻，一人重度残疾", "a couple, one severely disabled",
                            (50, "M", "head", 3300), (49, "F", "spouse", 0))
    severe.people[1].disability = ("4", "1")
    scooter = tell.household("dibao-scooter", "DIBAO", "仅有残疾人代步车和报废车",
                             "only a mobility scooter and a scrapped car",
                             (57, "M", "head", 1100), (55, "F", "spouse", 1200))
    scooter.people[0].disability = ("4", "3")
    scooter.people[0].vehicles = (("scooter", 1, 0), ("car", 0, 1))
    small = tell.household("dibao-two-small-homes", "DIBAO", "两套小房，人均面积低于平均",
                           "two homes, small per head", (44, "M", "head", 2500),
                           (43, "F", "spouse", 1500), (12, "M", "child", 0), (72, "F", "parent", 600),
                           area=58, homes=2)
    small.homes[1] = (40.5, small.people[1], None)
    tell.household("dibao-twelve", "DIBAO", "十二口之家", "a household of twelve",
                   (47, "M", "head", 3900), (46, "F", "spouse", 2100), (73, "M", "parent", 500),
                   (71, "F", "parent", 500), (24, "M", "child", 3000), (23, "F", "other", 0),
                   (20, "F", "child", 1800), (15, "M", "child", 0), (13, "F", "child", 0),
                   (10, "M", "child", 0), (3, "F", "other", 0), (1, "M", "other", 0), area=150)


def _single(tell):
    for key, zh, en, disability, disease in (
            ("single-disabled", "三口之家，一人重度残疾", "three people, one severely disabled",
             ("1", "1"), None),
            ("single-ill", "三口之家，一人重病", "three people, one seriously ill", None, "C34"),
            ("single-kidney", "三口之家，一人透析", "three people, one on dialysis", None, "N18")):
        home = tell.household(key, "SINGLE", zh, en, (52, "M", "head", 4100), (50, "F", "spouse", 2400),
                              (24, "F", "child", 0))
        home.people[2].disability, home.people[2].disease = disability, disease
        home.people[2].medical = ((-3, 5, 900000), (0, 2, 5000000))


def _edge(tell):
    tell.household("edge-couple", "EDGE", "夫妻，收入略高于低保线", "a couple just above the line",
                   (45, "M", "head", 2600), (44, "F", "spouse", 1100))
    tell.household("edge-elders", "EDGE", "两位老人", "two old people",
                   (70, "M", "head", 1900), (68, "F", "spouse", 1700))
    tell.household("edge-exact", "EDGE", "人均恰为低保标准", "exactly at the standard per head",
                   (39, "M", "head", 2900), (38, "F", "spouse", 0))


def _rigid(tell):
    for key, zh, en, income, bills in (
            ("rigid-cancer", "癌症治疗费用高", "costly cancer treatment", (6000, 3000), (-2, 6200000)),
            ("rigid-heart", "心脏手术", "heart surgery", (5200, 3800), (-11, 5900000)),
            ("rigid-marrow", "骨髓移植", "a bone-marrow transplant", (7000, 4200), (-6, 8800000))):
        home = tell.household(key, "RIGID", zh, en, (54, "M", "head", income[0]),
                              (52, "F", "spouse", income[1]))
        home.people[0].disease = "C92"
        home.people[0].medical = ((bills[0], 11, bills[1]),)
    tuition = tell.household("rigid-tuition", "RIGID", "医疗加两个大学生学费", "illness and two students' fees",
                             (50, "M", "head", 6000), (49, "F", "spouse", 4000),
                             (21, "F", "child", 0), (19, "M", "child", 0))
    tuition.people[1].medical = ((-8, 20, 5200000),)
    for student in tuition.people[2:]:
        student.job, student.stage = None, "college"
        student.fees = fees_of(tell.population, "college")
    late = tell.household("none-bills-too-old", "NONE", "大额医疗支出已超过12个月",
                          "the big bill is older than twelve months",
                          (54, "M", "head", 6000), (52, "F", "spouse", 3000))
    late.people[0].medical = ((-13, 11, 6200000),)


def _none(tell):
    tell.household("none-income", "NONE", "收入较高", "a good income",
                   (35, "F", "head", 9800), (36, "M", "spouse", 11200), (5, "F", "child", 0))
    car = tell.household("none-car", "NONE", "低收入，名下有车", "a low income and a car",
                         (40, "M", "head", 1800), (39, "F", "spouse", 700))
    car.people[1].vehicles = (("car", 0, 0),)
    rich = tell.household("none-deposits", "NONE", "低收入，存款超过限额", "a low income and large deposits",
                          (63, "F", "head", 800), (66, "M", "spouse", 900))
    rich.people[0].deposits = ((0, 4000000), (1, 3500000))
    tell.household("none-two-homes", "NONE", "低收入，两套大房", "a low income and two large homes",
                   (58, "M", "head", 1500), (57, "F", "spouse", 1000), area=96, homes=2)
    shop = tell.household("none-shop", "NONE", "低收入，名下有商铺", "a low income and a shop",
                          (47, "F", "head", 1200))
    shop.premises.append((28, shop.people[0]))
    owner = tell.household("none-company", "NONE", "低收入，名下公司注册资本50万",
                           "a low income and a company", (42, "M", "head", 900))
    owner.people[0].firms = ((50000000, "active"),)


def _doubt_about_people(tell):
    population = tell.population
    dead = tell.household("manual-dead", "MANUAL", "已死亡人员仍在领取救助", "a dead man still drawing aid",
                          (81, "M", "head", 700), (77, "F", "spouse", 600))
    dead.people[0].died = population.day(-160)
    dead.people[0].aid, dead.people[0].social_aid = "DIBAO", 90000
    lately = tell.household("manual-death-unregistered", "MANUAL", "死亡证明已开具，户口未注销",
                            "a death certificate, not yet registered",
                            (66, "F", "head", 900), (84, "M", "parent", 300))
    lately.people[1].died = population.day(-20)
    lately.people[1].mark("death-unregistered")
    name = tell.household("manual-name", "MANUAL", "姓名用字与登记不一致", "a name written unlike the register",
                          (48, "F", "head", 1300))
    name.people[0].mark("renamed")
    left_out = tell.household("manual-left-out", "MANUAL", "漏报了有收入的儿子",
                              "an earning son was left out",
                              (53, "M", "head", 1200), (51, "F", "spouse", 800), (25, "M", "child", 9000))
    left_out.declared = left_out.people[:2]
    away = tell.household("manual-elsewhere", "MANUAL", "配偶户籍在外地", "a spouse registered elsewhere",
                          (37, "M", "head", 2100), (35, "F", "spouse", 0))
    away.people[1].own_hh, away.people[1].area6 = "13010200000001", "130102"
    aided = tell.household("manual-aided", "MANUAL", "已是低保家庭", "recognised already",
                           (43, "F", "head", 1000), (14, "M", "child", 0))
    for person in aided.people:
        person.recognised = "DIBAO"
    aided.people[0].aid, aided.people[0].social_aid = "DIBAO", 120000
    kin = tell.household("manual-kin", "MANUAL", "独居老人，有成年子女", "an old woman alone with a grown child",
                         (75, "F", "head", 400), homes=0)
    child = tell.household("none-grown-child", "NONE", "成年子女一家", "the grown child's family",
                           (48, "M", "head", 12000), (46, "F", "spouse", 9000))
    kin.people[0].kin = ((child.people[0], "child"),)
    child.people[0].kin = ((kin.people[0], "parent"),)


def _doubt_about_records(tell):
    stale = tell.household("manual-stale", "MANUAL", "银行存款数据过旧", "bank data too old",
                           (61, "M", "head", 1200))
    stale.people[0].mark("bank-stale")
    empty = tell.household("manual-no-amount", "MANUAL", "一个月工资未申报金额", "a month's wage without an amount",
                           (33, "F", "head", 1500), (4, "M", "child", 0))
    empty.people[0].mark("wage-null")
    capital = tell.household("manual-no-capital", "MANUAL", "公司注册资本缺失", "a company without its capital",
                             (45, "M", "head", 1100))
    capital.people[0].firms = ((1000000, "active"),)
    capital.people[0].mark("capital-null")
    missing = tell.household("manual-unlisted", "MANUAL", "公安库中查无此人", "not in the register of persons",
                             (59, "F", "head", 1000))
    missing.people[0].mark("unlisted")
    twice = tell.household("manual-two-files", "MANUAL", "住房档案重复", "two housing files",
                           (50, "M", "head", 1000), (50, "F", "spouse", 900))
    twice.marks = frozenset(["two-files"])


def _odd_records(tell):
    """Two people of one name, sex and birth date; a pension history with 99 months missing."""
    first = tell.household("edge-same-name-a", "EDGE", "同名同生日之一", "one of two with one name and birthday",
                           (58, "M", "head", 1700))
    other = tell.household("dibao-same-name-b", "DIBAO", "同名同生日之二", "the other of the two",
                           (58, "M", "head", 1000))
    one, two = first.people[0], other.people[0]
    two.name, two.kept_name, two.variant = one.name, one.kept_name, one.variant
    tell.population.set_birth(two, one.birth)
    gap = tell.household("none-gap", "NONE", "社保缴费中断99个月", "99 months missing in the contributions",
                         (55, "F", "head", 7300))
    gap.people[0].mark("contribution-gap")


def plant(population):
    """Adds the story households, in a fixed order."""
    tell = Teller(population)
    for chapter in (_tekun, _dibao, _single, _edge, _rigid, _none, _doubt_about_people,
                    _doubt_about_records, _odd_records):
        chapter(tell)
