"""The world in memory and the real activities, behind one face: what the contract is tested on.

`do` runs an activity by its name and gives its answer, `WAITS` where it waits for the outside, or
a `No` with the kind of its refusal. The other methods are what people do, and what can be counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final, Protocol, get_type_hints

from pydantic import TypeAdapter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.aftersales.sending_anew import SendingAnew
from activities.fulfilment.carriers import Carriers
from activities.fulfilment.interceptions import Interceptions as RealInterceptions
from activities.orders.holds import Holds as RealHolds
from activities.payments.authorizations import Authorizations
from activities.payments.ending_authorizations import EndingAuthorizations
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider
from activities.provider_errors import DeclineCode, Declined
from activities.providers.by_code import GiftCards, Vouchers
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.store_credit import StoreCredit
from activities.stock.claims import Claims as RealClaims
from activities.stock.edits import Edits as RealEdits
from domain.aftersales.return_rules import ReturnRule
from domain.errors import OrderloomError
from domain.fulfilment.tracking import CarrierStatus
from domain.ids import order_of
from domain.money import Money as Amount
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.payments.disputes import Dispute, DisputeState
from domain.stock.items import Item
from starter.service.credit import Credit
from starter.service.returns import Returns
from store.accounting import documents
from store.aftersales import return_labels, return_rules, returns
from store.aftersales.returns import Counted
from store.orders import events
from store.payments import disputes, payments
from tests.simulation.chance import Chance
from tests.simulation.driver import BEGAN
from tests.simulation.world.claims import Claims
from tests.simulation.world.edits import Edits
from tests.simulation.world.holds import Holds
from tests.simulation.world.interceptions import Interceptions
from tests.simulation.world.memory import Memory, Pending
from tests.simulation.world.money import Money
from tests.simulation.world.records import OrderRecords
from tests.simulation.world.states import States
from tests.simulation.world.stock import Stock
from tests.simulation.world.warehouse import Warehouse
from tests.support.bench import Bench, handed_over

WAITS: Final = "waits"
"""The answer of an activity that somebody outside completes."""

ENDINGS: Final[dict[str, CarrierStatus]] = {
    "delivered": "delivered",
    "undeliverable": "return_to_sender",
    "lost": "failure",
}


@dataclass(frozen=True)
class No:
    """A firm refusal, by the kind that the workflow tells apart."""

    kind: str


@dataclass(frozen=True)
class Sums:
    """An order's money in minor units. `standing`: authorized, and neither charged nor released."""

    captured: int
    refunded: int
    standing: int


