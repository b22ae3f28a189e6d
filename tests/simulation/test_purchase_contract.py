"""The fakes of purchase orders answer as the real activities do; see test_contract.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any, Final, Protocol, TypeVar

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.providers.sandbox.supplier import SandboxSupplier
from activities.purchasing.purchase_orders import (
    Chase,
    Purchase,
    PurchaseAttention,
    PurchaseDecision,
    Purchasing,
    Reported,
)
from domain.errors import OrderloomError
from domain.purchasing.purchase_orders import (
    Acknowledged,
    PurchaseState,
    PurchasingPolicy,
    SupplierItem,
)
from domain.stock.locations import Location
from store.database import Pool
from store.purchasing import purchase_facts, purchase_reads, purchases, suppliers
from store.stock import locations, receipts
from tests.simulation.both_worlds import WAITS, No, Uneventful
from tests.simulation.world.buying import Buying
from tests.simulation.world.memory import Memory, Pending
from tests.support.bench import handed_over

Test = TypeVar("Test", bound=Callable[..., Any])

ORDERED: Final = 18
TODAY: Final = date(2026, 11, 22)


class Supply(Protocol):
    """One purchase order of ORDERED units, and its supplier."""

    po_id: str

    async def propose(self) -> None:
        """Have it written down."""

    async def do(self, name: str, ask: Any) -> Any:
        """The activity's answer, WAITS, or a No."""

    async def answer(self, units: int) -> None:
        """The supplier says that it will send so many."""

    async def receive(self, units: int) -> None:
        """So many come in at the dock."""

    async def state(self) -> tuple[str, int, str | None]:
        """Its state, what is outstanding, and why it needs a person."""


class InMemory:
    """The fake that simulated lives run on."""

    po_id = "PO-1"

    def __init__(self, supplier: str, *, needs_approval: bool) -> None:
        state: PurchaseState = "proposed" if needs_approval else "approved"
        happens = {"refuses": "supplier refuses", "never-stops": "supplier does not stop"}
        chance = Uneventful(1, but=happens.get(supplier, ""))
        self._buying = Buying(Memory(lambda _: None), chance, self.po_id, ORDERED, state)

    async def propose(self) -> None:
        """It is."""

    async def do(self, name: str, ask: Any) -> Any:
        try:
            return getattr(self._buying, name)(ask)
        except Pending:
            return WAITS
        except ApplicationError as error:
            return No(error.type or "")

    async def answer(self, units: int) -> None:
        self._buying.acknowledge(ORDERED - units)

    async def receive(self, units: int) -> None:
        self._buying.receive(units)

    async def state(self) -> tuple[str, int, str | None]:
        buying = self._buying
        return buying.state, buying.outstanding, buying.attention


class OnPostgres:
    """The real activities on a real database, with the sandbox supplier."""

    po_id = "PO-1"

    def __init__(self, pool: Pool, supplier: str, *, needs_approval: bool) -> None:
        self._pool = pool
        company = SandboxSupplier(pool, random=Random(1), timeout_seconds=0.01)
        approved = {} if needs_approval else {"EUR": "1000"}
        self._policy = PurchasingPolicy.model_validate({"approve_up_to": approved})
        self._activities = Purchasing(pool, company, self._policy)
        self._supplier = supplier
        self._told = 0

    async def propose(self) -> None:
        """The order is there."""
        terms = SupplierItem.model_validate(
            {
                "supplier": self._supplier,
                "sku": "TEA",
                "lead_time_days": 7,
                "unit_price": "2.50",
                "currency": "EUR",
            }
        )
        async with self._pool.acquire() as conn, conn.transaction():
            await locations.save(conn, [Location(location="main")])
            await suppliers.save(conn, [terms])
            await receipts.receive(
                *(conn, "first", "TEA", "main", 4), new_location=True, who="test", why="test"
            )
            await purchases.propose(
                conn,
                "main",
                [(terms, ORDERED)],
                self._policy,
                today=TODAY,
                who="test",
                why="test",
                po_id=self.po_id,
            )

    async def do(self, name: str, ask: Any) -> Any:
        try:
            return await getattr(self._activities, name)(ask)
        except activity._CompleteAsyncError:
            told = await handed_over(self._pool)
            return WAITS if told is None else Reported.model_validate(told)
        except OrderloomError as error:
            return No(error.kind)

    async def answer(self, units: int) -> None:
        told = {"TEA": Acknowledged(quantity=units, due_on=TODAY)}
        async with self._pool.acquire() as conn:
            await purchase_facts.acknowledge(conn, self.po_id, self._key(), told, who="test")

    async def receive(self, units: int) -> None:
        async with self._pool.acquire() as conn:
            await purchase_facts.receive(conn, self.po_id, self._key(), {"TEA": units}, who="test")

    async def state(self) -> tuple[str, int, str | None]:
        async with self._pool.acquire() as conn:
            found = await purchase_reads.get(conn, self.po_id)
        return found.state, sum(line.outstanding for line in found.lines), found.attention

    def _key(self) -> str:
        self._told += 1
        return f"test {self._told}"


@pytest.fixture(params=["in memory", "on PostgreSQL"])
def supply(request: pytest.FixtureRequest) -> Supply:
    facts = vars(request.function)
    supplier = facts.get("supplier", "assam")
    needs_approval = facts.get("needs_approval", False)
    if request.param == "in memory":
        return InMemory(supplier, needs_approval=needs_approval)
    pool = request.getfixturevalue("pool")
    return OnPostgres(pool, supplier, needs_approval=needs_approval)


