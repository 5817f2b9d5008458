"""What the gateway adds and holds: time to the first token, many streams at once, memory, and whether it grows.

    python perf/gateway.py [--json FILE]

The gateway runs as `wardround serve` in a process of its own, before a mock model server in another; the clients here
are bare sockets, so that little of what is measured is theirs. All share the machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from measuring import Figure, Options, Result, median, options_parser, percentile, report
from streaming_mock import streaming_mock

BESIDE = 31
ARRIVALS = 60
AT_ONCE = 200
IDLE = 2000
REQUESTS = 10_000
SIDE_BY_SIDE = 16


@dataclass
class Stream:
    """What a client saw of one reply."""

    mark: str
    began: float
    first: float = 0.0
    tokens: list[str] = field(default_factory=list[str])
    times: list[float] = field(default_factory=list[float])
    done: bool = False

    def whole(self, count: int) -> bool:
        """Whether all of its tokens came, in order, and no others."""
        return self.done and self.tokens == [f"{self.mark}-{n} " for n in range(count)]


async def stream(address: str, model: str, mark: str, count: int, pause: float) -> Stream:
    """Ask once; a fault of the connection shows as a reply that is not done."""
    url = urlsplit(address)
    question = {"role": "user", "content": f"{mark} {count} {pause}"}
    body = json.dumps({"model": model, "stream": True, "messages": [question]}).encode()
    head = f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=1 << 20)
    seen = Stream(mark, time.perf_counter())
    writer.write(head.encode() + body)
    try:
        while line := await reader.readline():
            if not line.startswith(b"data: "):
                continue
            if line == b"data: [DONE]\n":
                seen.done = True
                break
            for choice in json.loads(line[6:]).get("choices", ()):
                if text := choice["delta"].get("content"):
                    seen.first = seen.first or time.perf_counter()
                    seen.tokens.append(text)
                    seen.times.append(time.perf_counter())
    except ConnectionError:
        pass
    finally:
        writer.close()
    return seen


@contextmanager
def gateway(mock: str, folder: Path) -> Generator[tuple[str, int]]:
    """`wardround serve`; its address and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from wardround.cli import main; main()", "serve", "--port", str(port)]
    command += ["--graph", "diagnosis", "--model", f"openai:mock@{mock}", "--state", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ)) as process:
        try:
            for _ in range(600):
                with socket.socket() as attempt:
                    if attempt.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/v1", process.pid
        finally:
            process.kill()


def memory_mb(pid: int) -> float:
    """What a process holds now, in MB (10^6 bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def first_token(address: str, mock: str) -> list[Figure]:
    """One arrival while others stream through the gateway: by way of it, and to the mock directly, in turns."""
    beside = [asyncio.create_task(stream(address, "utility", f"b{n}", 1200, 0.05)) for n in range(BESIDE)]
    await asyncio.sleep(3)
    taken: dict[str, list[float]] = {"gateway": [], "mock": []}
    for number in range(ARRIVALS * 2):
        which, where = ("gateway", address) if number % 2 else ("mock", mock)
        seen = await stream(where, "utility", f"a{number}", 3, 0.01)
        taken[which].append(seen.first - seen.began)
        await asyncio.sleep(0.02)
    broken = sum(task.done() for task in beside)
    for task in beside:
        task.cancel()
    added = median(taken["gateway"]) - median(taken["mock"])
    note = f"{BESIDE} others stream 20 tokens a second each; n = {ARRIVALS}; {broken} of them broke off"
    return [
        Figure("first token, added by the gateway, median", added * 1e3, "ms", 15, note),
        Figure("first token by way of the gateway, p95", percentile(taken["gateway"], 95) * 1e3, "ms"),
        Figure("first token from the mock directly, median", median(taken["mock"]) * 1e3, "ms"),
    ]


async def at_once(address: str) -> list[Figure]:
    """Many streams, each with its own tokens."""
    count, pause = 40, 0.25
    start = time.perf_counter()
    found = await asyncio.gather(*(stream(address, "utility", f"s{n}", count, pause) for n in range(AT_ONCE)))
    took = time.perf_counter() - start
    gaps = [b - a for one in found for a, b in zip(one.times, one.times[1:], strict=False)]
    wrong = sum(not one.whole(count) for one in found)
    mixed = sum(any(not token.startswith(f"{one.mark}-") for token in one.tokens) for one in found)
    return [
        Figure(f"{AT_ONCE} streams at once: broken off or incomplete", wrong, "", 0, "4 tokens a second each, 40 each"),
        Figure(f"{AT_ONCE} streams at once: with another's tokens", mixed, "", 0),
        Figure(f"{AT_ONCE} streams at once: all done after", took, "s", None, f"{count * pause:.0f} s at the mock"),
        Figure("time between tokens, p95", percentile(gaps, 95) * 1e3, "ms", None, f"{pause * 1e3:.0f} at the mock"),
    ]


async def many(address: str, number: int, label: str) -> int:
    """Short requests, some side by side; how many went wrong."""
    wrong = 0
    left = iter(range(number))

    async def worker() -> None:
        nonlocal wrong
        for n in left:
            seen = await stream(address, "utility", f"{label}{n}", 2, 0.0)
            wrong += not seen.whole(2)

    await asyncio.gather(*(worker() for _ in range(SIDE_BY_SIDE)))
    return wrong


async def growth(address: str, pid: int) -> list[Figure]:
    """Memory after many requests, each a conversation of its own that lies idle afterwards."""
    wrong = await many(address, 1000, "w")
    before = memory_mb(pid)
    start = time.perf_counter()
    wrong += await many(address, IDLE, "i")
    idle = memory_mb(pid)
    wrong += await many(address, REQUESTS - IDLE, "l")
    took = time.perf_counter() - start
    after = memory_mb(pid)
    return [
        Figure("memory of the gateway after 1,000 requests", before, "MB"),
        Figure("memory an idle conversation", (idle - before) * 1e3 / IDLE, "kB", None, f"n = {IDLE:,}"),
        Figure(f"growth over {REQUESTS:,} requests", after - before, "MB", 10),
        Figure("of these requests went wrong", wrong, "", 0),
        Figure("requests", REQUESTS / took, "per s", None, f"{SIDE_BY_SIDE} side by side, one worker"),
    ]


def measure(options: Options) -> Result:
    """All of it."""
    del options  # it needs no data
    with tempfile.TemporaryDirectory() as folder, streaming_mock() as mock, gateway(mock, Path(folder)) as (at, pid):

        async def run() -> list[Figure]:
            return [*await first_token(at, mock), *await at_once(at), *await growth(at, pid)]

        return Result("gateway", tuple(asyncio.run(run())))


if __name__ == "__main__":
    given = options_parser(__doc__).parse_args()
    report([measure(Options(given.data, given.work))], given.json)
