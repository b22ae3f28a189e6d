"""The life of one order on a real database: the same people and mishaps as in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from functools import wraps
from types import SimpleNamespace
from typing import Any, Final

from activities.orders.order_records import Attention
from domain.money import Money
from domain.orders.handling import ItemHandling
from domain.orders.order import Order
from domain.orders.return_messages import ReturnState
from domain.payments.vouchers import ToIssue
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.items import Item
from store.accounting.valuation import NOTHING
from store.locks import lock_stock
from store.orders import intake
from store.payments import credit, vouchers
from store.payments.vouchers import Change
from store.purchasing import suppliers
from store.stock import items, stock
from tests.simulation.chance import Chance
from tests.simulation.driver import BEGAN, Broken
from tests.simulation.leading import Lead
from tests.simulation.losing import REOPENED
from tests.simulation.on_postgres.exchanging import AGAIN, Original
from tests.simulation.on_postgres.ground import ASKED, LABELLED, Ground
from tests.simulation.on_postgres.world import WHO, Part, World
from tests.simulation.order_life import LOCATIONS, OrderLife
from tests.simulation.orders_by_chance import a_policy

CARDS: Final = {"tok_ok": 90, "tok_capture_refused": 4, "tok_refund_refused": 6}
"""The card behind a token that the bank accepts, and how often."""

EXCHANGED: Final = 0.15
"""So many orders are exchange orders, of those that are charged as they leave."""

NOWHERE: Final = 0.03
"""So often the carrier does not deliver to the order's address."""

COMPANY_FAILS: Final = 0.1
"""So often a sandbox company does not answer a call, or answers nothing after its effect."""


def _terms(sku: str) -> SupplierItem:
    """On which terms a supplier makes it for an order."""
    terms = {"supplier": "maker", "lead_time_days": 3, "unit_price": "4.00", "currency": "EUR"}
    return SupplierItem.model_validate({**terms, "sku": sku})


class _Shelves:
    """Stock as the people of `order_life` see it: the rows of the database."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.arrive = world.arrive

    @property
    def parts(self) -> Mapping[str, Part]:
        return self._world.state.parts

    @property
    def backorders(self) -> Mapping[str, Any]:
        waits = self._world.state.backorders
        return {line_id: SimpleNamespace(quantity=units) for line_id, units in waits.items()}

    def sku(self, line_id: str) -> str:
        known = {line.line_id: line.sku for line in self._world.order.lines}
        return known.get(line_id, self._world.order.lines[0].sku)  # a line that an edit added

    def fall_back(self, part: Part, units: int) -> None:
        if any(part.reserved.values()):
            self._world.falls_short(part, units)


class _Bank:
    """What banks do by themselves."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._disputed = False

    def end_an_authorization(self, name: str) -> None:
        del name
        self._world.end_an_authorization()

    @property
    def disputed(self) -> bool:
        return self._disputed

    @disputed.setter
    def disputed(self, asks: bool) -> None:
        self._disputed = asks
        self._world.dispute(ends=not asks)


class _Records:
    """The order's row, its list of what needs a person, and its holds."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def decision(self) -> str:
        return self._world.state.decision

    @property
    def holds(self) -> Mapping[int, bool]:
        return {1: self._world.state.held}

    @property
    def attention(self) -> Mapping[str, Attention]:
        return {
            step: Attention(
                order_id=self._world.order.order_id,
                step=step,
                since=BEGAN,
                reason="listed",
                allowed=allowed,
            )
            for step, allowed in self._world.state.attention.items()
        }


class _Holds:
    """What people have asked for, that keeps the goods here."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def stand(self) -> bool:
        return self._world.state.kept_here