def given(**facts: Any) -> Callable[[Test], Test]:
    """The supplier of a test, and whether the order needs an approval."""

    def mark(test: Test) -> Test:
        vars(test).update(facts)
        return test

    return mark


async def twice(supply: Supply, name: str, ask: Any) -> Any:
    """The activity's answer, which a second attempt must give as well."""
    first = await supply.do(name, ask)
    again = await supply.do(name, ask)
    assert again == first, f"{name} answers {first}, and then {again}"
    return first


def order(supply: Supply) -> Purchase:
    return Purchase(po_id=supply.po_id)


def deciding(supply: Supply) -> PurchaseDecision:
    return PurchaseDecision(po_id=supply.po_id, by="test", reason="test")


@given(needs_approval=True)
async def test_an_order_is_approved_once_and_sent_then(supply: Supply) -> None:
    await supply.propose()
    assert (await supply.state())[:2] == ("proposed", ORDERED)
    assert await twice(supply, "approve_purchase", deciding(supply)) is None
    assert (await supply.state())[0] == "approved"
    assert (await twice(supply, "send_purchase", order(supply))).refused is None
    assert (await supply.state())[0] == "sent"
    assert await supply.do("approve_purchase", deciding(supply)) is None
    assert (await supply.state())[0] == "sent", "an approval that comes late changes nothing"


async def test_an_order_waits_for_an_answer_and_for_its_goods(supply: Supply) -> None:
    await supply.propose()
    await supply.do("send_purchase", order(supply))
    assert await twice(supply, "await_acknowledgement", order(supply)) == WAITS
    await supply.answer(ORDERED - 2)
    answered = await twice(supply, "await_acknowledgement", order(supply))
    assert answered.outcome == "acknowledged"
    assert (await supply.state())[:2] == ("acknowledged", ORDERED - 2)
    await supply.receive(10)
    assert await twice(supply, "await_goods", order(supply)) == WAITS
    assert await supply.do("close_purchase", order(supply)) == No("illegal_transition")
    await supply.receive(ORDERED - 2 - 10)
    assert (await twice(supply, "await_goods", order(supply))).outcome == "settled"
    assert (await twice(supply, "close_purchase", order(supply))).state == "closed"
    assert (await supply.state())[:2] == ("closed", 0)


async def test_goods_that_come_before_an_answer_are_an_answer(supply: Supply) -> None:
    await supply.propose()
    await supply.do("send_purchase", order(supply))
    await supply.receive(10)
    assert (await supply.do("await_acknowledgement", order(supply))).outcome == "acknowledged"
    assert await supply.do("await_goods", order(supply)) == WAITS


async def test_a_supplier_that_will_send_nothing_ends_the_order(supply: Supply) -> None:
    await supply.propose()
    await supply.do("send_purchase", order(supply))
    await supply.answer(0)
    assert await supply.do("await_acknowledgement", order(supply)) != WAITS
    assert (await supply.do("await_goods", order(supply))).outcome == "settled"
    assert (await twice(supply, "close_purchase", order(supply))).state == "cancelled"


@given(supplier="refuses")
async def test_an_order_that_is_refused_stays_refused(supply: Supply) -> None:
    await supply.propose()
    assert (await supply.do("send_purchase", order(supply))).refused
    assert (await supply.do("send_purchase", order(supply))).refused
    assert (await supply.state())[1] == 0
    assert await supply.do("cancel_purchase", deciding(supply)) == No("illegal_transition")
    assert (await twice(supply, "close_purchase", order(supply))).state == "cancelled"


@pytest.mark.parametrize("sent", [False, True])
async def test_an_order_is_cancelled_once(supply: Supply, *, sent: bool) -> None:
    await supply.propose()
    if sent:
        await supply.do("send_purchase", order(supply))
    assert await twice(supply, "cancel_purchase", deciding(supply)) is None
    assert (await supply.state())[1] == 0
    assert (await supply.do("await_goods", order(supply))).outcome == "settled"
    assert (await supply.do("send_purchase", order(supply))).refused is None
    assert (await supply.do("close_purchase", order(supply))).state == "cancelled"


@given(supplier="never-stops")
async def test_a_supplier_that_does_not_stop_keeps_the_order(supply: Supply) -> None:
    await supply.propose()
    await supply.do("send_purchase", order(supply))
    refused = await twice(supply, "cancel_purchase", deciding(supply))
    assert refused == No("illegal_transition")
    assert (await supply.state())[:2] == ("sent", ORDERED)


async def test_what_has_come_is_over_and_not_cancelled(supply: Supply) -> None:
    await supply.propose()
    await supply.do("send_purchase", order(supply))
    await supply.receive(ORDERED)
    assert await twice(supply, "cancel_purchase", deciding(supply)) == No("illegal_transition")
    assert (await supply.do("close_purchase", order(supply))).state == "closed"


async def test_a_supplier_is_asked_where_an_order_is(supply: Supply) -> None:
    await supply.propose()
    await supply.do("send_purchase", order(supply))
    ask = Chase(po_id=supply.po_id, number=1, unanswered=True)
    assert await twice(supply, "chase_supplier", ask) is None


async def test_attention_is_shown_until_it_is_over_also_by_a_late_attempt(supply: Supply) -> None:
    await supply.propose()
    asks = PurchaseAttention(po_id=supply.po_id, reason="cannot be sent", number=1)
    over = PurchaseAttention(po_id=supply.po_id, reason=None, number=2)
    assert await twice(supply, "note_purchase", asks) is None
    assert (await supply.state())[2] == "cannot be sent"
    assert await twice(supply, "note_purchase", over) is None
    await supply.do("note_purchase", asks)
    assert (await supply.state())[2] is None
