"""Many dialogues from a JSONL file, eight at once; one that fails does not stop the others."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from wardround.corpora import open_corpus
from wardround.graphs import consultation
from wardround.models import chat_model

graph = consultation.build(model=chat_model(), medicines=open_corpus())


async def main(rows: list[dict[str, Any]]) -> None:
    inputs: list[Any] = [{"messages": row["dialogue"]} for row in rows]
    done = await graph.abatch(inputs, {"max_concurrency": 8}, return_exceptions=True)
    for row, result in zip(rows, done, strict=True):
        failed = isinstance(result, BaseException)
        answer = f"{type(result).__name__}: {result}" if failed else result["answer"].text
        print(json.dumps({"id": row["id"], "failed": failed, "answer": answer}, ensure_ascii=False))


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    asyncio.run(main([json.loads(line) for line in lines]))
