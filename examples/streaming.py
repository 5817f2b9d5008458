"""Everything LangGraph streams, at once: state, updates, what nodes tell, and the models' own tokens."""

import asyncio
from collections import Counter
from pathlib import Path

from langgraph.types import StreamMode
from wardround.agents.case import read_case
from wardround.corpora import open_corpus
from wardround.graphs import ward_round
from wardround.models import chat_model

graph = ward_round.build(model=chat_model(), medicines=open_corpus())


async def main() -> None:
    case = read_case(Path(__file__).with_name("cases") / "temple.json")
    modes: list[StreamMode] = ["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"]
    seen: Counter[str] = Counter()
    # version="v2": every part is a dict with `type`, `ns` (which subgraph) and `data`.
    async for part in graph.astream({"messages": [case]}, stream_mode=modes, subgraphs=True, version="v2"):
        seen[part["type"]] += 1
        if part["type"] == "custom":
            print(part["ns"], part["data"]["type"], str(part["data"])[:80])
    print(dict(seen))


if __name__ == "__main__":
    asyncio.run(main())
