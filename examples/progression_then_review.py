"""What changed between two films of a synthetic patient, told by the records; a person reads it before it goes out."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from wardround.agents.asked_films import film_message
from wardround.corpora.cohort import cohort_patients, make_cohort
from wardround.corpora.patients import OWNER, PatientStore, RunContext, issue, write_patients
from wardround.graphs import progression
from wardround.graphs.progression import ProgressionInput, ProgressionOutput
from wardround.graphs.savers import open_saver
from wardround.models import chat_model


def review(state: ProgressionOutput) -> dict[str, list[AIMessage]]:
    told = state["messages"][-1]
    # The answer's own id: what the person makes of it takes its place in the conversation.
    return {"messages": [AIMessage(interrupt(told.text), id=told.id)]}


cohort = make_cohort(20, seed=7)
folder = TemporaryDirectory()
path = Path(folder.name) / "patients.sqlite"
write_patients(path, list(cohort_patients(cohort)), source="synthetic", folder=Path())
store = PatientStore(path)

builder = StateGraph(ProgressionOutput, context_schema=RunContext, input_schema=ProgressionInput)
builder.add_sequence([("progression", progression.build(model=chat_model(), store=store)), ("review", review)])
builder.add_edge(START, "progression")
builder.add_edge("review", END)
graph = builder.compile()


async def main() -> None:
    asked = cohort.test[0]
    patient, study = (part[1:] for part in asked.cur_image_path.split("/")[2:4])
    case: ProgressionInput = {"messages": [film_message(asked.question, options=asked.options)]}
    config: RunnableConfig = {"configurable": {"thread_id": patient}}
    async with open_saver("review.sqlite") as saver:
        kept = builder.compile(checkpointer=saver)
        waits = await kept.ainvoke(case, config, context=RunContext(issue(store, OWNER, patient=patient, study=study)))
        print("waits:", waits["__interrupt__"][0].value)
        done = await kept.ainvoke(Command(resume="Agreed, and compare again in a week."), config)
        print("goes out:", done["messages"][-1].text)


if __name__ == "__main__":
    asyncio.run(main())
