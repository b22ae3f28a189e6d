"""Group commit, without a database: who is written with whom, and who hears what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from store.batching import Batching

CALLER: ContextVar[str] = ContextVar("CALLER", default="nobody")


class Away(Exception):
    """Nothing could be written now."""


class Book:
    """Writes a batch once it is let. An ask is what it contends for and a number: "AB2"."""

    def __init__(self, *, size_max: int = 10, writers_max: int = 2) -> None:
        self.begun: list[str] = []
        self.callers: list[str] = []
        self.refused: dict[str, Exception] = {}
        self._gates: list[asyncio.Event] = []
        self.batching = Batching(
            self.write,
            rivals_over=lambda ask: ask.rstrip("0123456789"),
            size=lambda ask: len(ask.rstrip("0123456789")),
            size_max=size_max,
            writers_max=writers_max,
            hopeless=(Away,),
        )

    async def write(self, asks: Sequence[str]) -> list[str]:
        self.begun.append(" ".join(asks))
        self.callers.append(CALLER.get())
        gate = asyncio.Event()
        self._gates.append(gate)
        await gate.wait()
        for ask in asks:
            if ask in self.refused:
                raise self.refused[ask]
        return [f"{ask} done" for ask in asks]

    async def asked(self, *asks: str) -> list[asyncio.Task[str]]:
        tasks = [asyncio.create_task(self.batching.answer(ask)) for ask in asks]
        await turns()
        return tasks

    async def let(self, number: int = 0) -> None:
        """The batch that began as the `number`-th of those under way is written."""
        self._gates.pop(number).set()
        await turns()

    async def let_all(self) -> None:
        while self._gates:
            await self.let()


async def turns() -> None:
    """Everything that can go on does, as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def answers(tasks: Sequence[asyncio.Task[str]]) -> list[object]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_alone_is_written_at_once_and_who_come_meanwhile_are_written_together() -> None:
    book = Book(size_max=3)
    tasks = await book.asked("A1")
    assert book.begun == ["A1"]
    tasks += await book.asked("A2", "A3", "A4", "A5")
    assert book.begun == ["A1"]
    await book.let()
    assert book.begun == ["A1", "A2 A3 A4"]
    await book.let_all()
    assert book.begun == ["A1", "A2 A3 A4", "A5"]
    assert await answers(tasks) == [f"A{n} done" for n in range(1, 6)]


async def test_a_large_one_waits_for_room_and_one_that_never_fits_goes_alone() -> None:
    book = Book(size_max=3)
    tasks = await book.asked("A1")
    tasks += await book.asked("AB2", "AB3", "A4", "ABCD5", "A6")
    await book.let_all()
    # A4 would fit beside AB2, but does not overtake AB3.
    assert book.begun == ["A1", "AB2", "AB3 A4", "ABCD5", "A6"]
    assert len(await answers(tasks)) == 6


async def test_others_go_on_beside_a_batch_and_nobody_overtakes_a_rival() -> None:
    book = Book(writers_max=2)
    tasks = await book.asked("A1")
    tasks += await book.asked("AB2", "B3", "C4")
    # B3 has a rival before it that waits for A1; C4 has none.
    assert book.begun == ["A1", "C4"]
    tasks += await book.asked("D5")
    assert book.begun == ["A1", "C4"], "two at once are as many as may be"
    await book.let()
    assert book.begun == ["A1", "C4", "AB2 B3 D5"]
    await book.let_all()
    assert await answers(tasks) == ["A1 done", "AB2 done", "B3 done", "C4 done", "D5 done"]


async def test_a_bad_one_fails_alone() -> None:
    book = Book()
    book.refused["A3"] = ValueError("bad")
    tasks = await book.asked("A1")
    tasks += await book.asked("A2", "A3", "A4")
    await book.let_all()
    assert book.begun == ["A1", "A2 A3 A4", "A2", "A3", "A4"]
    first, second, bad, last = await answers(tasks)
    assert (first, second, last) == ("A1 done", "A2 done", "A4 done")
    assert isinstance(bad, ValueError)


async def test_what_would_fail_for_all_is_not_tried_again_for_each() -> None:
    book = Book()
    book.refused["A3"] = Away()
    tasks = await book.asked("A1")
    tasks += await book.asked("A2", "A3")
    await book.let_all()
    assert book.begun == ["A1", "A2 A3"]
    _, *failures = await answers(tasks)
    assert failures == [book.refused["A3"]] * 2


async def test_whoever_is_cancelled_leaves_the_others_as_they_are() -> None:
    book = Book()
    tasks = await book.asked("A1")
    tasks += await book.asked("A2", "A3", "A4")
    tasks[0].cancel()  # is being written
    tasks[2].cancel()  # waits
    await book.let()
    tasks[1].cancel()  # by now it is being written, too
    await book.let_all()
    assert book.begun == ["A1", "A2 A4"]
    assert [task.cancelled() for task in tasks] == [True, True, True, False]
    assert await tasks[3] == "A4 done"


async def test_a_cancelled_one_of_a_bad_batch_is_not_written_alone() -> None:
    book = Book()
    book.refused["A2"] = ValueError("bad")
    tasks = await book.asked("A1")
    tasks += await book.asked("A2", "A3")
    await book.let()
    tasks[2].cancel()
    await book.let_all()
    assert book.begun == ["A1", "A2 A3", "A2"]
    with pytest.raises(ValueError, match="bad"):
        await tasks[1]


async def test_a_batch_belongs_to_nobody_who_is_in_it() -> None:
    book = Book()
    CALLER.set("the first")
    tasks = await book.asked("A1")
    await book.let_all()
    assert await answers(tasks) == ["A1 done"]
    assert book.callers == ["nobody"]


async def test_nobody_is_left_waiting_when_the_program_ends() -> None:
    book = Book()
    tasks = await book.asked("A1")
    for writing in asyncio.all_tasks() - {asyncio.current_task(), *tasks}:
        writing.cancel()
    await turns()
    assert [task.cancelled() for task in tasks] == [True]
