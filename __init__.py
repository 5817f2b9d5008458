"""wardround: clinical-reasoning agents as LangGraph state machines, with evidence that is checked.

from wardround.corpora import open_corpus
from wardround.graphs import consultation
from wardround.models import chat_model

graph = consultation.build(model=chat_model("local"), medicines=open_corpus())
"""

from .quiet import keep_quiet

keep_quiet()