class World(Protocol):
    """One world for one order."""

    async def stocked(self, sku: str, units: int, location: str = "main") -> None:
        """So many units are on a shelf, before the order comes."""

    async def backorderable(self, sku: str) -> None:
        """This SKU may be ordered while there is none."""

    async def on_sale_from(self, sku: str, day: date) -> None:
        """This SKU is on sale from that day on."""

    async def goods_come(self, sku: str, units: int, location: str = "main") -> None:
        """Goods come in at the dock, after the order has come."""

    async def on_record(self, order: Order, policy: Policy) -> None:
        """The order is on record."""

    async def do(self, name: str, ask: Any) -> Any:
        """The activity's answer, WAITS, or a No."""

    async def pick(self, part_id: str, missing: Mapping[str, int] | None = None) -> None:
        """The picker has found all but these."""

    async def refuse(self, part_id: str) -> None:
        """The location will not send it."""

    async def pack(self, part_id: str) -> None:
        """The parcel is closed."""

    async def put_back(self, put_back_id: str) -> None:
        """What was taken out of a parcel is on the shelf again."""

    async def hand_over(self, part_id: str) -> None:
        """The carrier has it."""

    async def arrive(self, part_id: str, outcome: str) -> None:
        """The carrier's part has ended."""

    async def posted(self, return_id: str) -> None:
        """A carrier has the return's parcel, and the rules pay it back at once."""

    async def count(self, return_id: str, received: Mapping[str, int]) -> None:
        """The return parcel is there and counted."""

    async def shelf(self, sku: str, location: str = "main") -> tuple[int, int]:
        """On hand, and allocated."""

    async def reopened(self, order: Order) -> bool:
        """It is closed, and something that came late is done for it."""

    async def sums(self, order: Order) -> Sums:
        """The order's money."""

    async def invoiced(self, order: Order) -> dict[str, dict[str, int]]:
        """The units that were invoiced for each fulfilment, by line."""

    async def by_provider(self, order: Order) -> dict[str, tuple[int, int]]:
        """What each company has charged, and paid back, in minor units."""

    async def credit(self, order: Order, minor: int) -> str:
        """The customer has so much store credit; the token to pay with it."""

    async def dispute(self, order: Order, *, ends: bool = False) -> None:
        """The customer's bank asks about all that was charged; or it has decided for us."""

    async def recount(self, sku: str, counted: int) -> None:
        """A count of the main shelf finds so many."""

    async def authorized(self, order: Order) -> list[int]:
        """The amount of each authorization that was ever made, the oldest first."""

    async def days_pass(self, days: int) -> None:
        """Authorizations are older by so much."""

    async def hours_pass(self, hours: int) -> None:
        """The same in hours."""

    async def look_at_money(self, part_id: str) -> None:
        """The duty looks whether what waits for its hand-over can still be charged."""

    def now(self) -> datetime:
        """The time."""

    async def attention(self, order: Order) -> list[str]:
        """The steps at which it needs a person."""

    async def held(self, order: Order) -> bool:
        """Whether it waits for something."""

    async def reported(self, activity_id: str) -> Any:
        """The last report for a step that waits; None: there is none."""


class Uneventful(Chance):
    """Nothing happens by chance, but for one kind of thing, which always does."""

    def __init__(self, seed: int, *, but: str = "") -> None:
        super().__init__(seed)
        self._but = but

    def happens(self, kind: str, name: str, probability: float) -> bool:
        del name, probability
        return kind == self._but


