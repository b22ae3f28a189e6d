"""S32: whatever is killed, and whenever, each order finishes, with each effect once."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from store import reads
from store.database import DatabaseFault, Pool
from tests.books import faults_in
from tests.builders import a_document
from tests.e2e.stack import (
    COMMAND_SECONDS_MAX,
    STOP_SECONDS_MAX,
    Shell,
    Up,
    assert_no_stack,
    fresh_shell,
    until,
)

ORDERS: Final = 50
PROGRAMS: Final = ("postgres", "temporal", "worker-1")
FINISHED: Final = ("closed", "cancelled")
DONE, REFUSED, UNREACHABLE = 0, 1, 3

ANSWER_SECONDS_MAX: Final = 90.0
FINISH_SECONDS_MAX: Final = 200.0
"""A step whose worker died in a call to a company is tried again after a minute, a label two."""

PLACE: Final = ("place", "orders.jsonl", "--policy", "policy.json", "--wait", "5")
POLICY: Final = {"return_window": "PT15S"}
SIMULATE: Final = (
    *("simulate", "--speed", "15000", "--seed", "32"),
    *("--short-picks", "0.1", "--lost", "0.1", "--undeliverable", "0.1"),
    *("--repeated-scans", "0.2", "--late-scans", "0.2"),
)

# What must be once: for each finding of a query, a line that says what is not.
ONCE: Final = {
    "one capture for each parcel that left": """
        select f.fulfilment_id || ' has ' || count(p.*) from fulfilment f
        join parcel using (fulfilment_id)
        left join payment p on p.payment_key like f.fulfilment_id || ':capture%'
                           and p.state = 'succeeded'
        where parcel.handed_over_at is not null
        group by f.fulfilment_id having count(p.*) <> 1
    """,
    "no capture for a parcel that did not": """
        select payment_key from payment p
        where kind = 'capture' and state = 'succeeded' and not exists (
            select from parcel where handed_over_at is not null
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
        select sku || ': moved ' || moved || ', shipped and not returned ' || gone from (
            select sku, sum(shipped - coalesce(restocked, 0)) as gone
            from order_line left join (
                select order_id, line_id, sum(restocked) as restocked
                from return_line group by order_id, line_id) back using (order_id, line_id)
            group by sku) lines
        join (
            select sku, -sum(on_hand_change) as moved
            from movement where kind in ('shipped', 'returned') group by sku) moves using (sku)
        where moved <> gone
    """,
}


def test_orders_finish_with_each_effect_once_though_everything_is_killed_under_them() -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    with fresh_shell() as shell, simulation(shell) as simulate:
        with shell.up() as up:
            write_orders(shell, chance)
            shell.orderloom("stock", "import", "stock.csv")
            place_under_fire(shell, up, chance)
            simulating = simulate()
            for name in chance.sample(PROGRAMS, len(PROGRAMS)):
                kill_in_the_middle(shell, up, chance, name)
            time.sleep(chance.uniform(0, 2))
            up.kill_everything()
        with shell.up() as up:
            for name in chance.sample(PROGRAMS, len(PROGRAMS)):
                kill_in_the_middle(shell, up, chance, name)
            send_something_back(shell)
            wait_until_finished(shell)
            assert simulating.poll() is None, f"the simulation ended\n{shell.log_tails()}"
            assert shell.ask(findings) == []
            assert shell.orderloom("audit")["clean"]
            assert up.stop() == 0
        assert_no_stack(shell)


def write_orders(shell: Shell, chance: random.Random) -> None:
    """Orders of one to three lines; some of more units than one location has."""
    skus = [f"SKU-{number}" for number in range(6)]
    rows = [f"{sku},{location}" for sku in skus for location in ("main,30", "outlet,200")]
    (shell.folder / "stock.csv").write_text("\n".join(["sku,location,quantity", *rows]))
    documents = []
    for number in range(ORDERS):
        lines = [
            (sku, chance.randint(1, 6), f"{chance.randint(100, 9999) / 100:.2f}")
            for sku in chance.sample(skus, chance.randint(1, 3))
        ]
        documents.append(a_document(*lines, channel_order_id=f"{number:03}"))
    (shell.folder / "orders.jsonl").write_text("\n".join(json.dumps(d) for d in documents))
    (shell.folder / "policy.json").write_text(json.dumps(POLICY))


def place_under_fire(shell: Shell, up: Up, chance: random.Random) -> None:
    """Place the file, again and again, until every order is confirmed."""
    placing = shell.start(*PLACE)
    until(lambda: orders(shell), "the first order")
    time.sleep(chance.uniform(0, 0.5))
    up.kill("worker-1")
    time.sleep(chance.uniform(0, 1.5))
    up.kill("postgres")
    code = placing.wait(COMMAND_SECONDS_MAX)
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while code != DONE or any(row.state == "received" for row in orders(shell)):
        assert code in (DONE, UNREACHABLE), f"place ended with {code}\n{shell.log_tails()}"
        assert time.monotonic() < deadline, f"not all are placed:\n{stuck(shell)}"
        code = shell.start(*PLACE).wait(COMMAND_SECONDS_MAX)
    assert {row.decision for row in orders(shell)} == {"confirmed"}
    assert len(orders(shell)) == ORDERS


def kill_in_the_middle(shell: Shell, up: Up, chance: random.Random, name: str) -> None:
    """kill -9 at some moment while orders are under way, and cancel one of them meanwhile."""
    time.sleep(chance.uniform(0.2, 2.0))
    under_way = [row.order_id for row in orders(shell) if row.state not in FINISHED]
    assert len(under_way) > ORDERS // 5, f"only {len(under_way)} are under way: kill sooner"
    times = up.said(f"{name} was started again")
    up.kill(name)
    order_id = chance.choice(under_way)
    insist(shell, "cancel", order_id, "--reason", "under fire", "--request-id", f"not-{order_id}")
    up.wait_for(f"{name} was started again", times=times + 1)


def send_something_back(shell: Shell) -> None:
    """Ask for returns, of whatever was delivered and can still be sent back."""

    def approved() -> bool:
        return any(
            insist(shell, "return", row.order_id, "--reason", "under fire")
            for row in orders(shell)
            if row.state == "delivered"
        )

    until(approved, "a return that is approved", seconds_max=FINISH_SECONDS_MAX)


def insist(shell: Shell, *command: str) -> bool:
    """Give the same command until it is answered. True: done; False: refused by a rule."""
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while (code := shell.start(*command).wait(COMMAND_SECONDS_MAX)) not in (DONE, REFUSED):
        assert code == UNREACHABLE, f"{command} ended with {code}\n{shell.log_tails()}"
        assert time.monotonic() < deadline, f"{command} is not answered\n{shell.log_tails()}"
    return code == DONE


def wait_until_finished(shell: Shell) -> None:
    """Until every order has ended; tells where the others are stuck."""
    deadline = time.monotonic() + FINISH_SECONDS_MAX
    while any(row.state not in FINISHED for row in orders(shell)):
        assert time.monotonic() < deadline, f"orders are stuck:\n{stuck(shell)}"
        time.sleep(0.5)


def stuck(shell: Shell) -> str:
    """Where the unfinished orders stand, what the first ones wait for, and the last log lines."""
    left = [row for row in orders(shell) if row.state not in FINISHED]
    told = [f"{row.order_id} is {row.state}, attention: {row.attention}" for row in left]
    for row in left[:3]:
        story = shell.read(lambda conn, row=row: reads.story(conn, row.order_id))  # type: ignore[misc]
        waits = shell.temporal("workflow", "describe", "--workflow-id", f"order:{row.order_id}")
        told += [f"--- {row.order_id}"]
        told += [f"{event.at:%H:%M:%S} {event.what}: {event.why}" for event in story[-5:]]
        told += [json.dumps(waits.get("pendingActivities"), indent=1)]
    return "\n".join([*told, shell.log_tails()])


def orders(shell: Shell) -> list[reads.OrderSummary]:
    """All orders, once the database answers."""

    def find() -> list[list[reads.OrderSummary]] | None:
        with suppress(*DatabaseFault):
            return [shell.read(lambda conn: reads.summaries(conn, at_most=1000))]
        return None

    return until(find, "the database answers")[0]


async def findings(pool: Pool) -> list[str]:
    """Whatever is not once, and whatever else is wrong in the books."""
    async with pool.acquire() as conn:
        doubled = [
            f"{rule}: {row[0]}" for rule, query in ONCE.items() for row in await conn.fetch(query)
        ]
    return doubled + await faults_in(pool)


@contextmanager
def simulation(shell: Shell) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts `orderloom simulate`; it is stopped at the end, and must then have gone well."""
    running: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        running.append(shell.start(*SIMULATE))
        return running[0]

    try:
        yield start
    finally:
        for process in running:
            process.terminate()
            assert process.wait(STOP_SECONDS_MAX) == 0, shell.log_tails()
