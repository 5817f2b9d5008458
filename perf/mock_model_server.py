"""A model server that answers every chat request with the same reply: what is left is the caller's own cost.

    python perf/mock_model_server.py [SECONDS [REPLY]]     prints its address, runs until its input ends

It waits SECONDS (0) before each reply, as a model would.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path


def _answer(content: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    head = {"id": "c1", "object": "chat.completion", "created": 0, "model": "mock"}
    body = json.dumps({**head, "choices": [choice], "usage": usage}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answer: bytes, wait_s: float) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            await reader.readexactly(length)
            if wait_s:
                await asyncio.sleep(wait_s)
            writer.write(answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(wait_s: float, content: str) -> None:
    serve = partial(_serve, answer=_answer(content), wait_s=wait_s)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


@contextmanager
def mock_server(wait_s: float = 0.0, content: str = "Answer: A") -> Generator[str]:
    """The server in a process of its own; its address."""
    command = [sys.executable, str(Path(__file__).resolve()), str(wait_s), content]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("no output of the mock server")
        yield process.stdout.readline().strip()
        process.kill()


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0, sys.argv[2] if len(sys.argv) > 2 else "A"))
