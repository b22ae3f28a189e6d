"""The world of one order on a real database: what the people of `order_life` look at and touch.

Activities are the real ones, by the names that a worker gives them. What the order's rows say is
read in one statement. Warehouse, carrier and dock act through the doors of `starter/service`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial, wraps
from random import Random
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.duties import duties
from activities.failures import FailureTypes
from activities.fulfilment.carriers import Carriers
from activities.payments.provider import PaymentProvider
from activities.providers.by_code import GiftCards, Vouchers
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.sandbox.supplier import SandboxSupplier
from activities.providers.store_credit import StoreCredit
from activities.relay import Duty
from activities.steps import steps
from domain.aftersales.conditions import Condition
from domain.aftersales.return_counts import Found, FoundGoods
from domain.errors import Refused
from domain.money import Money
from domain.orders.continuation import Action
from domain.orders.order import Order
from domain.orders.providers import GIFT_CARD, VOUCHER
from domain.orders.return_messages import ReturnState
from domain.payments.disputes import Dispute, DisputeState
from starter.service.service import Records
from store import waits
from store.aftersales import claims
from store.aftersales.returns import Counted
from store.database import Connection, Pool
from store.payments import disputes, payments
from store.payments.payments import STORE_CREDIT
from store.purchasing import replenishment
from store.warehouse import found_parcels, scans
from tests.simulation.chance import Chance
from tests.simulation.driver import Broken, Life
from tests.simulation.on_postgres.ground import EACH, FAULTS, Ground
from tests.simulation.world.memory import Pending

T = TypeVar("T")

CONDITIONS: Final[tuple[Condition, ...]] = ("new", "opened", "used", "damaged")
WHO: Final = "simulated"
A_MOMENT: Final = timedelta(milliseconds=50)
A_WHILE: Final = timedelta(minutes=2)
"""After this, the relay has found by itself what nothing called it for."""

IN_WORK: Final = ("open", "picking", "picked", "packed", "labelled")

ASK_TEMPORAL: Final = ("StuckOrders", "StuckPurchases", "LongestWaits")
"""Duties that ask its server: two look for workflows which cannot go on, which ends a life here as
a fault, and one asks what waits for a worker."""

STATE: Final = """
select jsonb_build_object(
    'decision', (select decision from customer_order where order_id = $1),
    'reopened', is_reopened(order_no_of($1)),
    'parts', (
        select jsonb_agg(jsonb_build_object(
            'id', f.fulfilment_id, 'state', f.state, 'location', f.location,
            'opened', (select count(*) from put_back b where b.order_no = f.order_no
                       and b.fulfilment_id = f.fulfilment_id),
            'put_backs', (select coalesce(jsonb_agg(put_back_id order by put_back_id), '[]')
                          from put_back b where b.order_no = f.order_no
                          and b.fulfilment_id = f.fulfilment_id and b.done_at is null),
            'carrier', p.carrier, 'tracking_number', p.tracking_number,
            'recalled', f.recalled_from is not null,
            'claimed', exists (select from reservation r where r.order_no = f.order_no
                               and r.fulfilment_id = f.fulfilment_id and r.quantity > 0),
            'reserved', (select jsonb_object_agg(line_id, coalesce(picked, quantity))
                         from fulfilment_line l where l.fulfilment_id = f.fulfilment_id))
            order by f.fulfilment_id)
        from fulfilment f left join shipment p using (order_no, fulfilment_id)
        where f.order_no = order_no_of($1)),
    'returns', (
        select jsonb_agg(jsonb_build_object(
            'id', r.return_id, 'kind', r.kind, 'state', r.state, 'label', (
                select array[b.carrier, b.tracking_number] from return_label b
                where b.return_id = r.return_id and b.label = 'bought'),
            'units', (select jsonb_object_agg(line_id, quantity)
                      from return_line l where l.return_id = r.return_id))
            order by r.return_id)
        from order_return r
        where r.order_no = order_no_of($1) and r.state in ('requested', 'approved', 'in_transit')),
    'backorders', (select jsonb_object_agg(line_id, quantity) from backorder
                   where order_no = order_no_of($1)),
    'attention', (select jsonb_object_agg(step, to_jsonb(allowed)) from attention
                  where order_no = order_no_of($1) and resolved_at is null),
    'held', exists (select from order_hold
                   where order_no = order_no_of($1) and released_at is null and reason = 'payment'),
    'kept_here', kept_here_by(order_no_of($1)) is not null,
    'due', exists (select from charge
                   where order_no = order_no_of($1) and captured_minor < amount_minor),
    'owed', exists (select from refund
                    where order_no = order_no_of($1) and issued_minor < amount_minor),
    'reports', (select jsonb_object_agg(activity_id, try_after) from wait_report
                where order_no = order_no_of($1) and outcome is not null and delivered_at is null))
