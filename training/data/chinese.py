"""Chinese training dialogues: few, since the small base model hardly knows the language; names are invented."""

from __future__ import annotations

import random
from typing import Final

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from ...agents.tuned_distilling import Form
from ...corpora.medicines import Attribute

_A = Attribute
_SYLLABLES: Final = "阿 埃 艾 奥 巴 贝 比 布 达 地 多 恩 法 非 氟 格 古 卡 克 拉 来 利 罗 洛 马 美 莫 纳 诺 帕 培 普 瑞 塞 沙 司 舒 索 他 泰 替 托 维 西 伊 依 扎 佐".split()
_ENDS: Final = "西林 沙坦 他汀 洛尔 地平 拉唑 霉素 沙星 替尼 单抗 列汀 列净 酮 胺 定 平 宁 片 胶囊 颗粒".split()
_QUESTIONS: Final = (
    ("{m}有什么副作用", _A.ADVERSE_REACTIONS),
    ("吃了{m}以后一直头晕，是它引起的吗？", _A.ADVERSE_REACTIONS),
    ("长期吃{m}伤肝吗", _A.ADVERSE_REACTIONS),
    ("{m}一天吃几次？", _A.DOSAGE),
    ("{m}饭前吃还是饭后吃", _A.DOSAGE),
    ("请问{m}的用量是多少", _A.DOSAGE),
    ("{m}和{o}能一起吃吗", _A.INTERACTIONS),
    ("吃{m}能不能喝酒", _A.INTERACTIONS),
    ("{m}是治什么病的？", _A.INDICATIONS),
    ("医生开了{m}，它有什么作用", _A.INDICATIONS),
    ("哪些人不能吃{m}", _A.CONTRAINDICATIONS),
    ("胃溃疡可以用{m}吗？", _A.CONTRAINDICATIONS),
    ("怀孕三个月能吃{m}吗", _A.PREGNANCY_LACTATION),
    ("哺乳期可以用{m}吗？", _A.PREGNANCY_LACTATION),
    ("五岁的孩子能吃{m}吗", _A.CHILDREN),
    ("小孩吃{m}吃多少", _A.CHILDREN),
    ("八十岁的老人吃{m}要减量吗", _A.ELDERLY),
    ("{m}要放冰箱吗", _A.STORAGE),
    ("{m}怎么保存？", _A.STORAGE),
    ("不小心多吃了两片{m}怎么办", _A.OVERDOSE),
    ("{m}吃过量了会怎样", _A.OVERDOSE),
    ("吃{m}要注意什么", _A.PRECAUTIONS),
    ("吃{m}能开车吗", _A.PRECAUTIONS),
    ("{m}的成分是什么", _A.COMPOSITION),
    ("{m}多久起效？", _A.PHARMACOLOGY),
    ("{m}是什么颜色的", _A.DESCRIPTION),
)
_LATER: Final = (
    ("它有什么不良反应？", _A.ADVERSE_REACTIONS),
    ("一天吃几片？", _A.DOSAGE),
    ("能喝酒吗", _A.INTERACTIONS),
    ("这药是治什么的", _A.INDICATIONS),
    ("我有肾病，能吃吗？", _A.CONTRAINDICATIONS),
    ("我怀孕了，还能继续吃吗", _A.PREGNANCY_LACTATION),
    ("孩子能吃吗", _A.CHILDREN),
    ("开封以后能放多久", _A.STORAGE),
    ("刚才多吃了一片，要紧吗？", _A.OVERDOSE),
    ("吃的时候要忌口吗", _A.PRECAUTIONS),
)
_OPENINGS: Final = (
    "医生给我开了{m}。",
    "我妈妈最近在吃{m}。",
    "家里有{m}，想问一下。",
    "我爱人吃{m}三个月了，血压还好。",
    "药店买了一盒{m}。",
)
_ADVISER: Final = ("您好，想了解什么？", "好的，请说。", "吃了多久了？", "还在吃别的药吗？", "有过敏史吗？")
_ANSWERS: Final = ("", "大概两个星期。", "没有别的药。", "不过敏。", "还在吃{o}。")
_COMPLAINTS: Final = (
    ("牙疼", "牙痛"),
    ("嗓子疼", "咽喉炎"),
    ("拉肚子", "腹泻"),
    ("便秘", "便秘"),
    ("感冒鼻塞", "感冒 鼻塞"),
    ("咳嗽有痰", "咳嗽 痰多"),
    ("高血压", "高血压"),
    ("失眠", "失眠"),
    ("脚气", "足癣"),
    ("胃反酸", "胃酸过多 反流"),
    ("痛风", "痛风"),
    ("过敏性鼻炎", "过敏性鼻炎"),
    ("湿疹", "湿疹"),
    ("关节疼", "关节炎"),
    ("尿频尿急", "尿路感染"),
)
_WHICH: Final = ("{c}吃什么药好", "{c}用什么药？", "请问{c}有什么药可以治", "我{c}好几天了，吃点什么药")


def chinese_case(rng: random.Random) -> tuple[list[AnyMessage], list[Form]]:
    """A dialogue and the calls it asks for."""
    m, o = (_name(rng) for _ in range(2))

    def fill(text: str) -> str:
        return text.replace("{m}", m).replace("{o}", o)

    if rng.random() < 0.2:
        said, words = rng.choice(_COMPLAINTS)
        return [HumanMessage(rng.choice(_WHICH).replace("{c}", said))], [Form(keywords=words)]
    if rng.random() < 0.6:
        text, attribute = rng.choice(_QUESTIONS)
        forms = [Form(medicine=m, attribute=attribute)]
        if "{o}" in text:
            forms.append(Form(medicine=o, attribute=attribute))
        return [HumanMessage(fill(text))], forms
    text, attribute = rng.choice(_LATER)
    turns: list[AnyMessage] = [
        HumanMessage(fill(rng.choice(_OPENINGS))),
        AIMessage(rng.choice(_ADVISER)),
        HumanMessage(fill(rng.choice(_ANSWERS)) + text),
    ]
    return turns, [Form(medicine=m, attribute=attribute)]


def _name(rng: random.Random) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.randint(1, 3))) + rng.choice(_ENDS)