class InMemory:
    """The fakes that simulated lives run on."""

    def __init__(self, **money: Any) -> None:
        chance = Uneventful(1)
        self._time = BEGAN
        self._memory = Memory(lambda _: None, now=self.now)
        self._stock = Stock(self._memory, {}, ())
        self._warehouse = Warehouse(self._memory, chance, self.now, _never, self._stock, 1)
        self._money = Money(
            self._memory,
            chance,
            self.now,
            captures=money.get("captures", "several"),
            lasting=money.get("holds_for"),
            confirmed=self._warehouse.release,
            stock=self._stock,
        )
        self._warehouse.money = self._money
        self._money.own_tenders = self._stock.tenders
        self._money.leaving = self._warehouse.leaving
        self._records = OrderRecords(self._memory, lambda _: None)
        self._holds = Holds(
            self._memory,
            is_here=lambda: any(
                line.ordered > line.cancelled + line.shipped
                for line in self._stock.tallies.lines.values()
            ),
            go_on=self._warehouse.goes_on,
        )
        self._warehouse.kept_here = lambda: self._holds.stand
        states = States(self._stock, self._warehouse, self._money, self._records)
        self._rooms = (
            *(self._stock, self._warehouse, self._money, self._records, states),
            Interceptions(self._memory, chance, self._stock),
            self._holds,
            Claims(
                *(self._memory, self._stock, lambda: self._money.disputed),
                self._warehouse.ask_back,
            ),
            Edits(self._memory, self._stock, self._warehouse, self._money),
        )

    async def stocked(self, sku: str, units: int, location: str = "main") -> None:
        self._stock.arrive(sku, location, units)

    async def backorderable(self, sku: str) -> None:
        self._stock.backorderable.add(sku)

    async def on_sale_from(self, sku: str, day: date) -> None:
        self._stock.on_sale[sku] = datetime(day.year, day.month, day.day, tzinfo=UTC)

    async def goods_come(self, sku: str, units: int, location: str = "main") -> None:
        self._stock.arrive(sku, location, units)

    async def on_record(self, order: Order, policy: Policy) -> None:
        self._stock.on_record(order, policy)

    async def do(self, name: str, ask: Any) -> Any:
        fake = next(getattr(room, name) for room in self._rooms if hasattr(room, name))
        try:
            return fake(ask)
        except Pending:
            return WAITS
        except ApplicationError as error:
            return No(error.type or "")

    async def pick(self, part_id: str, missing: Mapping[str, int] | None = None) -> None:
        self._warehouse.found(part_id, missing or {})

    async def refuse(self, part_id: str) -> None:
        self._warehouse.refuse(part_id, "too heavy")

    async def pack(self, part_id: str) -> None:
        self._warehouse.pack_up(part_id)

    async def put_back(self, put_back_id: str) -> None:
        self._warehouse.on_the_shelf(put_back_id)

    async def hand_over(self, part_id: str) -> None:
        self._warehouse.leave(part_id)

    async def arrive(self, part_id: str, outcome: str) -> None:
        self._warehouse.arrive(part_id, outcome)

    async def posted(self, return_id: str) -> None:
        self._warehouse.posted(return_id, paid=True)

    async def count(self, return_id: str, received: Mapping[str, int]) -> None:
        self._warehouse.count(return_id, received)

    async def shelf(self, sku: str, location: str = "main") -> tuple[int, int]:
        shelf = self._stock.shelves[location, sku]
        return shelf.on_hand, shelf.allocated

    async def reopened(self, order: Order) -> bool:
        del order
        return bool(self._memory.reopened)

    async def sums(self, order: Order) -> Sums:
        del order
        money = self._money
        standing = sum(each.room for each in money.authorizations)
        return Sums(money.total_captured, money.total_refunded, standing)

    async def invoiced(self, order: Order) -> dict[str, dict[str, int]]:
        del order
        return {part: dict(units) for part, units in self._stock.tallies.invoiced.items()}

    async def by_provider(self, order: Order) -> dict[str, tuple[int, int]]:
        del order
        found: dict[str, tuple[int, int]] = {}
        for each in self._money.authorizations:
            captured, refunded = found.get(each.provider, (0, 0))
            found[each.provider] = captured + each.captured, refunded + each.refunded
        return found

    async def credit(self, order: Order, minor: int) -> str:
        del order, minor
        return "tok_credit"

    async def dispute(self, order: Order, *, ends: bool = False) -> None:
        del order
        self._money.disputed = not ends

    async def recount(self, sku: str, counted: int) -> None:
        (part,) = (x for x in self._stock.parts.values() if x.state in ("open", "picking"))
        self._stock.fall_back(part, self._stock.shelves["main", sku].on_hand - counted)

    async def authorized(self, order: Order) -> list[int]:
        del order
        return [each.amount for each in self._money.authorizations]

    async def days_pass(self, days: int) -> None:
        await self.hours_pass(24 * days)

    async def hours_pass(self, hours: int) -> None:
        self._time += timedelta(hours=hours)

    async def look_at_money(self, part_id: str) -> None:
        self._warehouse.look_at_money(self._stock.parts[part_id])

    def now(self) -> datetime:
        return self._time

    async def attention(self, order: Order) -> list[str]:
        del order
        return sorted(self._records.attention)

    async def held(self, order: Order) -> bool:
        del order
        return any(self._records.holds.values())

    async def reported(self, activity_id: str) -> Any:
        return self._memory.reports.get(activity_id)


