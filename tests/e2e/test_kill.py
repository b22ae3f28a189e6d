"""S32: whatever is killed, and whenever, each order finishes, with each effect once.

Who subscribes to its events gets each of them, in sequence, though he says no to every tenth.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from store.database import DatabaseFault, Pool
from store.views import lists, reads
from tests.e2e.stack import (
    STOP_SECONDS_MAX,
    Shell,
    Up,
    assert_no_stack,
    fresh_shell,
    until,
)
from tests.support.books import faults_in
from tests.support.builders import a_document
from tests.support.receiver import EveryTenth, Receiver, missing_in, receiving_beside

ORDERS: Final = 30
BATCHES: Final = 5
PROGRAMS: Final = ("postgres", "temporal", "worker-1")
TO_THIS_MACHINE: Final = {
    "ORDERLOOM_WEBHOOK_TARGETS_ALLOW": "127.0.0.0/8,::1/128",
    "ORDERLOOM_WEBHOOK_TARGETS_HTTP": "true",
}
FINISHED: Final = ("closed", "cancelled")
DONE, REFUSED, UNREACHABLE = 0, 1, 3

ANSWER_SECONDS_MAX: Final = 120.0
FINISH_SECONDS_MAX: Final = 180.0
"""A step whose worker died in a call to a company is tried again after a minute."""

POLICY: Final = {"return_window": "PT10S"}
SIMULATE: Final = (
    *("simulate", "--speed", "30000", "--seed", "32"),
    *("--short-picks", "0.1", "--lost", "0.1", "--undeliverable", "0.1"),
    *("--repeated-scans", "0.2", "--late-scans", "0.2"),
)

# What must be once: for each finding of a query, a line that says what is not.
ONCE: Final = {
    # What is sent in place of a lost parcel is paid for already.
    "one capture for each parcel that left": """
        select f.fulfilment_id || ' has ' || count(p.*) from fulfilment f
        join shipment using (order_no, fulfilment_id)
        left join payment p on p.payment_key like f.fulfilment_id || ':capture%'
                           and p.state = 'succeeded'
        where shipment.handed_over_at is not null
        group by f.fulfilment_id, f.order_no
        having count(p.*) > 1 or count(p.*) = 0 and not exists (
            select from shipment l where l.order_no = f.order_no and l.carrier_status = 'failure')
    """,
    "no capture for a parcel that did not": """
        select payment_key from payment p
        where kind = 'capture' and state = 'succeeded' and not exists (
            select from shipment where handed_over_at is not null
            and p.payment_key like fulfilment_id || ':capture%')
    """,
    "the provider did what we recorded, and nothing else": """
        select coalesce(payment_key, key) from
            (select * from payment where state = 'succeeded' and amount_minor > 0) ours
        full join (select * from sandbox.payment_call where code is null) theirs
            on key = payment_key and theirs.kind = ours.kind
           and theirs.amount_minor = ours.amount_minor and theirs.order_id = ours.order_id
        where key is null or payment_key is null
    """,
    "each unit left the shelf once, and came back once": """
        with move as (
            select sku, coalesce(-sum(on_hand_change) filter (where kind = 'shipped'), 0) as went,
                   coalesce(sum(on_hand_change) filter (where kind = 'returned'), 0) as came
            from movement group by sku
        ), sent as (
            select sku, sum(picked) as units from fulfilment_line
            join shipment using (order_no, fulfilment_id)
            where handed_over_at is not null group by sku
        ), counted as (
            select sku, sum(restocked + scrapped) as units from return_line group by sku
        )
        select sku || ': ' || went || ' left, ' || came || ' came back'
        from move left join sent using (sku) left join counted using (sku)
        where went <> coalesce(sent.units, 0) or came <> coalesce(counted.units, 0)
    """,
}


def test_orders_finish_with_each_effect_once_though_everything_is_killed_under_them() -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    with fresh_shell() as shell, receiving_beside(EveryTenth()) as receiver:
        shell.environment |= TO_THIS_MACHINE
        batches = iter(write_orders(shell, chance))
        with shell.up() as up:
            shell.orderloom("stock", "import", "stock.csv")
            shell.orderloom("webhooks", "add", receiver.url)
            insist(shell, *place(next(batches)))
            simulating = start_simulating(shell)
            for name in chance.sample(PROGRAMS, len(PROGRAMS)):
                kill_in_the_middle(shell, up, chance, name, next(batches))
            batch = next(batches)
            with placing(shell, batch):
                time.sleep(chance.uniform(0.3, 2.5))
                up.kill_everything()
        with shell.up() as up:
            insist(shell, *place(batch))
            wait_until_finished(shell, simulating)
            assert len(orders(shell)) == ORDERS
            assert not (found := shell.ask(findings)), "\n".join(found)
            assert shell.orderloom("audit")["clean"]
            wait_until_received(shell, receiver)
            simulating.terminate()
            assert simulating.wait(STOP_SECONDS_MAX) == DONE, shell.log_tails()
            assert up.stop() == 0
        assert_no_stack(shell)


def write_orders(shell: Shell, chance: random.Random) -> list[Path]:
    """Stock, and files of orders that together ask for more than `main` has. Returns the files."""
    skus = [f"SKU-{number}" for number in range(6)]
    rows = [f"{sku},{location}" for sku in skus for location in ("main,30", "outlet,200")]
    (shell.folder / "stock.csv").write_text(
        "\n".join(["sku,location,quantity", *rows]), encoding="utf-8"
    )
    (shell.folder / "policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
    files = [shell.folder / f"orders-{number}.jsonl" for number in range(BATCHES)]
    for number in range(ORDERS):
        lines = [
            (sku, chance.randint(1, 6), f"{chance.randint(100, 9999) / 100:.2f}")
            for sku in chance.sample(skus, chance.randint(1, 3))
        ]
        document = a_document(*lines, channel_order_id=f"{number:03}")
        with files[number % BATCHES].open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
    return files


def start_simulating(shell: Shell) -> subprocess.Popen[str]:
    """`orderloom simulate`, once it is at work."""
    simulating = shell.start(*SIMULATE)
    until(lambda: (shell.folder / "simulate.log").stat().st_size, "a first report")
    return simulating


def kill_in_the_middle(shell: Shell, up: Up, chance: random.Random, name: str, batch: Path) -> None:
    """kill -9 while some orders are placed, others are sent, cancelled and returned."""
    before = len(orders(shell))
    with placing(shell, batch):
        # The first order of this batch is there, the others come; a slow machine takes its time.
        until(lambda: len(orders(shell)) > before, "an order is placed")
        time.sleep(chance.uniform(0, 1.5))
        times = up.said(f"{name} was started again")
        up.kill(name)
        known = orders(shell)
        under_way = [row.order_id for row in known if row.state in ("confirmed", "in_fulfilment")]
        delivered = [row.order_id for row in known if row.state == "delivered"]
        if under_way:
            insist(shell, "cancel", chance.choice(under_way), "--reason", "under fire")
        if delivered:
            insist(shell, "return", chance.choice(delivered), "--reason", "under fire")
    insist(shell, *place(batch))
    up.wait_for(f"{name} was started again", times=times + 1, seconds_max=60)


@contextmanager
def placing(shell: Shell, batch: Path) -> Iterator[None]:
    """Inside, the orders of a file are placed. The command must end: done, or told to come back."""
    with ThreadPoolExecutor() as beside:
        command = beside.submit(shell.run, *place(batch))
        yield
        assert command.result().code in (DONE, UNREACHABLE), shell.log_tails()


def place(batch: Path) -> tuple[str, ...]:
    return ("place", batch.name, "--policy", "policy.json", "--wait", "5")


def insist(shell: Shell, *command: str) -> None:
    """Give the same command until it is answered: done, or refused by a rule."""
    if command[0] != "place":
        command = (*command, "--request-id", f"{command[0]}-{command[1]}")
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while (code := shell.run(*command).code) not in (DONE, REFUSED):
        assert code == UNREACHABLE, f"{command} ended with {code}\n{shell.log_tails()}"
        assert time.monotonic() < deadline, f"{command} is not answered\n{shell.log_tails()}"


def wait_until_finished(shell: Shell, simulating: subprocess.Popen[str]) -> None:
    """Until every order has ended; tells where the others are stuck."""
    deadline = time.monotonic() + FINISH_SECONDS_MAX
    while any(row.state not in FINISHED for row in orders(shell)):
        assert simulating.poll() is None, f"the simulation ended\n{shell.log_tails()}"
        assert time.monotonic() < deadline, f"orders are stuck:\n{stuck(shell)}"
        time.sleep(0.5)


def wait_until_received(shell: Shell, receiver: Receiver) -> None:
    """Until the subscriber has every event there is: the order's sequence is that of its story."""

    async def missing(pool: Pool) -> list[str]:
        return await missing_in(receiver, pool)

    deadline = time.monotonic() + FINISH_SECONDS_MAX
    while found := shell.ask(missing):
        told = "\n".join(found)
        assert time.monotonic() < deadline, f"events are missing:\n{told}\n{shell.log_tails()}"
        time.sleep(0.5)
    events = shell.ask(lambda pool: pool.fetchval("select count(*) from event_out"))
    assert len({got.headers["webhook-id"] for got in receiver.taken}) == events > 5 * ORDERS
    assert shell.orderloom("webhooks", "dead")["dead"] == []


