"""Each customer is told once, though processes that send and mail servers are killed under them."""

from __future__ import annotations

import asyncio
import random
import sys

from store.database import Pool
from tests.support.mail_server import MailServer, mail_server
from tests.support.told_customers import Desk

ORDERS = 3
LINES = ("confirmed", "label bought", "shipped", "delivered")
TOLD = ORDERS * 4  # of a label nobody is told
SECONDS_MAX = 60.0


async def test_each_mail_is_sent_once_though_senders_and_servers_are_killed(
    pool: Pool, database_url: str
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    received: list[str] = []
    lost = 0
    async with mail_server() as server:
        port = server.port
        desk = Desk(pool, server)
        for _ in range(ORDERS):
            order = await desk.begin()
            for line in LINES:
                await desk.tell(order, line)
        await desk.plan()

    def answer(_: int) -> str | None:
        """Taken, refused for now, or taken and the connection lost."""
        nonlocal lost
        said = chance.choice([None, None, None, "drop", "451 later"])
        lost += said == "drop"
        return said

    async with asyncio.timeout(SECONDS_MAX):
        while set(await desk.states()) != {"sent"}:
            program = [sys.executable, "-m", "tests.support.mail_worker", database_url, str(port)]
            sender = await asyncio.create_subprocess_exec(*program)
            try:
                async with mail_server(port=port) as server:
                    server.to_mail = answer
                    await some_mails(server, desk, chance.randint(3, 6))
                # The server has gone, while the sender goes on, for a moment.
                await asyncio.sleep(chance.uniform(0, 0.1))
            finally:
                sender.kill()  # -9, wherever it is
                await sender.wait()
            received += [str(mail["Message-ID"]) for mail in server.read]
            lost += 1
    rows = await desk.messages.list()
    assert len(rows) == TOLD
    assert {row.mail_id for row in rows} == set(received)
    assert len(set(received)) == TOLD, "no mail has the id of another one"
    # Those alone came twice whose answer nobody heard.
    assert len(received) - TOLD <= lost


async def some_mails(server: MailServer, desk: Desk, count: int) -> None:
    """Until so many have come, or all are sent. What waits is due all the time."""
    while len(server.mails) < count and set(await desk.states()) != {"sent"}:
        await desk.due()
        await asyncio.sleep(0.02)
