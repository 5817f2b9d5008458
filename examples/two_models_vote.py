"""A diagnosis by two models: each reads the case twice, the majority of first places decides."""

import os
from pathlib import Path

from wardround.agents.case import read_case
from wardround.graphs import diagnosis
from wardround.models import chat_model

one = chat_model(os.environ.get("FIRST_MODEL"))
other = chat_model(os.environ.get("SECOND_MODEL"))
graph = diagnosis.build(model=[one, other], samples=4, fuse="majority")

if __name__ == "__main__":
    result = graph.invoke({"messages": [read_case(Path(__file__).with_name("cases") / "temple.json")]})
    for sample in sorted(result["samples"], key=lambda one: one.number):
        print(sample.number, [d.diagnosis for d in sample.diagnoses])
    for one in result["differential"].diagnoses:
        print(f"{one.rank}. {one.diagnosis}  {one.confidence:.2f}")
