"""A graph of our nodes and one of your own, which fails at first; the second run goes on where the first stopped."""

import asyncio
import sys
from pathlib import Path

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from wardround.agents.case import read_case
from wardround.graphs import diagnosis
from wardround.graphs.diagnosis import DiagnosisInput, DiagnosisOutput
from wardround.graphs.savers import open_saver
from wardround.models import chat_model

registry = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "registry.txt"


def register(state: DiagnosisOutput) -> dict[str, object]:
    with registry.open("a") as file:  # fails while its folder is missing
        file.write(f"{state['differential'].diagnoses[0].diagnosis}\n")
    return {}


builder = StateGraph(DiagnosisOutput, input_schema=DiagnosisInput)
builder.add_node("diagnosis", diagnosis.build(model=chat_model()))
builder.add_node("register", register)
builder.add_edge(START, "diagnosis")
builder.add_edge("diagnosis", "register")
builder.add_edge("register", END)
graph = builder.compile()


async def main() -> None:
    config: RunnableConfig = {"configurable": {"thread_id": "temple"}}
    async with open_saver("crash.sqlite") as saver:
        kept = builder.compile(checkpointer=saver)
        begun = (await kept.aget_state(config)).next
        case: DiagnosisInput = {"messages": [read_case(Path(__file__).with_name("cases") / "temple.json")]}
        print("goes on with" if begun else "begins", *(begun or ()))
        # None as input: go on. Nothing that was done is done again, the model is not asked twice.
        await kept.ainvoke(None if begun else case, config, durability="sync")
        print(registry.read_text())


if __name__ == "__main__":
    asyncio.run(main())
