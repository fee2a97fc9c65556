"""Group commit: one sync of the spool for all answers that wait for it.

While one sync is under way others gather behind it, so that a slow disk costs each answer at most
two of them, however many there are.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class GroupCommit:
    """Answers wait here until what they tell is on the disk."""

    def __init__(self, sync: Callable[[], None]) -> None:
        """`sync` returns once all that was written before it was called is on the disk."""
        self._sync = sync
        self._thread = ThreadPoolExecutor(1, "commit")
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Wait for a sync that began after this call; raises what it raised."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        if self._task is None:
            self._task = loop.create_task(self._commit_on(loop))
        await waiter

    async def _commit_on(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await loop.run_in_executor(self._thread, self._sync)
            except Exception as error:  # noqa: BLE001 - each of those who wait is told
                outcome: Exception | None = error
            else:
                outcome = None
            for waiter in group:
                if not waiter.done():  # a client may have left meanwhile
                    _settle(waiter, outcome)
        self._task = None


def _settle(waiter: "asyncio.Future[None]", outcome: Exception | None) -> None:
    if outcome is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(outcome)
