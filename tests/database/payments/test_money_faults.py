"""Every money call × every fault: in the end there is one effect, and the books say what it is.

An order lives through a life of money calls. What each call leaves behind when nothing befalls it
is written down as sums, and compared as a whole with what it leaves behind after each fault.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, get_args

import pytest

from activities.payments.contracts import Capture, Refund, Void
from activities.payments.provider import PaymentProvider
from activities.providers.sandbox.payment import Card, SandboxPayment
from activities.providers.store_credit import StoreCredit
from domain import ids
from domain.money import Money
from domain.orders.amounts import Worth, value_lines
from domain.orders.order import Order
from domain.payments.cover import Need
from store.database import open_pool
from store.views import audit
from tests.support.bench import Bench, authorizing
from tests.support.books import faults_in
from tests.support.builders import a_document, shipping
from tests.support.mishaps import OF_THE_ACTIVITY, Fault, Mishap, Worker, once
from tests.support.servers import Databases

TOTAL = 49_92
FIRST, SECOND = 24_95, 24_97
"""What the two parcels are worth: the odd cents are in the second."""
CREDIT = 15_00

FAULTS: tuple[Fault, ...] = get_args(Fault)[1:]
ONE_OF_A_KIND: tuple[Fault, ...] = (
    "answer lost",
    "dies as it records",
    "hangs after the call, and another worker takes over",
    "called by two workers at once",
)
"""What befalls the calls where the settings lie between the simplest and the richest one: the call
is lost, its worker dies, and two workers meet, once after the other and once at the same time."""
AT_ONCE = 4

Call = Callable[[Worker], Awaitable[Any]]


@dataclass(frozen=True)
class Setting:
    """How the order is paid: with store credit first, or with the card alone.

    `once`: the card's company charges an authorization once, so that each parcel has its own.
    """

    name: str
    credit: bool
    once: bool
    token: str = Card.OK


CARD = Setting("card", credit=False, once=False)
CREDIT_AND_CARD = Setting("credit and card", credit=True, once=False)
SETTINGS = (
    CARD,
    Setting("card, charged once", credit=False, once=True),
    CREDIT_AND_CARD,
    Setting("credit and card, charged once", credit=True, once=True),
)


SECOND_PARCEL = """
    insert into fulfilment (fulfilment_id, order_no, location, state)
    select $1 || ':2', order_no, location, state from fulfilment where order_no = order_no_of($1)