class OnPostgres:
    """The real activities on a real database, with the sandbox companies."""

    def __init__(self, bench: Bench, **company: Any) -> None:
        self._bench = bench
        if company:
            bench.payment = SandboxPayment(
                bench.pool, random=Random(1), timeout_seconds=0.01, **company
            )
        providers: dict[str, PaymentProvider] = {
            "sandbox": bench.payment,
            "store_credit": StoreCredit(bench.pool),
            "gift_card": GiftCards(bench.pool),
            "voucher": Vouchers(bench.pool),
        }
        bench.authorizations = Authorizations(bench.pool, providers)
        bench.payments = Payments(bench.pool, providers)
        self._rooms = (
            *(bench.inventory, bench.removals, bench.backorders, bench.fulfilment, bench.delivery),
            *(bench.returns, bench.records, bench.authorizations, bench.payments),
            *(RealHolds(bench.pool), RealClaims(bench.pool), RealEdits(bench.pool)),
            RealInterceptions(bench.pool, Carriers.only(bench.carrier)),
            SendingAnew(bench.pool),
        )
        self._deliveries = self._told = 0

    async def stocked(self, sku: str, units: int, location: str = "main") -> None:
        await self._bench.stocked(sku, units, location)

    async def backorderable(self, sku: str) -> None:
        await self._bench.backorderable(sku)

    async def on_sale_from(self, sku: str, day: date) -> None:
        await self._bench.catalogue.set_items([Item(sku=sku, available_from=day)])

    async def goods_come(self, sku: str, units: int, location: str = "main") -> None:
        self._deliveries += 1
        await self._bench.stock.receive(
            *(f"later {self._deliveries}", sku, location, units),
            new_location=True,
            who="dock",
            why="test",
        )

    async def on_record(self, order: Order, policy: Policy) -> None:
        await self._bench.take_in(order, policy)

    async def do(self, name: str, ask: Any) -> Any:
        method = next(getattr(room, name) for room in self._rooms if hasattr(room, name))
        try:
            return await method(ask)
        except activity._CompleteAsyncError:
            told = await handed_over(self._bench.pool)
            answer = TypeAdapter(get_type_hints(method)["return"])
            return WAITS if told is None else answer.validate_python(told)
        except Declined as error:
            asks = error.code == DeclineCode.ACTION_REQUIRED
            return No("action_required" if asks else "declined")
        except OrderloomError as error:
            return No(error.kind)

    async def pick(self, part_id: str, missing: Mapping[str, int] | None = None) -> None:
        counted = None
        if missing:
            recalled = await self._lines(part_id)
            counted = {line_id: n - missing.get(line_id, 0) for line_id, n in recalled.items()}
        await self._bench.warehouse.pick(part_id, counted, who="picker")

    async def refuse(self, part_id: str) -> None:
        await self._bench.warehouse.refuse(part_id, "too heavy", who="picker")

    async def pack(self, part_id: str) -> None:
        await self._bench.warehouse.pack(part_id, who="packer")

    async def put_back(self, put_back_id: str) -> None:
        await self._bench.warehouse.put_back(put_back_id, who="packer")

    async def hand_over(self, part_id: str) -> None:
        await self._bench.warehouse.hand_over(part_id, who="packer")

    async def arrive(self, part_id: str, outcome: str) -> None:
        await self._bench.scan(part_id, ENDINGS[outcome])

    async def posted(self, return_id: str) -> None:
        bench = self._bench
        async with bench.pool.acquire() as conn:
            rule = ReturnRule(label="free", instant_refund="always")
            await return_rules.save(conn, [rule])
            lines = await returns.lines(conn, return_id)
            asked = await return_rules.asked(
                conn,
                order_of(return_id),
                {line.line_id: line.quantity for line in lines},
                {},
                late=True,
            )
            await return_labels.want(conn, return_id, asked)
        await bench.return_labels.see_to()
        label = (await Returns(bench.pool).get(return_id)).label
        assert label is not None
        await bench.carriers.event(
            carrier=label.carrier or "",
            tracking_number=label.tracking_number or "",
            event_id="posted",
            status="in_transit",
        )

    async def count(self, return_id: str, received: Mapping[str, int]) -> None:
        counted = {line_id: Counted(restocked=n) for line_id, n in received.items()}
        await self._bench.warehouse.receive_return(return_id, counted, location="main", who="dock")

    async def shelf(self, sku: str, location: str = "main") -> tuple[int, int]:
        return await self._bench.level(sku, location)

    async def reopened(self, order: Order) -> bool:
        ask = "select is_reopened(order_no_of($1))"
        found: bool = await self._bench.pool.fetchval(ask, order.order_id)
        return found

    async def sums(self, order: Order) -> Sums:
        async with self._bench.pool.acquire() as conn:
            money = await payments.sums(conn, order.order_id)
            made = await payments.authorizations(conn, order.order_id)
        return Sums(money.captured, money.refunded, sum(each.room for each in made))

    async def invoiced(self, order: Order) -> dict[str, dict[str, int]]:
        found = {}
        async with self._bench.pool.acquire() as conn:
            for row in await documents.of_order(conn, order.order_id):
                if row.kind == "invoice":
                    lines = (await documents.get(conn, row.number)).lines
                    found[row.part_id] = {line.line_id: line.quantity for line in lines}
        return found

    async def by_provider(self, order: Order) -> dict[str, tuple[int, int]]:
        async with self._bench.pool.acquire() as conn:
            made = await payments.of_order(conn, order.order_id)
        found = {each.provider: (0, 0) for each in made if each.kind == "authorize"}
        for each in made:
            if each.kind in ("capture", "refund") and each.state == "succeeded":
                captured, refunded = found[each.provider]
                done = each.amount_minor
                found[each.provider] = (
                    (captured + done, refunded)
                    if each.kind == "capture"
                    else (captured, refunded + done)
                )
        return found

    async def credit(self, order: Order, minor: int) -> str:
        amount = Amount(minor=minor, currency=order.currency)
        account = await Credit(self._bench.pool).grant(
            *("gift", order.customer.id, amount), who="test", why="gift"
        )
        return account.account_id

    async def dispute(self, order: Order, *, ends: bool = False) -> None:
        async with self._bench.pool.acquire() as conn, conn.transaction():
            (authorization,) = await payments.authorizations(conn, order.order_id)
            self._told += 1
            told = Dispute(
                dispute_id="dp_1",
                subjects=(str(authorization.reference),),
                amount=Amount(minor=authorization.captured, currency=order.currency),
                fee=Amount(minor=0, currency=order.currency),
                state=DisputeState.WON if ends else DisputeState.NEEDS_RESPONSE,
                moves=2 if ends else 1,
                opened_at=self.now() - timedelta(minutes=1),
                said_at=self.now() + timedelta(seconds=self._told),
            )
            await disputes.hear(conn, "sandbox", told)

    async def recount(self, sku: str, counted: int) -> None:
        await self._bench.stock.count("count", sku, "main", counted, who="test", why="test")

    async def authorized(self, order: Order) -> list[int]:
        async with self._bench.pool.acquire() as conn:
            made = await payments.of_order(conn, order.order_id)
        return [
            each.amount_minor
            for each in made
            if each.kind == "authorize" and each.state == "succeeded"
        ]

    async def days_pass(self, days: int) -> None:
        await self.hours_pass(24 * days)

    async def hours_pass(self, hours: int) -> None:
        async with self._bench.pool.acquire() as conn:
            for table, moment in (
                ("payment_operation", "requested_at"),
                ("payment_authorization", "expires_at"),
            ):
                await conn.execute(
                    f"update {table} set {moment} = {moment} - $1 * interval '1 hour'", hours
                )

    async def look_at_money(self, part_id: str) -> None:
        del part_id
        await EndingAuthorizations(self._bench.pool).notice()

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def attention(self, order: Order) -> list[str]:
        async with self._bench.pool.acquire() as conn:
            rows = await events.open_attention(conn, [order.order_id])
        return sorted(row["step"] for row in rows)

    async def held(self, order: Order) -> bool:
        async with self._bench.pool.acquire() as conn:
            return bool(
                await conn.fetchval(
                    "select exists (select from order_hold where order_no = order_no_of($1)"
                    " and released_at is null)",
                    order.order_id,
                )
            )

    async def reported(self, activity_id: str) -> Any:
        async with self._bench.pool.acquire() as conn:
            return await conn.fetchval(
                "select outcome from wait_report where activity_id = $1", activity_id
            )

    async def _lines(self, part_id: str) -> dict[str, int]:
        async with self._bench.pool.acquire() as conn:
            rows = await conn.fetch(
                "select line_id, quantity from fulfilment_line where fulfilment_id = $1", part_id
            )
        return {row["line_id"]: row["quantity"] for row in rows}


def _never(after: timedelta, do: Callable[[], None]) -> None:
    """People act when the test says so."""
    del after, do
