"""Two graphs in a row: a case is diagnosed, then the medication adviser is asked about the usual treatment."""

from pathlib import Path

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, StateGraph
from wardround.agents.case import read_case
from wardround.corpora import open_corpus
from wardround.graphs import consultation, diagnosis
from wardround.graphs.diagnosis import DiagnosisInput, DiagnosisOutput
from wardround.graphs.state import ConsultationOutput
from wardround.models import chat_model


class State(DiagnosisOutput, ConsultationOutput):
    """What both end with; they share the conversation and the flags."""


def ask(state: State) -> dict[str, list[HumanMessage]]:
    first = state["differential"].diagnoses[0].diagnosis
    return {
        "messages": [HumanMessage(f"It is {first}. She will take prednisone for a year: what does it do to bones?")]
    }


model = chat_model()
builder = StateGraph(State, input_schema=DiagnosisInput)
builder.add_node("diagnosis", diagnosis.build(model=model))
builder.add_node("ask", ask)
builder.add_node("consultation", consultation.build(model=model, medicines=open_corpus()))
builder.add_edge(START, "diagnosis")
builder.add_edge("diagnosis", "ask")
builder.add_edge("ask", "consultation")
builder.add_edge("consultation", END)
graph = builder.compile()

if __name__ == "__main__":
    case = read_case(Path(__file__).with_name("cases") / "temple.json")
    for message in graph.invoke({"messages": [case]})["messages"]:
        print(f"{message.type}: {message.text}\n")
