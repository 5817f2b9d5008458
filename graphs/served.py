"""The graphs for a LangGraph server (`langgraph dev`, Studio, LangGraph Platform): what `langgraph.json` names.

Functions, so that importing loads no model. Without a checkpointer: the server brings its own.
"""

from __future__ import annotations

from functools import cache

from ..corpora import open_corpus
from ..models import chat_model
from . import catalogue


@cache
def _graph(name: str) -> catalogue.Compiled:
    return catalogue.build(name, model=chat_model(), medicines=open_corpus())


def consultation() -> catalogue.Compiled:
    """`consultation` over the model and the corpus of the settings."""
    return _graph("consultation")


def diagnosis() -> catalogue.Compiled:
    """`diagnosis` over the model of the settings."""
    return _graph("diagnosis")


def progression() -> catalogue.Compiled:
    """`progression` over the model of the settings, without patient records: a LangGraph server takes the run's context
    from its client, and a client cannot grant itself access. It answers from the films alone.
    """
    return _graph("progression")


def ward_round() -> catalogue.Compiled:
    """`ward_round` over the model and the corpus of the settings."""
    return _graph("ward_round")
