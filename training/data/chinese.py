"""Chinese training dialogues: few, since the small base model hardly knows the language. Names are invented."""

from __future__ import annotations

import random
from typing import Any, Final

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from ...agents.tuned_distilling import Form
from ...corpora.medicines import Attribute
from . import phrases

_SYLLABLES: Final = (
    "阿 埃 艾 奥 巴 贝 比 布 达 地 多 恩 法 非 氟 格 古 卡 克 拉 来 利 罗 洛 "
    "马 美 莫 纳 诺 帕 培 普 瑞 塞 沙 司 舒 索 他 泰 替 托 维 西 伊 依 扎 佐"
).split()
_ENDS: Final = "西林 沙坦 他汀 洛尔 地平 拉唑 霉素 沙星 替尼 单抗 列汀 列净 酮 胺 定 平 宁 片 胶囊 颗粒".split()


def chinese_case(rng: random.Random) -> tuple[list[AnyMessage], list[Form], list[str]]:
    """A dialogue, the calls it asks for, and the names in it."""
    med, other = (_name(rng) for _ in range(2))
    complaint = rng.choice(_kind("complaint"))

    def fill(entry: dict[str, Any]) -> str:
        slots = {"med": med, "other": other, "condition": complaint["condition"], "complaint": complaint["words"]}
        text = str(entry["text"])
        for slot, value in (slots | {"age": str(rng.randint(3, 85)), "person": "我妈妈", "brand": med}).items():
            text = text.replace(f"{{{slot}}}", value)
        return text

    opening, adviser = fill(rng.choice(_kind("opening"))), fill(rng.choice(_kind("adviser")))
    kind = rng.random()
    if kind < 0.05:
        return _dialogue(opening, adviser, fill(rng.choice(_kind("small_talk")))), [], [med, other]
    if kind < 0.25:
        words = complaint["condition"]
        return _dialogue(fill(rng.choice(_kind("which_medicine")))), [Form(keywords=words)], []
    question = rng.choice(_kind("question"))
    attributes = [a for a in map(Attribute, question["attributes"]) if a is not Attribute.OTHER] or [
        Attribute.PRECAUTIONS
    ]
    forms = [Form(medicine=med, attribute=attributes[0])]
    if "{other}" in question["text"]:
        forms.append(Form(medicine=other, attribute=attributes[0]))
    if question["pronoun"]:
        return _dialogue(opening, adviser, fill(question)), forms, [med, other]
    return _dialogue(fill(question)), forms, [med, other]


def _kind(kind: str) -> list[dict[str, Any]]:
    return [entry for entry in phrases.chinese() if entry["kind"] == kind]


def _dialogue(*turns: str) -> list[AnyMessage]:
    return [AIMessage(t) if place % 2 else HumanMessage(t) for place, t in enumerate(turns)]


def _name(rng: random.Random) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.randint(1, 3))) + rng.choice(_ENDS)