"""


@dataclass(frozen=True)
class Part:
    """A fulfilment, as its row has it. `put_backs`: those that are to be done."""

    id: str
    state: str
    location: str
    carrier: str | None
    tracking_number: str | None
    recalled: bool
    claimed: bool
    opened: int
    put_backs: Sequence[str]
    reserved: Mapping[str, int]


@dataclass(frozen=True)
class Return:
    """A return that is awaited."""

    id: str
    kind: str
    state: ReturnState
    units: Mapping[str, int]
    label: Sequence[str] | None
    """Carrier and tracking number."""


@dataclass(frozen=True)
class State:
    """What the rows of an order say."""

    decision: str = ""
    reopened: bool = False
    parts: Mapping[str, Part] = field(default_factory=dict)
    returns: Mapping[str, Return] = field(default_factory=dict)
    backorders: Mapping[str, int] = field(default_factory=dict)
    attention: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)
    held: bool = False
    kept_here: bool = False
    due: bool = False
    owed: bool = False
    reports: Mapping[str, datetime] = field(default_factory=dict)
    """Those that have not been handed over, each with the time when it is handed over next."""


async def read_state(conn: Connection, order_id: str) -> State:
    """All of it, in one statement."""
    found = await conn.fetchval(STATE, order_id)
    decision = found["decision"] or ""
    return State(
        decision="" if decision == "received" else decision,
        reopened=found["reopened"],
        parts={each["id"]: Part(**each) for each in found["parts"] or ()},
        returns={each["id"]: Return(**each) for each in found["returns"] or ()},
        backorders=found["backorders"] or {},
        attention={step: tuple(x) for step, x in (found["attention"] or {}).items()},
        held=found["held"],
        kept_here=found["kept_here"],
        due=found["due"],
        owed=found["owed"],
        reports={x: datetime.fromisoformat(at) for x, at in (found["reports"] or {}).items()},
    )


class Rolls(Random):
    """What a sandbox company rolls, each time that it is called: a fault only where chance says."""

    def __init__(self, chance: Chance, company: str, probability: float) -> None:
        super().__init__(0)
        self._chance = chance
        self._company = company
        self._probability = probability
        self._calls = 0

    def random(self) -> float:
        self._calls += 1
        name = f"{self._calls}"
        if self._chance.happens(f"{self._company} fails", name, self._probability):
            most = EACH * len(FAULTS)
            return self._chance.between(f"how {self._company} fails {name}", 0, most)
        return 0.999


class _Attempt(ActivityInboundInterceptor):
    """Runs an activity as a worker would; there is nothing further in."""

    def __init__(self) -> None:
        """It is the last one."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await input.fn(*input.args)


class _Waiting:
    """An activity that waits, as the relay reaches it by its id."""

    def __init__(self, life: Life, activity_id: str) -> None:
        self._life = life
        self._id = activity_id

    async def complete(self, result: Any, **_: Any) -> None:
        if not self._life.complete(self._id, result):
            raise RPCError("nobody waits under this id", RPCStatusCode.NOT_FOUND, b"")

    async def fail(self, error: ApplicationError, **_: Any) -> None:
        if not self._life.fail(self._id, error):
            raise RPCError("nobody waits under this id", RPCStatusCode.NOT_FOUND, b"")


class _Order:
    """The order's workflow, as the relay reaches it."""

    def __init__(self, life: Life) -> None:
        self._life = life

    async def start_update(self, name: str, request: Any, *, id: str, **_: Any) -> None:
        if not self._life.hears:
            raise RPCError("it does not run", RPCStatusCode.NOT_FOUND, b"")
        if id not in self._life.answers:  # the server knows it
            self._life.update(id, name, request)