"""


class Shop:
    """A database with a full shelf and a customer with credit; its companies fail only as told."""

    def __init__(self, bench: Bench, token: str) -> None:
        self.bench = bench
        self.token = token

    def worker(self, setting: Setting, mishap: Mishap) -> Worker:
        sandbox = SandboxPayment(
            self.bench.pool,
            random=Random(1),
            captures="once" if setting.once else "several",
        )
        providers: dict[str, PaymentProvider] = {
            "sandbox": sandbox,
            "store_credit": StoreCredit(self.bench.pool),
        }
        return Worker(self.bench.pool, providers, mishap)

    async def order(self, setting: Setting) -> Order:
        """Four units whose amounts do not divide, in two parcels."""
        document = a_document(("TEA", 4, "9.99"), shipping=shipping("5.00", "0.95"))
        document["lines"][0]["tax"] = "4.01"
        document["payment"]["token"] = setting.token
        if setting.credit:
            credit = {"provider": "store_credit", "token": self.token, "amount": "15.00"}
            document["tenders"] = [credit]
        order = Order.model_validate(document)
        assert order.total_minor == TOTAL
        await self.bench.reserve(order)
        await self.bench.pool.execute(SECOND_PARCEL, order.order_id)
        return order


# Steps -------------------------------------------------------------------------------------------


def authorize(_: Shop, __: Setting, order: Order, *, ahead: bool = False) -> Call:
    parts = {ids.fulfilment_id(order.order_id, n): worth for n, worth in ((1, FIRST), (2, SECOND))}
    if ahead:
        parts = {ids.prepaid_id(order.order_id): TOTAL}
    needs = tuple(Need(part, amount, amount) for part, amount in parts.items())
    ask = authorizing(order, needs=needs)
    return lambda worker: worker.authorizations.authorize_payment(ask)


def secure(_: Shop, __: Setting, order: Order, *, amount: int) -> Call:
    """See to it that so much can be charged for the first parcel in the next three days.

    The other one is still to be sent, too.
    """
    first, second = (ids.fulfilment_id(order.order_id, number) for number in (1, 2))
    ask = authorizing(
        order,
        needs=(Need(first, amount, amount), Need(second, SECOND, SECOND)),
        parts=(first,),
        until=datetime.now(UTC) + timedelta(days=3),
    )
    return lambda worker: worker.authorizations.authorize_payment(ask)


def capture(_: Shop, __: Setting, order: Order, *, number: int, **fields: Any) -> Call:
    line = value_lines(order)["1"]
    half = line.first(2)
    ask = Capture(
        order_id=order.order_id,
        fulfilment_id=ids.fulfilment_id(order.order_id, number),
        worth=half if number == 1 else line.whole - half,
        currency="USD",
        units={"1": 2},
        **fields,
    )
    return lambda worker: worker.payments.charge_payment(ask)


def capture_ahead(_: Shop, __: Setting, order: Order) -> Call:
    ask = Capture(
        order_id=order.order_id,
        fulfilment_id=ids.prepaid_id(order.order_id),
        worth=value_lines(order)["1"].whole,
        currency="USD",
        units={"1": 4},
        prepaid=True,
    )
    return lambda worker: worker.payments.charge_payment(ask)


def refund(_: Shop, __: Setting, order: Order, *, units: int, **fields: Any) -> Call:
    """Pay back all four units; or three of them first, and then the last one."""
    line = value_lines(order)["1"]
    worth = line.first(1) if units == 1 else line.whole - line.first(4 - units)
    ask = Refund(
        order_id=order.order_id,
        refund_id=f"{order.order_id}:R{units}",
        worth=worth,
        currency="USD",
        units={"1": units},
        why="test",
        **{"credited": worth} | fields,
    )
    return lambda worker: worker.payments.refund_payment(ask)


def void(_: Shop, __: Setting, order: Order) -> Call:
    ask = Void(order_id=order.order_id, why="test")
    return lambda worker: worker.authorizations.void_payment(ask)


@dataclass(frozen=True)
class Step:
    """A money call of an order's workflow. `ages`: earlier authorizations are days old after it.

    `leaves`: the order's sums after it, in each setting: authorized, captured, refunded, released.
    `befallen`: faults befall it. `unheard`: it is called once, and its last answer does not come.
    """

    call: str
    of: Callable[[Shop, Setting, Order], Call]
    leaves: tuple[tuple[int, int, int, int], ...]
    ages: bool = False
    befallen: bool = True
    unheard: bool = False


@dataclass(frozen=True)
class Life:
    """What an order lives through: each step is befallen by the same fault."""

    settings: tuple[Setting, ...]
    steps: tuple[Step, ...]


# The amounts that are authorized for certain when the last answer is lost: all but the last one.
UNHEARD = tuple((done, 0, 0, 0) for done in (0, FIRST, CREDIT, FIRST))

# By setting: all that the card was to pay is renewed, or what of it was for the first parcel.
RENEWED = (TOTAL, FIRST, TOTAL - CREDIT, FIRST - CREDIT)
# The amounts that are authorized besides, when a parcel became dearer. If another has its own, that
# does not count.
ADDED = (1_00, SECOND + 1_00, 1_00, SECOND + 1_00)


def renewed(steps: int) -> tuple[tuple[int, int, int, int], ...]:
    """The sums after the renewal, and so many steps more."""
    leaves = []
    for setting, again, added in zip(SETTINGS, RENEWED, ADDED, strict=True):
        authorized = TOTAL + again + (added if steps >= 1 else 0)
        charged = FIRST if steps >= 2 else 0
        released = again
        if steps == 2 and setting.once:  # what one capture does not take of an authorization
            released += added - CREDIT if setting.credit else 0
        leaves.append((authorized, charged, 0, authorized - charged if steps == 3 else released))
    return tuple(leaves)


LIVES = {
    "sent and given back": Life(
        SETTINGS,
        (
            Step("authorize", authorize, ((TOTAL, 0, 0, 0),) * 4),
            Step("capture", partial(capture, number=1), ((TOTAL, FIRST, 0, 0),) * 4),
            Step("capture", partial(capture, number=2), ((TOTAL, TOTAL, 0, 0),) * 4),
            Step("refund", partial(refund, units=3), ((TOTAL, TOTAL, 37_45, 0),) * 4),
            Step(
                "refund",
                partial(refund, units=1, to="store_credit"),
                ((TOTAL, TOTAL, TOTAL, 0),) * 4,
            ),
        ),
    ),
    "renewed, and the rest released": Life(
        SETTINGS,
        (
            Step(
                "authorize",
                authorize,
                ((TOTAL, 0, 0, 0),) * 4,
                ages=True,
                befallen=False,
            ),
            Step("secure", partial(secure, amount=FIRST), renewed(0)),
            Step("secure", partial(secure, amount=TOTAL + 1_00), renewed(1)),
            Step("capture", partial(capture, number=1), renewed(2)),
            Step("void", void, renewed(3)),
        ),
    ),
    "charged ahead and cancelled": Life(
        (CARD, CREDIT_AND_CARD),
        (
            Step(
                "authorize",
                partial(authorize, ahead=True),
                ((TOTAL, 0, 0, 0),) * 2,
                befallen=False,
            ),
            Step("capture", capture_ahead, ((TOTAL, TOTAL, 0, 0),) * 2),
            Step(
                "refund",
                partial(refund, units=4, kind="cancelled", credited=Worth()),
                ((TOTAL, TOTAL, TOTAL, 0),) * 2,
            ),
        ),
    ),
    "charged by hand where the card refuses": Life(
        (replace(CREDIT_AND_CARD, token=Card.CAPTURE_REFUSED),),
        (
            Step("authorize", authorize, ((TOTAL, 0, 0, 0),), befallen=False),
            Step("capture", partial(capture, number=1), ((TOTAL, CREDIT, 0, 0),)),
            Step("capture", partial(capture, number=1, attempt=2), ((TOTAL, CREDIT, 0, 0),)),
            Step(
                "capture",
                partial(capture, number=1, attempt=3, by_hand="paid in cash"),
                ((TOTAL + FIRST - CREDIT, FIRST, 0, 0),),
            ),
            Step("void", void, ((TOTAL + FIRST - CREDIT, FIRST, 0, TOTAL - CREDIT),)),
        ),
    ),
    "paid back as credit where the card refuses": Life(
        (replace(CREDIT_AND_CARD, token=Card.REFUND_REFUSED),),
        (
            Step("authorize", authorize, ((TOTAL, 0, 0, 0),), befallen=False),
            Step("capture", partial(capture, number=1), ((TOTAL, FIRST, 0, 0),), befallen=False),
            Step("capture", partial(capture, number=2), ((TOTAL, TOTAL, 0, 0),), befallen=False),
            # The card paid 34.92 of it, and the credit the rest.
            Step("refund", partial(refund, units=3), ((TOTAL, TOTAL, 2_53, 0),)),
            Step("refund", partial(refund, units=3, attempt=2), ((TOTAL, TOTAL, 2_53, 0),)),
            Step(
                "refund",
                partial(refund, units=3, attempt=3, to="store_credit"),
                ((TOTAL, TOTAL, 37_45, 0),),
            ),
        ),
    ),
    "given up": Life(
        SETTINGS,
        (
            Step("authorize", authorize, UNHEARD, befallen=False, unheard=True),
            Step("void", void, ((TOTAL, 0, 0, TOTAL),) * 4),
        ),
    ),
}


# What is left behind -----------------------------------------------------------------------------

PICTURE = """
    select 'order', row(decision)::text from customer_order where order_id = $1
    union all
    select 'sums', row(authorized, capture_granted, captured, refund_granted, refunded, released,
                       disputed, voided)::text
    from order_money where order_no = order_no_of($1)
    union all
    select 'payment', row(payment_key, kind, amount_minor, currency, state, provider, code, tender,
                          reference is null, authorization_key, part_of, capture_granted, captured,
                          refund_granted, refunded, released)::text
    from payment where order_id = $1
    union all
    select 'refund', row(refund_id, kind, units, amount_minor, credited_minor, issued_minor)::text
    from refund where order_no = order_no_of($1)
    union all
    select 'line', row(line_id, charged, refunded, invoiced, conceded)::text
    from order_line where order_no = order_no_of($1)
    union all
    select 'document', row(kind, part_id, goods_minor, tax_minor, shipping_minor,
                           shipping_tax_minor)::text
    from document where order_no = order_no_of($1)
    union all
    select 'journal', row(effect, account, amount_minor)::text
    from posting join journal_entry using (entry_id)
    where order_no = order_no_of($1)
    union all
    select 'story', row(effect, what, why)::text from order_event
    where order_no = order_no_of($1)
    union all
    select 'at the company', row(key, kind, amount_minor, code)::text
    from sandbox.payment_call where starts_with(key, $1 || ':')
    union all
    select 'in store credit', row(key, kind, amount_minor, code)::text
    from credit_operation where order_id = $1
