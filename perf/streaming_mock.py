"""A model server that streams: as many tokens as the question says, as far apart as it says, each with its own mark.

    python perf/streaming_mock.py     prints its address, runs until its input ends

The last message is `MARK COUNT PAUSE`, such as `a17 40 0.25`: forty tokens `a17-0 `, `a17-1 ` ..., four a second.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 0, "model": "mock"}
    return b"data: " + json.dumps({**head, "choices": [choice]}).encode() + b"\n\n"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        body = json.loads(await reader.readexactly(length))
        mark, count, pause = body["messages"][-1]["content"].split()
        writer.write(_HEAD + _event({"role": "assistant", "content": ""}))
        for number in range(int(count)):
            writer.write(_event({"content": f"{mark}-{number} "}))
            await writer.drain()
            await asyncio.sleep(float(pause))
        usage = {"prompt_tokens": 11, "completion_tokens": int(count), "total_tokens": 11 + int(count)}
        last = {"id": "c1", "object": "chat.completion.chunk", "created": 0, "model": "mock", "choices": []}
        writer.write(_event({}, "stop") + b"data: " + json.dumps({**last, "usage": usage}).encode())
        writer.write(b"\n\ndata: [DONE]\n\n")
        await writer.drain()
    writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


@contextmanager
def streaming_mock() -> Generator[str]:
    """The server in a process of its own; its address."""
    command = [sys.executable, str(Path(__file__).resolve())]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("no output of the mock server")
        yield process.stdout.readline().strip()
        process.kill()


if __name__ == "__main__":
    asyncio.run(_main())