class _Temporal:
    """As much of Temporal's client as the relay's duties for one order need."""

    def __init__(self, life: Life) -> None:
        self._life = life

    async def start_workflow(self, *_: Any, **__: Any) -> None:
        """The relay starts the order once more: it has its workflow already."""

    def get_workflow_handle(self, *_: Any) -> _Order:
        return _Order(self._life)

    def get_async_activity_handle(self, *, activity_id: str, **_: Any) -> _Waiting:
        return _Waiting(self._life, activity_id)


def _fits(duty: Duty) -> bool:
    return type(getattr(duty.run, "__self__", None)).__name__ not in ASK_TEMPORAL


async def _run(duty: Duty) -> None:
    await duty.run()


async def _run_all(duties: Sequence[Duty]) -> None:
    for duty in duties:
        await duty.run()


class World:
    """Everything about one order that is not its workflow."""

    def __init__(
        self,
        ground: Ground,
        chance: Chance,
        life: Life,
        order: Order,
        *,
        captures: Any,
        lasting: timedelta | None,
        slow: float,
        short: float | None,
        bought: bool,
        fails: float,
    ) -> None:
        self.order = order
        self.state = State()
        self._ground = ground
        self._chance = chance
        self._life = life
        self._slow = slow
        self._short = 0.1 if short is None else short
        self._bought = bought
        self._to_buy: Mapping[str, int] = {}
        self._touched = False
        self._planned: set[str] = set()
        self._watched: dict[str, int] = {}
        self._watching: set[str] = set()
        self._tries: dict[str, int] = {}
        self._relay_at: datetime | None = None
        self._arrived = 0
        pool = ground.pool
        providers: dict[str, PaymentProvider] = {
            STORE_CREDIT: StoreCredit(pool),
            GIFT_CARD: GiftCards(pool),
            VOUCHER: Vouchers(pool),
            "sandbox": SandboxPayment(
                pool,
                random=Rolls(chance, "payment", fails),
                timeout_seconds=0,
                captures=captures,
                holds_for=lasting or timedelta(days=1000),
            ),
        }
        client: Any = _Temporal(life)
        carriers = Carriers.only(
            SandboxCarrier(pool, random=Rolls(chance, "carrier", fails), timeout_seconds=0)
        )
        # What was done before the life began has no mishaps.
        calm = {"sandbox": SandboxPayment(pool, random=Rolls(chance, "calm", 0), timeout_seconds=0)}
        calm_carrier = SandboxCarrier(pool, random=Rolls(chance, "calm", 0), timeout_seconds=0)
        self.calm_steps = {
            each.__name__: each
            for each in steps(client, pool, providers={**providers, **calm}, carrier=calm_carrier)
        }
        self.steps = steps(
            client,
            pool,
            providers=providers,
            carrier=carriers,
            # No purchase order has a workflow here that sends it, so no supplier is ever called.
            supplier=SandboxSupplier(pool, random=Rolls(chance, "supplier", 0), timeout_seconds=0),
        )
        self._first = FailureTypes().intercept_activity(_Attempt())
        self._records = Records(pool)
        chores = duties(client, pool, task_queue="simulated", carriers=carriers)
        self._reports = [duty for duty in chores if duty.channel == waits.CHANNEL]
        self._buying = [duty for duty in chores if duty.channel == replenishment.CHANNEL]
        self._others = [duty for duty in chores if duty.channel != waits.CHANNEL and _fits(duty)]

    # What the workflow's activities are answered with ---------------------------------------------

    def activities(self) -> dict[str, Callable[[Any], Any]]:
        """The real ones, by name."""
        return {step.__name__: self._as_fake(step) for step in self.steps}

    def _as_fake(self, step: Callable[[Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
        @wraps(step)
        def attempt(ask: Any) -> Any:
            self._touched = True
            self._chance.seen[f"{step.__name__} for real"] += 1
            given: Any = SimpleNamespace(fn=step, args=[ask])
            try:
                return self.do(self._first.execute_activity(given))
            except activity._CompleteAsyncError:
                raise Pending from None
            except ApplicationError:
                raise
            except Exception as error:
                where = "".join(traceback.format_exc(limit=-3))
                raise Broken(f"{step.__name__} raised {type(error).__name__}: {where}") from error

        return attempt

    # What people see ------------------------------------------------------------------------------

    def look_if_touched(self) -> None:
        """Look, where an activity has come to its work since the last time."""
        if self._touched:
            self.look()
        else:
            self._relay_soon()

    @property
    def pool(self) -> Pool:
        return self._ground.pool

    def look(self) -> None:
        """Read the order's rows. Whoever finds something to do in them does it, sooner or later."""
        self.state = self.do(self._read())
        self._touched = False
        for part in self.state.parts.values():
            self._plan(part)
        for each in self.state.returns.values():
            if each.state in ("approved", "in_transit"):
                self._once(f"return {each.id}", partial(self._receive, each), days=5)
            if each.state == "approved" and each.kind == "customer":
                self._once(f"label {each.id}", self.sweep)
                if each.label is not None:
                    self._once(f"post {each.id}", partial(self._posted, each), days=1)
        self._buy_soon()
        self._relay_soon()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Something with the database, now."""
        return self._ground.do(work, self._life.now)

    async def _read(self) -> State:
        async with self._ground.pool.acquire() as conn:
            return await read_state(conn, self.order.order_id)

    # Warehouse and carrier ------------------------------------------------------------------------

    def _plan(self, part: Part) -> None:
        again = f" again {part.opened}" if part.opened else ""
        for each in part.put_backs:
            self._once(f"put back {each}", partial(self._put_back, each))
        match part.state:
            case "picking":
                self._once(f"pick {part.id}", partial(self._pick, part.id))
            case "picked" if not part.put_backs:
                self._once(f"pack {part.id}{again}", partial(self._pack, part.id))
            case "packed":
                self._watch(part.id)
            case "labelled":
                self._once(f"hand over {part.id}{again}", partial(self._hand_over, part.id))
            case "shipped":
                if self._chance.happens("scan on the way", part.id, 0.3):
                    self._once(f"scan {part.id}", partial(self._scan, part.id), days=6)
                self._once(f"deliver {part.id}", partial(self._deliver, part.id), days=4)

    def _once(self, name: str, do: Callable[[], None], *, days: float = 0) -> None:
        if name in self._planned:
            return
        self._planned.add(name)
        rng = self._chance.of(f"time of {name}")
        hours = rng.expovariate(1 / self._slow) + (rng.uniform(0.2, 2) * days * 24)
        if self._chance.happens("person forgets", name, 0.05):
            hours += rng.uniform(20, 24 * 9)
        self._life.later(timedelta(hours=hours), do)

    def _now(self, part_id: str, state: str) -> bool:
        """Whether it is still in this state; the people then do what they came for."""
        self.state = self.do(self._read())
        part = self.state.parts.get(part_id)
        return part is not None and part.state == state

    def _pick(self, part_id: str) -> None:
        if not self._now(part_id, "picking"):
            return None
        if self.state.kept_here:
            return self._once_more("pick", part_id, self._pick)
        desk = self._records.warehouse
        if self._chance.happens("refused by the warehouse", part_id, 0.05):
            self.do(desk.refuse(part_id, "too heavy", who=WHO))
            return self.look()
        counted = None
        if self._chance.happens("short pick", part_id, self._short):
            rng = self._chance.of(f"short {part_id}")
            wanted = self.state.parts[part_id].reserved
            counted = {line_id: n - rng.randint(0, n) for line_id, n in wanted.items()}
        self.do(desk.pick(part_id, counted, who=WHO))
        return self.look()

    def _put_back(self, put_back_id: str) -> None:
        self.do(self._records.warehouse.put_back(put_back_id, who=WHO))
        self.look()

    def _pack(self, part_id: str) -> None:
        if self._now(part_id, "picked") and not self.state.parts[part_id].put_backs:
            self.do(self._records.warehouse.pack(part_id, who=WHO))
            self.look()

    def _hand_over(self, part_id: str) -> None:
        if not self._now(part_id, "labelled"):
            return None
        leave = self._records.warehouse.hand_over(
            part_id, who=WHO, at=self._life.now, label_within_s=0
        )
        try:
            self.do(leave)
        except Refused:  # where it is not paid any more, or its order is held
            self._chance.seen["refused at the door"] += 1
            return self._once_more("hand over", part_id, self._hand_over)
        return self.look()

    def _once_more(self, what: str, part_id: str, do: Callable[[str], None]) -> None:
        self._tries[part_id] = tries = self._tries.get(part_id, 0) + 1
        self._once(f"{what} {part_id} again {tries}", partial(do, part_id))

    def _scan(self, part_id: str) -> None:
        self._says(part_id, "in_transit", f"scan {part_id}")

    def _deliver(self, part_id: str) -> None:
        status = "delivered"
        if self._chance.happens("lost by the carrier", part_id, 0.08):
            status = "failure"
        elif self._chance.happens("undeliverable", part_id, 0.05):
            status = "return_to_sender"
        self._says(part_id, status, f"end {part_id}")
        if status == "failure" and self._chance.happens("turns up", part_id, 0.5):
            self._once(f"turn up {part_id}", partial(self._turns_up, part_id))

    def _turns_up(self, part_id: str) -> None:
        """A lost parcel comes back, or reaches its customer, who keeps it or sends it back."""
        status = self._chance.pick(f"as {part_id}", ("return_to_sender", "delivered", "delivered"))
        self._says(part_id, status, f"turn up {part_id}")
        if status == "delivered":
            step, order_id = f"{scans.LATE}{part_id}", self.order.order_id
            if self._chance.happens("sent back after all", part_id, 0.5):
                self.do(self._sent_back(order_id, step))
            else:
                desk = self._records.carriers
                self.do(desk.settle_late_scan(order_id, step, "they keep it", who=WHO))
            self.look()

    async def _sent_back(self, order_id: str, step: str) -> None:
        async with self._ground.pool.acquire() as conn:
            await found_parcels.send_back(conn, order_id, step, "they send it back", who=WHO)

    def _says(self, part_id: str, status: Any, event_id: str) -> None:
        """The carrier says it, in half of the cases twice."""
        part = self.state.parts[part_id]
        assert part.carrier is not None
        assert part.tracking_number is not None
        self._scanned((part.carrier, part.tracking_number), status, event_id)

    def _scanned(self, parcel: Sequence[str], status: Any, event_id: str) -> None:
        carrier, number = parcel
        twice = self._chance.happens("the carrier says it twice", event_id, 0.1)
        for _ in range(2 if twice else 1):
            self.do(
                self._records.carriers.event(
                    carrier=carrier,
                    tracking_number=number,
                    event_id=event_id,
                    status=status,
                    happened_at=self._life.now,
                )
            )
        self.look()

    def _posted(self, expected: Return) -> None:
        """A carrier has the parcel of a return."""
        now = self.state.returns.get(expected.id)
        if now is not None and now.label is not None:
            self._scanned(now.label, "in_transit", f"post {expected.id}")

    def _receive(self, expected: Return) -> None:
        self.look()
        now = self.state.returns.get(expected.id)
        if now is None or now.state not in ("approved", "in_transit"):
            return
        counted: Mapping[str, Counted | Sequence[Found]] | None = None
        if expected.kind == "customer":
            if self._chance.happens("never comes back", expected.id, 0.1):
                if now.state == "approved":
                    return
                counted = {}
            elif self._chance.happens("less comes back", expected.id, 0.2):
                rng = self._chance.of(f"comes back {expected.id}")
                counted = {
                    k: Counted(restocked=rng.randint(0, n)) for k, n in expected.units.items()
                }
            elif now.label is not None and self._chance.happens("is worn", expected.id, 0.4):
                rng = self._chance.of(f"worn {expected.id}")
                counted = {
                    k: [Found(quantity=n, condition=rng.choice(CONDITIONS))]
                    for k, n in expected.units.items()
                }
        extra = []
        if expected.kind == "customer" and self._chance.happens("is over-full", expected.id, 0.1):
            extra = [FoundGoods(sku=self.order.lines[0].sku, quantity=1)]
            self._once(f"settle what came with {expected.id}", self._settle)
        desk = self._records.warehouse
        received = desk.receive_return(expected.id, counted, extra=extra, location="main", who=WHO)
        self.do(received)
        self.look()

    def receive_found(self) -> None:
        """The order does not wait for a lost parcel that turns up: it may come after the end."""
        self.look()
        for found in [each for each in self.state.returns.values() if each.kind == "found"]:
            self._receive(found)

    def _settle(self) -> None:
        """A person sends back what was in a return's parcel besides."""
        dock = self._records.unannounced
        for parcel in self.do(dock.list(open_only=True)):
            self.do(dock.settle(parcel.parcel_no, "sent back"))

    # The relay ------------------------------------------------------------------------------------

    def _relay_soon(self) -> None:
        """The relay hands over what somebody waits for; what nobody does comes to nothing."""
        waiting = self._life.waiting
        due = [at for activity_id, at in self.state.reports.items() if activity_id in waiting]
        if not due:
            return
        at = max(min(due), self._life.now + A_MOMENT)
        if self._relay_at is None or at < self._relay_at:
            self._relay_at = at
            self._life.later(at - self._life.now, self._relay)

    def _relay(self) -> None:
        self._relay_at = None
        for duty in self._reports:
            self.do(_run(duty))
        self.look()

    def _buy_soon(self) -> None:
        """The relay asks suppliers for what lacks now, where items are made for orders."""
        lacks = self.state.backorders if self.state.decision == "confirmed" else {}
        if self._bought and lacks and lacks != self._to_buy:
            self._life.later(A_MOMENT, self._buy)
        self._to_buy = lacks

    def _buy(self) -> None:
        for duty in self._buying:
            self.do(_run(duty))

    def _watch(self, part_id: str) -> None:
        """What is packed and gets no label may need the relay's other duties. Thrice."""
        if self._watched.setdefault(part_id, 0) < 3 and part_id not in self._watching:
            self._watched[part_id] += 1
            self._watching.add(part_id)
            self._life.later(A_WHILE, partial(self._watched_for, part_id))

    def _watched_for(self, part_id: str) -> None:
        self._watching.discard(part_id)
        self.sweep()

    def sweep(self) -> None:
        """The relay does all its other duties, in one moment: few of them find something."""
        self.do(_run_all(self._others))
        self.look()

    @property
    def in_work(self) -> bool:
        """Whether time alone may change something about it."""
        state = self.state
        return bool(state.backorders or state.returns) or any(
            x.state in IN_WORK for x in state.parts.values()
        )

    # What else happens in the world ---------------------------------------------------------------

    def arrive(self, sku: str, location: str, units: int) -> None:
        """Goods come in at the dock."""
        self._arrived += 1
        key = f"{self.order.order_id} {self._arrived}"
        dock = self._records.stock
        self.do(dock.receive(key, sku, location, units, new_location=False, who=WHO, why="came"))
        self.look()

    def falls_short(self, part: Part, units: int) -> None:
        """A count of a shelf finds so many fewer than are claimed there."""
        lines = {line.line_id: line.sku for line in self.order.lines}
        claimed = [lines[line_id] for line_id, n in part.reserved.items() if n and line_id in lines]
        if not claimed:  # it holds nothing but what an edit has added
            return
        sku = claimed[0]
        self._arrived += 1
        key = f"{self.order.order_id} {self._arrived}"
        dock = self._records.stock

        async def count() -> None:
            (level,) = [
                x for x in await dock.list(sku=sku, at_most=10) if x.location == part.location
            ]
            counted = max(0, level.allocated - units)
            await dock.count(key, sku, part.location, counted, who=WHO, why="count")

        self.do(count())
        self.look()

    def end_an_authorization(self) -> None:
        """The customer's bank lets go of what it set aside, before its time."""

        async def end() -> None:
            async with self._ground.pool.acquire() as conn:
                await conn.execute(
                    "update sandbox.payment set expires_at = moment()"
                    " where order_id = $1 and expires_at > moment()",
                    self.order.order_id,
                )

        self.do(end())

    def open_claims(self) -> list[str]:
        """The order's claims that wait for a person."""

        async def read() -> list[str]:
            async with self._ground.pool.acquire() as conn:
                found = await claims.listed(conn, order_id=self.order.order_id, open_only=True)
            return sorted(claim.claim_id for claim in found)

        return self.do(read())

    def dispute(self, *, ends: bool = False) -> None:
        """The customer's bank asks about a charge; or it has decided for us."""
        self.do(self._dispute(ends=ends))

    async def _dispute(self, *, ends: bool) -> None:
        order_id, now = self.order.order_id, self._life.now
        async with self._ground.pool.acquire() as conn, conn.transaction():
            made = await payments.authorizations(conn, order_id)
            charged = [each for each in made if each.captured and each.provider == "sandbox"]
            if charged:
                told = Dispute(
                    dispute_id=f"dp {order_id}",
                    subjects=(str(charged[0].reference),),
                    amount=Money(minor=charged[0].captured, currency=self.order.currency),
                    fee=Money(minor=0, currency=self.order.currency),
                    state=DisputeState.WON if ends else DisputeState.NEEDS_RESPONSE,
                    moves=2 if ends else 1,
                    opened_at=now - timedelta(minutes=1),
                    said_at=now,
                )
                await disputes.hear(conn, "sandbox", told)