"""

AGE = """
    with ends as (
        update payment_authorization set expires_at = expires_at - interval '5 days'
        where order_no = order_no_of($1)
    )
    update payment_operation set requested_at = requested_at - interval '5 days'
    where order_no = order_no_of($1) and kind = 'authorize'
"""

SUMS = (
    "select authorized, captured, refunded, released from order_money "
    "where order_no = order_no_of($1)"
)

Picture = list[tuple[str, str]]


@dataclass(frozen=True)
class After:
    """What a step left behind, and how many calls to companies it made. The order is `web-0`."""

    sums: tuple[int, ...]
    picture: Picture
    calls: int


async def after(shop: Shop, order: Order, calls: int) -> After:
    async with shop.bench.pool.acquire() as conn:
        sums = await conn.fetchrow(SUMS, order.order_id)
        rows = await conn.fetch(PICTURE, order.order_id)
    assert sums is not None
    named = sorted((row[0], row[1].replace(order.order_id, "web-0")) for row in rows)
    return After(tuple(sums), named, calls)


async def lived(
    shop: Shop, life: Life, setting: Setting, fault: Fault = "nothing", number: int = 1
) -> list[After]:
    """Live a life, in which the fault befalls the same call of each step: the first, second…"""
    order = await shop.order(setting)
    left = []
    for step in life.steps:
        mishap = Mishap(fault, number) if step.befallen else Mishap()
        if step.unheard:
            mishap = Mishap("answer and two look-ups lost", 1 + setting.credit + setting.once)
        worker = shop.worker(setting, mishap)
        attempt = partial(step.of(shop, setting, order), worker)
        await (once(attempt) if step.unheard else mishap.through(attempt))
        left.append(await after(shop, order, 0 if step.unheard else len(mishap.keys)))
        if step.ages:
            await shop.bench.pool.execute(AGE, order.order_id)
    return left


@pytest.fixture(scope="module")
async def shop(databases: Databases) -> AsyncIterator[Shop]:
    """One database for all of these tests: every life is of an order of its own."""
    async with databases.fresh() as url:
        pool = await open_pool(url)
        bench = Bench(pool)
        await bench.stocked("TEA", 100_000)
        plenty = Money(minor=1_000_000_00, currency="USD")
        account = await bench.credit.grant("G-1", "C-1", plenty, who="test", why="test")
        yield Shop(bench, account.account_id)
        pool.terminate()


TRIED: dict[str, dict[str, int]] = {
    "sent and given back": {"authorize": 70, "capture": 92, "refund": 108},
    "renewed, and the rest released": {"secure": 108, "capture": 54, "void": 70},
    "charged ahead and cancelled": {"capture": 43, "refund": 43},
    "charged by hand where the card refuses": {"capture": 45, "void": 15},
    "paid back as credit where the card refuses": {"refund": 58},
    "given up": {"void": 70},
}
"""How many combinations each life tries, by money call: each of its calls to a company × each
fault in its first and last setting, and × one fault of a kind in those between. 776 in all."""

OPEN_ORDERS_BREAK = {
    "nothing stays allocated",
    "every order came to an end",
    "every unit is cancelled, delivered or lost",
    "what is paid for is what the customer has",
    "one label for each parcel that left, and none for another",
    "nobody is asked to do anything",
}
"""Rules about goods, for which nothing is done here."""


@pytest.mark.parametrize("name", LIVES)
async def test_whatever_befalls_a_money_call_it_is_one_effect_in_the_end(
    shop: Shop, name: str
) -> None:
    life = LIVES[name]
    tried: Counter[str] = Counter()
    wrong: list[str] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def befall(setting: Setting, fault: Fault, number: int, calm: list[After]) -> None:
        async with gate:
            left = await asyncio.wait_for(lived(shop, life, setting, fault, number), 60)
        for step, found, expected in zip(life.steps, left, calm, strict=True):
            meets = number <= expected.calls or fault in OF_THE_ACTIVITY
            if step.befallen and meets:
                tried[step.call] += 1
            if found != expected:
                differs = sorted(set(found.picture) ^ set(expected.picture))
                wrong.append(f"{setting.name}, {step.call}, call {number}: {fault}: {differs}")
                return

    lives = []
    for place, setting in enumerate(life.settings):
        calm = await lived(shop, life, setting)
        assert [one.sums for one in calm] == [step.leaves[place] for step in life.steps]
        most = max(one.calls for one in calm)
        outermost = place in (0, len(life.settings) - 1)
        faults = FAULTS if outermost else ONE_OF_A_KIND
        for fault, number in itertools.product(faults, range(1, most + 1)):
            if number == 1 or fault not in OF_THE_ACTIVITY:
                lives.append(befall(setting, fault, number, calm))
    await asyncio.gather(*lives)
    assert wrong == []
    assert tried == TRIED[name]


async def test_the_books_are_right_after_all_of_it(shop: Shop) -> None:
    async with shop.bench.pool.acquire() as conn:
        found = await audit.look(conn)
    assert (found.violations, found.suspects) == ((), ())
    broken = {fault.split(":", maxsplit=1)[0] for fault in await faults_in(shop.bench.pool)}
    assert broken <= OPEN_ORDERS_BREAK
