"""How many examples run at once."""

from __future__ import annotations

import asyncio

from wardround.evals.limiter import Limiter


async def worked(limiter: Limiter, times: int) -> None:
    for _ in range(times):
        await limiter.acquire()
        limiter.release(succeeded=True)


async def settled() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_it_doubles_up_to_its_ceiling() -> None:
    async def check() -> list[int]:
        limiter = Limiter(start=2, ceiling=20)
        seen: list[int] = []
        for _ in range(5):
            await worked(limiter, limiter.limit)
            seen.append(limiter.limit)
        return seen

    assert asyncio.run(check()) == [4, 8, 16, 20, 20]


def test_a_rate_limit_takes_a_fifth_and_growth_is_slow_from_then_on() -> None:
    async def check() -> tuple[int, int, int]:
        limiter = Limiter(start=20, ceiling=64)
        limiter.complain(0)
        await settled()
        fallen = limiter.limit
        await worked(limiter, 4 * fallen - 1)
        before = limiter.limit
        await worked(limiter, 1)
        return fallen, before, limiter.limit

    assert asyncio.run(check()) == (16, 16, 17)


def test_complaints_at_one_time_count_as_one() -> None:
    async def check() -> int:
        limiter = Limiter(start=20, ceiling=64)
        for _ in range(10):
            limiter.complain(0)
        await settled()
        return limiter.limit

    assert asyncio.run(check()) == 16


def test_it_never_falls_below_one() -> None:
    async def check() -> int:
        limiter = Limiter(start=1, ceiling=4)
        limiter.complain(0)
        await settled()
        return limiter.limit

    assert asyncio.run(check()) == 1


def test_nobody_begins_before_the_time_the_server_asked_for() -> None:
    async def check() -> float:
        limiter = Limiter(start=4, ceiling=4)
        limiter.complain(0.2)
        await settled()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await limiter.acquire()
        return loop.time() - begin

    assert asyncio.run(check()) >= 0.15


def test_a_complaint_may_come_from_another_thread() -> None:
    async def check() -> int:
        limiter = Limiter(start=10, ceiling=10)
        await asyncio.to_thread(limiter.complain, 0.0)
        await settled()
        return limiter.limit

    assert asyncio.run(check()) == 8
