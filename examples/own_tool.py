"""A diagnosis with a tool of one's own: the model may call it before it reads the case."""

from pathlib import Path

from langchain_core.tools import tool
from wardround.agents.case import read_case
from wardround.graphs import diagnosis
from wardround.models import chat_model


@tool
def qsofa(breathing_rate: int, systolic_mmhg: int, confused: bool) -> str:
    """The quick SOFA score (Singer et al. 2016): breaths a minute, systolic pressure, whether the mind is clouded."""
    points = int(breathing_rate >= 22) + int(systolic_mmhg <= 100) + int(confused)
    return f"qSOFA {points} of 3; 2 or more with an infection suggests sepsis."


graph = diagnosis.build(model=chat_model(), tools=[qsofa], tool_rounds=2)

if __name__ == "__main__":
    case = read_case(Path(__file__).with_name("cases") / "temple.json")
    for told in graph.stream({"messages": [case]}, stream_mode="custom"):
        print(told)