class _Claims:
    """Claims that wait for a person."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def open(self) -> list[str]:
        return self._world.open_claims()


class OrderLifeOnPostgres(OrderLife):
    """An order, its rows, and its people, as the seed has them."""

    world: World
    original: Original | None = None
    """The order that is exchanged for this one, where it is an exchange order."""

    def __init__(self, chance: Chance, ground: Ground) -> None:
        self._ground = ground
        ground.begin(chance.seed)
        super().__init__(chance)

    def live(self) -> None:
        """From placement to the end. What comes back for it comes by chance."""
        if self.original is not None:
            self.life.later(timedelta(days=self.original.days), self._comes_back)
        super().live()
        self.world.receive_found()

    def _comes_back(self) -> None:
        assert self.original is not None  # it is planned for an exchange order alone
        steps = {step.__name__: step for step in self.world.steps}
        if not self.world.do(self.original.comes(self._ground.pool, steps)):
            self.life.later(AGAIN, self._comes_back)
        self.chance.seen["goods of an exchange come back"] += 1
        self.world.look()

    def books(self, look: Coroutine[Any, Any, list[str]]) -> list[str]:
        """Look at the books of all lives so far, when the longest of them is over."""
        if self.original is not None:  # Where its order ended before it came.
            last = self.original.comes(self._ground.pool, self.world.calm_steps)
            if not self._ground.do(last, self._ground.latest):
                raise Broken(f"what comes back for {self.order.order_id} is not paid back")
        return self._ground.do(look, self._ground.latest)

    def _an_order(self, lead: Lead) -> Order:
        """Of its own customer and SKUs: lives share a database, and nothing else."""
        order = super()._an_order(lead)
        own = f"{self.chance.seed}"
        rng = self.chance.of("order on PostgreSQL")
        token = order.payment.token
        if token == "tok_ok" and lead.stocked != "well":
            token = rng.choices(list(CARDS), list(CARDS.values()))[0]
        document = order.model_dump(mode="json", by_alias=True, exclude_unset=True)
        document["channel_order_id"] = own
        document["customer"]["id"] = f"C-{own}"
        document["payment"]["token"] = token
        for line in document["lines"]:
            line["sku"] = f"{line['sku']}-{own}"
        if lead.stocked != "well" and rng.random() < NOWHERE:
            document["shipping"]["address"]["postal_code"] = "NOWHERE"
        charged = {"charge": a_policy(self.chance).charge, **lead.policy}["charge"]
        if charged == "at_shipment" and self.chance.happens("is an exchange", own, EXCHANGED):
            document.pop("tenders", None)
            plain = Order.model_validate(document)
            self.original = Original(plain, self.chance)
            return self.original.paying(plain)
        if document.get("tenders"):
            first = document["tenders"][0]
            token = self._ground.do(self._given(first["provider"], order, own), self._ground.moment)
            document["tenders"] = [{**first, "token": token}]
        return Order.model_validate(document)

    async def _given(self, kind: str, order: Order, own: str) -> str:
        """An account with store credit, or the code of a gift card or a voucher."""
        amount = Money(minor=10_000, currency=order.currency)
        async with self._ground.pool.acquire() as conn:
            if kind != "store_credit":
                wanted = ToIssue.model_validate({"kind": kind, "amount": amount})
                made = await vouchers.give(conn, wanted, Change(f"gift {own}", WHO, "gift"))
                assert made.code is not None
                return made.code
            given = await credit.grant(
                conn, key=f"gift {own}", customer_id=f"C-{own}", amount=amount, who=WHO, why="gift"
            )
        return given.account_id

    def _make_world(self, lead: Lead) -> None:
        self.world = World(
            self._ground,
            self.chance,
            self.life,
            self.order,
            captures=self.chance.pick("captures", ("several", "several", "once")),
            lasting=lead.lasting
            or self.chance.pick(
                "lasting", (None, timedelta(days=30), timedelta(days=7), timedelta(days=2))
            ),
            slow=lead.slow or self.chance.pick("people are slow", (0.2, 3, 20)),
            short=lead.short,
            bought=lead.bought,
            fails=0 if self.calm else COMPANY_FAILS,
        )
        shelves, backorderable = self._shelf_units(lead)
        self.world.do(self._stocked(shelves, backorderable, bought=lead.bought))
        self.world.do(self._taken_in())
        self.stock = _Shelves(self.world)  # type: ignore[assignment]  # has what people look at
        self.money = _Bank(self.world)  # type: ignore[assignment]  # has what people look at
        self.asked_holds = _Holds(self.world)  # type: ignore[assignment]  # has what people look at
        self.claims = _Claims(self.world)  # type: ignore[assignment]  # has what people look at
        self.records = self.memory = _Records(self.world)  # type: ignore[assignment]  # has what people look at

    def _plan_first_days(self, lead: Lead) -> None:
        """Items are those of all lives here: what is on sale later for one would be for others."""

    async def _taken_in(self) -> None:
        if self.original is not None:
            await self.original.sold(self._ground.pool, self.world.calm_steps)
            await self.original.agreed(self._ground.pool, self.order, self.policy)
            return
        async with self._ground.pool.acquire() as conn:
            await intake.take_in(conn, [intake.Received(self.order, self.policy)])

    async def _stocked(
        self, shelves: Mapping[tuple[str, str], int], back: list[str], *, bought: bool
    ) -> None:
        """Put goods on the shelves. `bought`: a supplier is asked for what lacks."""
        goods = [
            stock.Move(sku=sku, location=location, on_hand=units)
            for (location, sku), units in shelves.items()
            if units
        ]
        skus = sorted({sku for _, sku in shelves})
        async with self._ground.pool.acquire() as conn:
            # Of some lives a person decides about every return: their items have a rule.
            handling: ItemHandling = "made_to_order" if bought else "shipped"
            rng = self.chance.of("rule")
            category = ASKED if rng.random() < 0.3 else None
            if category is None and rng.random() < 0.5:
                category = LABELLED
            await items.save(
                conn,
                [
                    Item(sku=sku, backorder=sku in back, category=category, handling=handling)
                    for sku in skus
                ],
            )
            if bought:
                await suppliers.save(conn, [_terms(sku) for sku in skus])
            await stock.ensure_rows(conn, [(sku, x) for sku in skus for x in LOCATIONS])
            async with conn.transaction():
                await lock_stock(conn, skus)
                effect = f"receive:first {self.order.order_id}"
                await stock.move(conn, effect, "received", goods, paid=NOTHING, who=WHO, why="life")

    def returns(self) -> Mapping[str, ReturnState]:
        return {x: each.state for x, each in self.world.state.returns.items()}

    def _fakes(self) -> dict[str, Callable[[Any], Any]]:
        fakes = self.world.activities()
        note = fakes["note_attention"]

        @wraps(note)
        def noted(ask: Attention) -> None:
            note(ask)
            if ask.resolution is None:
                self._needs_a_person(ask)

        return {**fakes, "note_attention": noted}

    def _unrefusable(self) -> frozenset[str]:
        """A rule that refuses is one of the real rules here: of banks, carriers, and our own."""
        return frozenset(self._fakes())

    def _look(self) -> None:
        self.world.look_if_touched()
        self._leader.look()
        self._losing.look()

    def phases(self) -> list[str]:
        """Where it stands, by its rows as they were when somebody looked last."""
        state = self.world.state
        states = {part.state for part in state.parts.values()}
        stands = {
            "received": state.decision == "",
            "held": state.held,
            "picking": state.decision == "confirmed" and "picking" in states,
            "packed": bool(states & {"packed", "labelled"}),
            "on its way": "shipped" in states,
            "return window": "delivered" in states
            and states <= {"delivered", "cancelled", "exception"},
            "a charge due": state.due,
            "a return under way": any(x.kind == "customer" for x in state.returns.values()),
            "a refund owed": state.owed,
            "being cancelled": any(x.recalled and x.claimed for x in state.parts.values()),
            REOPENED: state.reopened,
        }
        return [phase for phase, is_so in stands.items() if is_so]

    @property
    def reopened(self) -> bool:
        return self.world.state.reopened

    def ended_as(self) -> str:
        """The same, by the rows of this moment."""
        self.world.look()
        return super().ended_as()

    def _patrol(self) -> None:
        if self.world.in_work:
            self.world.sweep()
        super()._patrol()
