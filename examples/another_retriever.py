"""A consultation that searches with another retriever: a LangChain vector store, filled from the shipped corpus."""

from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.messages import HumanMessage
from langchain_core.vectorstores import InMemoryVectorStore
from wardround.corpora import RetrieverSearch, documents, open_corpus
from wardround.graphs import consultation
from wardround.models import chat_model

corpus = open_corpus()
# Any store does, and any embedding: this one needs no download, and understands nothing.
store = InMemoryVectorStore.from_documents(list(documents(corpus)), DeterministicFakeEmbedding(size=64))
medicines = RetrieverSearch(corpus, store.as_retriever(search_kwargs={"k": 3}))
graph = consultation.build(model=chat_model(), medicines=medicines)

if __name__ == "__main__":
    result = graph.invoke({"messages": [HumanMessage("What does long use of prednisone do to the bones?")]})
    print(result["answer"].text)
    for item in result["evidence"]:
        print(item.n, item.passage.medicine, item.passage.attribute.value)
