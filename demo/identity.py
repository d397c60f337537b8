"""Identifiers of the demo world: identity numbers, credit codes, region codes and names.

Identity numbers follow GB 11643 with a right check character, and begin with 99, a province prefix
that is assigned to no province: they pass every validation and belong to nobody.
"""

import csv
import datetime
import os

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

_HERE = os.path.dirname(os.path.abspath(__file__))


def id_check(first17):
    """The 18th character of an identity number (GB 11643)."""
    return _ID_CHECKS[sum(int(d) * w for d, w in zip(first17, _ID_WEIGHTS)) % 11]


def id_is_valid(id_no):
    """Right length, right birth date, right check character."""
    if len(id_no) != 18 or not id_no.isascii() or not id_no[:17].isdigit():
        return False
    try:
        datetime.date.fromisoformat(f"{id_no[6:10]}-{id_no[10:12]}-{id_no[12:14]}")
    except ValueError:
        return False
    return id_no[17] == id_check(id_no[:17])


def uscc_check(first17):
    """The 18th character of a unified social credit code (GB 32100)."""
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(first17, _USCC_WEIGHTS))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def uscc(number):
    """An enterprise's credit code: 91, a region of no province, an organization code (GB 11714)."""
    body = f"{number:08d}"
    rest = 11 - sum(int(d) * w for d, w in zip(body, _ORG_WEIGHTS)) % 11
    org = body + {10: "X", 11: "0"}.get(rest, str(rest))
    first17 = "91990105" + org
    return first17 + uscc_check(first17)


class IdNumbers:
    """Hands out identity numbers, each once."""

    def __init__(self, rng):
        self._rng = rng
        self._taken = set()

    def next(self, area6, birth, sex):
        """A number of the area (its first two digits become 99), birth date and sex (M or F)."""
        head = "99" + area6[2:] + birth.replace("-", "")
        while True:
            seq = self._rng.randrange(0, 500) * 2 + (1 if sex == "M" else 0)
            if seq == 0:
                continue
            first17 = f"{head}{seq:03d}"
            if first17 not in self._taken:
                self._taken.add(first17)
                return first17 + id_check(first17)


def load_regions():
    """Districts as (code, name), and the streets of each as (9-digit code, name)."""
    districts = []
    streets = {}
    with open(os.path.join(_HERE, "regions.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["level"] == "district":
                districts.append((row["code"], row["name"]))
                streets[row["code"]] = []
            else:
                streets[row["code"][:6]].append((row["code"], row["name"]))
    return districts, streets


# Surnames with rough weights per thousand, most frequent first.
_SURNAMES = (
    "王 72 李 71 张 68 刘 54 陈 45 杨 31 赵 23 黄 22 周 21 吴 20 徐 17 孙 16 胡 13 朱 13 高 12 林 12 何 11 "
    "郭 11 马 11 罗 9 梁 9 宋 8 郑 8 谢 7 韩 7 唐 7 冯 7 于 6 董 6 萧 6 程 6 曹 6 袁 6 邓 6 许 5 傅 5 沈 5 "
    "曾 5 彭 5 吕 5 苏 5 卢 5 蒋 5 蔡 5 贾 4 丁 4 魏 4 薛 4 叶 4 阎 4 余 4 潘 4 杜 4 戴 4 夏 4 钟 4 汪 4 田 4 "
    "任 4 姜 4 范 4 方 4 石 4 姚 4 谭 4 廖 4 邹 4 熊 3 金 3 陆 3 郝 3 孔 3 白 3 崔 3 康 3 毛 3 邱 3 秦 3 "
    "江 3 史 3 顾 3 侯 3 邵 3 孟 3 龙 3 万 3 段 3 欧阳 2 司马 1 诸葛 1 上官 1"
).split()
_COMMON = {
    "M": "伟 强 磊 洋 勇 军 杰 涛 明 超 刚 平 辉 鹏 华 建国 建华 志强 国强 海涛".split(),
    "F": "娜 芳 静 敏 丽 艳 娟 霞 燕 玲 秀英 桂英 秀兰 玉兰 丽娟 淑珍 婷 雪 丹 红".split(),
}
_FIRST = {
    "M": "子 浩 宇 文 志 建 国 俊 嘉 天 家 明 永 德 立 春 东 正 学 少".split(),
    "F": "雨 欣 梓 思 佳 晓 淑 玉 美 雅 慧 春 秋 月 若 静 兰 秀 诗 可".split(),
}
_SECOND = {
    "M": "轩 然 航 峰 林 生 平 军 民 东 辉 斌 龙 成 海 波 博 宁 山 飞".split(),
    "F": "涵 怡 萱 琪 珍 芬 英 梅 莹 洁 琳 敏 婷 云 霞 荣 瑶 妍 彤 凤".split(),
}
_RARE = "喆 堃 昇 翀 祎 婳 㛃 䶮 𬱖 𬀩".split()
_DOTTED = {
    "M": "买买提·艾合买提 吐尔逊·卡德尔 艾力·玉素甫 丹增·次仁 巴特尔·苏和".split(),
    "F": "阿依古丽·买买提 古丽娜尔·艾合买提 热娜·吐尔逊 卓玛·央金 其其格·敖登".split(),
}
_DOT_VARIANTS = ("\u2022", "\u30fb", "\uff65")


class Names:
    """Draws names as frequent as real ones: many people share one, and some are hard to write."""

    def __init__(self, rng):
        self._rng = rng
        self._surnames = _SURNAMES[0::2]
        self._weights = [0] * len(self._surnames)
        total = 0
        for i, weight in enumerate(_SURNAMES[1::2]):
            total += int(weight)
            self._weights[i] = total

    def surname(self):
        return self._rng.choices(self._surnames, cum_weights=self._weights)[0]

    def draw(self, sex, surname=None):
        """A name as (what the citizen writes, what public security keeps, kind of variant)."""
        roll = self._rng.random()
        if surname is None and roll < 0.009:
            name = self._rng.choice(_DOTTED[sex])
            return name, name.replace("·", self._rng.choice(_DOT_VARIANTS)), "dot"
        family = surname or self.surname()
        if roll < 0.014:
            name = family + self._rng.choice(_RARE)
            return name, name, "rare"
        if self._rng.random() < 0.45:
            given = self._rng.choice(_COMMON[sex])
        else:
            given = self._rng.choice(_FIRST[sex]) + self._rng.choice(_SECOND[sex])
        name = family + given
        if roll < 0.022:
            return name, family + "\u3000" + given, "full-width"
        return name, name, None