def stuck(shell: Shell) -> str:
    """Where the unfinished orders stand, what the first ones wait for, and the last log lines."""
    left = [row for row in orders(shell) if row.state not in FINISHED]
    told = [f"{row.order_id} is {row.state}, attention: {row.attention}" for row in left]
    for row in left[:3]:
        story = shell.read(partial(reads.story, order_id=row.order_id))
        waits = shell.temporal("workflow", "describe", "--workflow-id", f"order:{row.order_id}")
        told += [f"--- {row.order_id}"]
        told += [f"{event.at:%H:%M:%S} {event.what}: {event.why}" for event in story[-5:]]
        told += [json.dumps(waits.get("pendingActivities"), indent=1)]
    return "\n".join([*told, shell.log_tails()])


def orders(shell: Shell) -> list[reads.OrderSummary]:
    """All orders, once the database answers."""

    def find() -> list[list[reads.OrderSummary]] | None:
        with suppress(*DatabaseFault):
            return [shell.read(lambda conn: lists.summaries(conn, at_most=1000))]
        return None

    return until(find, "the database answers")[0]


async def findings(pool: Pool) -> list[str]:
    """Whatever is not once, and whatever else is wrong in the books."""
    async with pool.acquire() as conn:
        doubled = [
            f"{rule}: {row[0]}" for rule, query in ONCE.items() for row in await conn.fetch(query)
        ]
    return doubled + await faults_in(pool)
