"""LangGraph's SQLite checkpointer, which cannot prune, taught to: apart, as importing it takes a while."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

_OLD_WRITES: Final = """
DELETE FROM writes WHERE thread_id = ?1 AND checkpoint_id < (
    SELECT MAX(last.checkpoint_id) FROM checkpoints AS last
    WHERE last.thread_id = ?1 AND last.checkpoint_ns = writes.checkpoint_ns)
"""
_OLD_CHECKPOINTS: Final = """
DELETE FROM checkpoints WHERE thread_id = ?1 AND checkpoint_id < (
    SELECT MAX(last.checkpoint_id) FROM checkpoints AS last
    WHERE last.thread_id = ?1 AND last.checkpoint_ns = checkpoints.checkpoint_ns)
"""


class PruningSqliteSaver(AsyncSqliteSaver):
    """The checkpointer."""

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Forget all but the last checkpoint of each thread and namespace (`keep_latest`), or all of them (`delete`).

        Raises:
            ValueError: there is no such strategy.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"there is no strategy `{strategy}`: choose `keep_latest` or `delete`")
        if strategy == "delete":
            for thread in thread_ids:
                await self.adelete_thread(thread)
            return
        async with self.lock:
            for thread in thread_ids:
                # The writes first: which of them are old is told by the checkpoints.
                for old in (_OLD_WRITES, _OLD_CHECKPOINTS):
                    await self.conn.execute(old, (thread,))
            await self.conn.commit()
