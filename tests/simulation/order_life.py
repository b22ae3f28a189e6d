"""The life of one order: what it is, what its world holds, and what people do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from activities.orders.order_records import Attention
from domain import ids
from domain.orders.claim_messages import ClaimRequest, DecideClaimRequest
from domain.orders.continuation import OrderInput
from domain.orders.edit_messages import EditRequest
from domain.orders.handling import DIGITAL, MADE_TO_ORDER, PICK_UP, SHIPPED, Handling
from domain.orders.hold_messages import (
    ExtendRequest,
    HoldRequest,
    RejectRequest,
    ReleaseRequest,
)
from domain.orders.interception_messages import InterceptRequest, SendAnewRequest
from domain.orders.messages import (
    AttentionAnswer,
    CancelRequest,
    ChargeRequest,
    LineRequest,
    PayRequest,
    RefundRequest,
    RefundTo,
)
from domain.orders.order import Order
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.request_kinds import KINDS
from domain.orders.return_messages import (
    ReturnAnswer,
    ReturnGivenUp,
    ReturnLine,
    ReturnRequest,
    ReturnState,
)
from tests.simulation.chance import Chance
from tests.simulation.driver import BEGAN, CALM, HANGS_MAX, Broken, Life, Mishaps
from tests.simulation.edits_by_chance import an_edit
from tests.simulation.leading import (
    AFTER_THE_CLOSE,
    LEADS,
    LED_TO,
    ON_THE_WAY,
    Lead,
    Leader,
    direction,
    late_direction,
    planned_direction,
)
from tests.simulation.losing import (
    BY_PHASE,
    BY_STEP,
    REOPENED,
    Losing,
    phase_after_the_close,
    phase_of,
)
from tests.simulation.orders_by_chance import a_policy, an_order
from tests.simulation.world.claims import Claims
from tests.simulation.world.edits import Edits
from tests.simulation.world.holds import Holds
from tests.simulation.world.interceptions import Interceptions
from tests.simulation.world.memory import Memory
from tests.simulation.world.money import Money
from tests.simulation.world.records import OrderRecords
from tests.simulation.world.states import States
from tests.simulation.world.stock import Stock
from tests.simulation.world.suppliers import Suppliers
from tests.simulation.world.warehouse import Warehouse
from workflows.engine.steps import ENDS_EARLY
from workflows.order import OrderWorkflow

LOCATIONS: Final = ("main", "outlet", "far")
PATROL: Final = timedelta(hours=8)
"""As often, operators look at what still waits for them."""

LATE_MAX: Final = 3
"""So often is something asked for when it is closed."""

NONSENSE: Final[tuple[Any, ...]] = ({"lines": 7}, {}, [], "x", {"reason": ""}, {"amount": "1e9"})

ORDERED_AHEAD: Final = 0.06
"""So probable it is of each SKU that it is ordered before its first day of sale."""

WORKSHOP: Final = "x:engraving"
HANDLED: Final[Mapping[Handling, float]] = {DIGITAL: 0.06, PICK_UP: 0.08, WORKSHOP: 0.08}
"""In so many lives the goods are given out as codes, are collected, or go to a workshop."""

HELD: Final = 0.15
"""In so many lives somebody holds the order."""

CLAIMED: Final = 0.2
"""In so many lives the customer claims something."""

INTERCEPTED: Final = 0.15
"""In so many lives somebody has a parcel stopped on its way."""

EDITED: Final = 0.3
"""In so many lives somebody changes the order."""

CLAIMS_MAX: Final = 4
"""So many more it is, at most, while all of it is there."""

HOLD_ACTS: Final = ("hold", "release", "release", "extend", "reject")

NOT_REFUSED: Final = {
    "note_attention": "the list of what needs a person takes everything",
    "read_state": "the order is on record, or it would not have begun",
}
"""Steps that no rule refuses, and why not: a refusal would be a fault."""

UPDATES: Final = {kind.request: (kind.update, kind.signal) for kind in KINDS}
"""The update and the signal of each kind of request."""


class OrderLife:
    """An order, its world, and its people, as the seed has them."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        led = direction(chance, LED_TO, chance.seed)
        if led is None:
            led = late_direction(chance)
        self._late = 0.95 if led is not None and led.step in AFTER_THE_CLOSE else 0.1
        self._came_late = 0
        self.calm = led is None and chance.of("calm").random() < 0.4
        phase = "" if self.calm else phase_of(chance)
        if led is not None and led.step in AFTER_THE_CLOSE:
            phase = phase_after_the_close(chance)
        if led is not None and led.step in BY_PHASE:
            phase = BY_PHASE[led.step]
        self._step = step = BY_STEP.get(phase, "" if led is None else led.step)
        lead = LEADS.get(step, Lead(stocked="as it comes"))
        self.order = self._an_order(lead)
        self.policy = a_policy(chance).model_copy(update=dict(lead.policy))
        self.asked: dict[str, Any] = {}
        """What was asked for under which request id, or by which update."""
        events = self.chance.pick("continues after", (None, None, 1, 12))
        self.sent: dict[str, Any] = {}
        """What was asked for by each update whose request has an id."""
        self._start = OrderInput(
            order_id=self.order.order_id, policy=self.policy, continue_after_events=events
        )
        self.life = Life(
            OrderWorkflow,
            f"order:{self.order.order_id}",
            self._start,
            self.chance,
            CALM if self.calm else Mishaps(),
            led,
        )
        self._make_world(lead)
        self._answered = self._decided = self._claims_left = 0
        self._leader = Leader(lead, self, chance, self.life.later, self._act_as_led)
        self._losing = Losing(chance, self.life, self.phases, phase)
        self.life.serve(
            self._fakes(),
            unrefusable=self._unrefusable(),
            afterwards=self._look,
            keeper=self,
        )

    def live(self) -> None:
        """From placement to the end."""
        self._plan_first_days(LEADS.get(self._step, Lead()))
        self._plan()
        self._plan_holds()
        self._plan_claims()
        self._plan_interceptions()
        self._plan_edits()
        self._leader.look()
        self.life.later(PATROL, self._patrol)
        self.life.live()

    # The world ------------------------------------------------------------------------------------

    def _an_order(self, lead: Lead) -> Order:
        return an_order(self.chance, paid=lead.stocked == "well")

    def _make_world(self, lead: Lead) -> None:
        self.memory = Memory(
            self.life.reported, self._told, self.life.run_again, lambda: self.life.now
        )
        self.stock = self._shelves(lead)
        self.warehouse = Warehouse(
            self.memory,
            self.chance,
            lambda: self.life.now,
            self.life.later,
            self.stock,
            lead.slow or self.chance.pick("people are slow", (0.2, 3, 20)),
            short=lead.short,
            asked=lead.asked,
            posted=lead.posted,
            spoilt=lead.spoilt,
        )
        self.money = Money(
            self.memory,
            self.chance,
            lambda: self.life.now,
            captures=self.chance.pick("captures", ("several", "several", "once")),
            lasting=lead.lasting
            or self.chance.pick(
                "lasting", (None, timedelta(days=30), timedelta(days=7), timedelta(days=2))
            ),
            confirmed=self.warehouse.release,
            stock=self.stock,
        )
        self.warehouse.money = self.money
        self.asked_holds = Holds(
            self.memory,
            is_here=lambda: any(
                line.ordered > line.cancelled + line.shipped
                for line in self.stock.tallies.lines.values()
            ),
            go_on=self.warehouse.goes_on,
        )
        self.claims = Claims(
            *(self.memory, self.stock, lambda: self.money.disputed), self.warehouse.ask_back
        )
        self.warehouse.kept_here = lambda: self.asked_holds.stand
        self.warehouse.return_window = self.policy.return_window
        self.warehouse.return_ends = self.policy.return_ends_within
        self.money.own_tenders = self.stock.tenders
        self.money.leaving = self.warehouse.leaving
        self.records = OrderRecords(self.memory, self._needs_a_person)
        self.states = States(self.stock, self.warehouse, self.money, self.records)

    def _unrefusable(self) -> frozenset[str]:
        return frozenset(NOT_REFUSED)

    def _look(self) -> None:
        """Something may have given people something to do."""
        self.warehouse.look()
        self._leader.look()
        self._losing.look()

    def _shelves(self, lead: Lead) -> Stock:
        stock = Stock(self.memory, *self._shelf_units(lead))
        stock.handling = self._handling(lead)
        stock.on_record(self.order, self.policy)
        return stock

    def _handling(self, lead: Lead) -> Handling:
        """How the goods of this life come to the customer."""
        if lead.bought or lead.workshop:
            return MADE_TO_ORDER if lead.bought else WORKSHOP
        for handling, probability in HANDLED.items():
            if self.chance.happens("handled", handling, probability):
                return handling
        return SHIPPED

    def _shelf_units(self, lead: Lead) -> tuple[dict[tuple[str, str], int], list[str]]:
        """Units by location and SKU, and the SKUs that may be ordered while there are none."""
        rng = self.chance.of("shelves")
        skus = sorted({line.sku for line in self.order.lines})
        places = [(location, sku) for sku in skus for location in LOCATIONS]
        shelves = {place: rng.choice((0, 1, 2, 3, 5, 8, 20)) for place in places}
        backorderable = [sku for sku in skus if rng.random() < 0.7]
        match lead.stocked:
            case "well":
                shelves = {x: n + 12 for x, n in shelves.items()}
            case "badly":
                backorderable = skus
                shelves = {x: n if rng.random() < 0.4 else 0 for x, n in shelves.items()}
            case "not":
                shelves = dict.fromkeys(shelves, 0)
        return shelves, backorderable

    def _fakes(self) -> dict[str, Callable[[Any], Any]]:
        rooms: dict[str, Any] = {
            **dict.fromkeys(
                (
                    *("reserve_stock", "release_stock", "reserve_again", "reassign"),
                    *("await_stock", "join_backorders", "fill_backorder", "before_giving_up"),
                    "wait_longer",
                ),
                self.stock,
            ),
            **dict.fromkeys(
                (
                    *("authorize_payment", "void_payment"),
                    *("charge_payment", "grant_refund", "refund_payment"),
                ),
                self.money,
            ),
            **dict.fromkeys(
                (
                    *("pick_pack_ship", "stages", "recall", "put_back", "void_label", "take_out"),
                    *("stop_work", "work_wanted_again"),
                    *("await_delivery", "last_scan"),
                    *("approve_return", "decide_return", "receive_return", "send_anew"),
                    "receive_paid_return",
                ),
                self.warehouse,
            ),
            **dict.fromkeys(
                (
                    "close_order",
                    "reopen_order",
                    "close_again",
                    "keep_answer",
                    "tell",
                    "note_attention",
                    "note_hold",
                ),
                self.records,
            ),
            "change_holds": self.asked_holds,
            **dict.fromkeys(("make_claim", "decide_claim"), self.claims),
            "intercept_parcel": Interceptions(self.memory, self.chance, self.stock),
            **dict.fromkeys(
                ("open_purchases", "cancel_purchase"),
                Suppliers(self.memory, self.chance, self._supplier_sends),
            ),
            "apply_edit": Edits(self.memory, self.stock, self.warehouse, self.money),
            "read_state": self.states,
        }
        return {name: getattr(room, name) for name, room in rooms.items()}

    def _supplier_sends(self, line_id: str) -> None:
        """What a supplier does not stop comes, some days later: all that its line lacks."""

        def come() -> None:
            units = self.stock.tallies.lines[line_id].backordered
            if units:
                self.stock.arrive(self.stock.sku(line_id), LOCATIONS[0], units)

        self.life.later(timedelta(days=self.chance.between(f"{line_id} comes", 0.1, 30)), come)

    def _plan_first_days(self, lead: Lead) -> None:
        """Some goods are not on sale yet when they are ordered, and their day may move."""
        for sku in sorted({line.sku for line in self.order.lines}):
            if not self.chance.happens("ordered ahead", sku, 1 if lead.ahead else ORDERED_AHEAD):
                continue
            moves = self.chance.happens("its day moves", sku, 0.4)
            days = [self.chance.between(f"{sku} {n}", 0.1, 40) for n in range(1 + moves)]
            self.stock.on_sale[sku] = self.life.now + timedelta(days=days[0])
            if moves:
                began = self.life.now
                self.life.later(
                    timedelta(days=days[0] / 2), partial(self._move, sku, began, days[1])
                )
            for day in days:
                self.life.later(timedelta(days=day), self.stock.serve)

    def _move(self, sku: str, began: datetime, days: float) -> None:
        self.stock.on_sale[sku] = max(began + timedelta(days=days), self.life.now)
        self.stock.serve()

    # People ---------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Who will come when, and to do what."""
        self._mishaps_at("decide_return")
        if self._step in ON_THE_WAY:
            self._mishaps_at(ON_THE_WAY[self._step])
        rng = self.chance.of("plan")
        for number in range(rng.choice((0, 0, 1, 2, 3, 5, 9))):
            name = f"{number}"
            kinds = (
                *("cancel", "cancel", "cancel some", "cancel some", "cancel some"),
                *("return", "return some", "return some", "refund units", "refund shipping"),
                *("goodwill", "pay", "charge", "nonsense", "nudge", "cancel in Temporal"),
                *("goods arrive", "goods arrive", "count falls short", "authorization ends"),
                *("dispute", "again", "again", "again with other content"),
                *("give a return up", "give a return up"),
            )
            kind = rng.choice(kinds)
            when = timedelta(hours=rng.expovariate(1 / rng.choice((0.01, 1, 30, 200))))
            if self.chance.happens(kind, name, 1):
                self.life.later(when, partial(self._act, kind, name))

    def _plan_edits(self) -> None:
        """In some lives somebody changes the order, once or several times."""
        rng = self.chance.of("edits")
        # A life that was kept has its edits, whatever has become of the number.
        if rng.random() >= EDITED and self.chance.only is None:
            return
        self._mishaps_at("apply_edit")
        for number in range(rng.choice((1, 2, 3, 5))):
            name = f"edit-{number}"
            hours = rng.expovariate(1 / rng.choice((0.01, 0.2, 1, 30)))
            if self.chance.happens("edit", name, 1):
                self.life.later(timedelta(hours=hours), partial(self._edit, name))

    def _edit(self, name: str) -> None:
        rng = self.chance.of(f"act {name}")
        named = f"r{name}" if rng.random() < 0.6 else None
        self._ask(name, an_edit(rng, self.order, named), by_signal=rng.random() < 0.3)

    def _plan_holds(self) -> None:
        """In some lives somebody holds the order, and somebody else ends that."""
        rng = self.chance.of("holds")
        if rng.random() >= HELD:
            return
        self._mishaps_at("change_holds")
        for number in range(rng.choice((2, 3, 4, 6))):
            name = f"hold-{number}"
            kind = "hold" if number == 0 else rng.choice(HOLD_ACTS)
            hours = rng.expovariate(1 / rng.choice((0.01, 1, 10, 60)))
            named = f"r{name}" if rng.random() < 0.7 else None
            if self.chance.happens(kind, name, 1):
                self.life.later(timedelta(hours=hours), partial(self._hold, kind, name, named))

    def _plan_claims(self) -> None:
        """In some lives the customer claims what came, and somebody decides it."""
        rng = self.chance.of("claims")
        if rng.random() >= CLAIMED:
            return
        self._claims_left = CLAIMS_MAX
        self._mishaps_at("make_claim")
        self._mishaps_at("decide_claim")
        for number in range(rng.choice((2, 3, 5, 8))):
            name = f"claim-{number}"
            kind = rng.choice(("claim", "claim", "decide a claim"))
            hours = rng.expovariate(1 / rng.choice((20, 100, 300)))
            if self.chance.happens(kind, name, 1):
                self.life.later(timedelta(hours=hours), partial(self._claim, kind, name))

    def _plan_interceptions(self) -> None:
        """In some lives a parcel is to be stopped on its way."""
        rng = self.chance.of("interceptions")
        if rng.random() >= INTERCEPTED:
            return
        self._mishaps_at("intercept_parcel")
        self._mishaps_at("send_anew")
        for number in range(rng.choice((1, 2, 4))):
            hours = rng.expovariate(1 / rng.choice((10, 40, 100)))
            if self.chance.happens("intercept", f"{number}", 1):
                self.life.later(timedelta(hours=hours), partial(self._intercept, number))

    def _intercept(self, number: int) -> None:
        rng = self.chance.of(f"intercept {number}")
        request = InterceptRequest(
            fulfilment_id=ids.fulfilment_id(self.order.order_id, rng.choice((1, 1, 1, 2))),
            way=rng.choice(("return", "return", "redirect")),
            reason="the address is wrong",
            request_id=f"intercept-{number}",
        )
        self._ask(f"intercept-{number}", request, by_signal=rng.random() < 0.3)
        hours = rng.expovariate(1 / rng.choice((20, 100)))
        self.life.later(timedelta(hours=hours), partial(self._send_anew, number))

    def _send_anew(self, number: int) -> None:
        rng = self.chance.of(f"send anew {number}")
        request = SendAnewRequest(
            fulfilment_id=ids.fulfilment_id(self.order.order_id, rng.choice((1, 1, 1, 2))),
            reason="the customer was away",
            request_id=f"anew-{number}",
        )
        self._ask(f"anew-{number}", request, by_signal=rng.random() < 0.3)

    def _mishaps_at(self, step: str) -> None:
        """Few lives come to this step, so those that do have mishaps there."""
        if not self.calm:
            self.life.lead_also(planned_direction(self.chance, step))

    def _claim(self, kind: str, name: str) -> None:
        rng = self.chance.of(f"act {name}")
        named = f"r{name}" if rng.random() < 0.6 else None
        by_signal = rng.random() < 0.3
        if kind == "claim":
            what = rng.choice(("damaged", "damaged", "missing", "wrong", "late"))
            content: dict[str, Any] = {"kind": what, "reason": "x", "request_id": named}
            if what != "late":
                content["wish"] = rng.choice((None, "refund", "reship"))
                content["lines"] = [
                    {"line_id": each.line_id, "quantity": each.quantity}
                    for each in self._some_lines(rng)
                ]
            late = rng.random() < 0.2
            request = ClaimRequest.model_validate({**content, "late": late})
            return self._ask(name, request, by_signal)
        return self._decide_a_claim(name, rng, named, by_signal)

    def _decide_a_claim(self, name: str, rng: Any, named: str | None, by_signal: bool) -> None:
        waiting = self.claims.open
        if not waiting:
            return
        decision = rng.choice(("refund", "part_refund", "reship", "reship", "refused"))
        content: dict[str, Any] = {
            "claim_id": rng.choice(waiting),
            "decision": decision,
            "note": "seen",
            "request_id": named,
        }
        if decision in ("refund", "reship"):
            content["send_back"] = rng.random() < 0.3
        if decision == "part_refund":
            content["percent"] = rng.choice((1, 30, 100))
        self._ask(name, DecideClaimRequest.model_validate(content), by_signal)

    def _hold(self, kind: str, name: str, named: str | None = None) -> None:
        rng = self.chance.of(f"act {name}")
        asked: dict[str, Any] = {
            "hold": HoldRequest(reason="fraud_review", note="looks odd", request_id=named),
            "release": ReleaseRequest(note="is sound", request_id=named),
            "extend": ExtendRequest(note="not yet", until=None, request_id=named),
            "reject": RejectRequest(note="is not sound", request_id=named),
        }
        self._ask(name, asked[kind], by_signal=rng.random() < 0.3)

    def _act_as_led(self, kind: str, name: str) -> None:
        """What people do to bring the life to a step."""
        rng = self.chance.of(f"act {name}")
        named = f"r{name}" if rng.random() < 0.6 else None
        by_signal = rng.random() < 0.3
        match kind:
            case "cancel, named":
                everything = CancelRequest(reason="no", request_id=f"r{name}")
                return self._ask(name, everything, by_signal)
            case "cancel one":
                line = LineRequest(line_id=rng.choice(self.order.lines).line_id, quantity=1)
                less = CancelRequest(reason="one less", request_id=named, lines=(line,))
                return self._ask(name, less, by_signal)
            case "pay back a cent":
                cent = RefundRequest(reason="sorry", request_id=named, amount=Decimal("0.01"))
                return self._ask(name, cent, by_signal)
            case "wish":
                day = f"2026-12-{rng.randint(10, 24)}"
                wish = EditRequest.model_validate(
                    {"reason": "wish", "request_id": named, "requested_delivery_date": day}
                )
                return self._ask(name, wish, by_signal)
            case "goods that lack arrive":
                for line_id, each in list(self.stock.backorders.items()):
                    if each.quantity:
                        place, units = rng.choice(LOCATIONS), rng.randint(1, each.quantity)
                        self.stock.arrive(self.stock.sku(line_id), place, units)
                return None
        return self._act(kind, name)

    def _act(self, kind: str, name: str) -> None:
        rng = self.chance.of(f"act {name}")
        named = f"r{name}" if rng.random() < 0.6 else None
        by_signal = rng.random() < 0.3
        match kind:
            case "cancel":
                return self._ask(name, CancelRequest(reason="no", request_id=named), by_signal)
            case "cancel some":
                lines = self._some_lines(rng)
                ask = CancelRequest(reason="less", request_id=named, lines=lines)
                return self._ask(name, ask, by_signal)
            case "return":
                return self._ask(name, ReturnRequest(reason="no", request_id=named), by_signal)
            case "return some":
                lines = self._some_lines(rng)
                back = ReturnRequest(reason="less", request_id=named, lines=lines)
                return self._ask(name, back, by_signal)
            case "give a return up":
                under_way = [x for x, state in self.returns().items() if state == "approved"]
                if not under_way:
                    return None
                kept = ReturnGivenUp(
                    reason="kept", request_id=named, return_id=rng.choice(under_way)
                )
                return self._ask(name, kept, by_signal)
            case "refund units":
                lines = self._some_lines(rng)
                way = rng.random()
                to: RefundTo = "original" if way < 0.5 else "store_credit"
                if way > 0.75:
                    to = "voucher"
                shipping = rng.random() < 0.4
                units = RefundRequest(
                    reason="bad", request_id=named, lines=lines, to=to, shipping=shipping
                )
                return self._ask(name, units, by_signal)
            case "refund shipping":
                free = RefundRequest(reason="late", request_id=named, shipping=True)
                return self._ask(name, free, by_signal)
            case "goodwill" if self.chance.happens("a lower price", name, 0.4):
                line = rng.choice(self.order.lines)
                lower = line.unit_price * Decimal(rng.choice(("0.69", "0.7", "0.9", "0.99", "1")))
                seen = PriceMatchRequest(
                    line_id=line.line_id,
                    unit_price=lower.quantize(Decimal("0.01")),
                    evidence="seen elsewhere",
                    request_id=named,
                )
                return self._ask(name, seen, by_signal)
            case "goodwill":
                amount = Decimal(rng.choice(("0.01", "1.00", "3.33", "500.00")))
                sorry = RefundRequest(reason="sorry", request_id=named, amount=amount)
                return self._ask(name, sorry, by_signal)
            case "pay":
                return self._pay(name, rng.choice(("tok_ok", "tok_ok", "tok_decline")), named)
            case "charge":
                return self._ask(name, ChargeRequest(note="now", request_id=named), by_signal)
            case "nonsense":
                name = rng.choice(("cancel", "refund", "pay", "no such"))
                return self.life.signal(name, rng.choice(NONSENSE))
            case "nudge":
                return self.life.signal("nudge", None)
            case "cancel in Temporal":
                return self.life.cancel()
            case "goods arrive":
                sku = rng.choice(self.order.lines).sku
                return self.stock.arrive(sku, rng.choice(LOCATIONS), rng.randint(1, 6))
            case "count falls short":
                claimed = [x for x in self.stock.parts.values() if x.state in ("open", "picking")]
                if claimed and self.memory.decision:
                    part = rng.choice(claimed)
                    self.stock.fall_back(part, rng.randint(1, 3))
                return None
            case "authorization ends":
                self.money.end_an_authorization(f"ends {name}")
                return None
            case "dispute":
                self.money.disputed = True
                return self.life.later(timedelta(days=rng.randint(1, 20)), self._dispute_ends)
        return self._ask_again(kind, rng.choice([*self.asked] or [""]), by_signal)

    def _dispute_ends(self) -> None:
        self.money.disputed = False

    def _ask(self, name: str, request: Any, by_signal: bool) -> None:
        if request.request_id is not None:
            self.asked.setdefault(name, request)
        self._send(name, request, by_signal)

    def _ask_again(self, kind: str, name: str, by_signal: bool) -> None:
        request = self.asked.get(name)
        if request is None:
            return
        # Those that were asked while the run was lost count, too: no two have one id.
        again = f"{name}-again-{len(self.life.answers.keys() | self.life.unanswered)}"
        if kind == "again with other content":
            change = {"note": "other"} if isinstance(request, ChargeRequest) else {"by": "other"}
            self._send(f"{again}-other", request.model_copy(update=change), by_signal)
        else:
            self._send(again, request, by_signal)

    def _send(self, name: str, request: Any, by_signal: bool) -> None:
        update, signal = UPDATES[type(request)]
        if not self.life.over:
            phase = self.life.workflow.phase or "placing"
            way = "signal" if by_signal else "update"
            self.chance.seen[f"{signal} as {way}, {phase}"] += 1
        if by_signal:
            self.life.signal(signal, request)
        else:
            if request.request_id is not None:
                self.sent[f"u{name}"] = request
            self.life.update(f"u{name}", update, request)

    def _pay(self, name: str, token: str, named: str | None = None) -> None:
        self._ask(name, PayRequest(token=token, request_id=named), by_signal=False)

    def _some_lines(self, rng: Any) -> tuple[ReturnLine, ...]:
        chosen = rng.sample(self.order.lines, rng.randint(1, len(self.order.lines)))
        return tuple(
            ReturnLine(
                line_id=line.line_id,
                quantity=rng.choice((None, 1, line.quantity, rng.randint(1, line.quantity))),
            )
            for line in chosen
        )

    # Temporal loses the run -----------------------------------------------------------------------

    def begin_again(self) -> OrderInput:
        """What `orderloom resume` begins the next run with."""
        return self._start.model_copy(update={"goes_on": True, "settle": HANGS_MAX})

    def ended(self) -> None:
        """Its workflow has ended. Somebody may ask for something when it is closed."""
        if self.memory.decision != "closed" or self._came_late >= LATE_MAX or self.calm:
            return
        self._came_late += 1
        name = f"late-{self._came_late}"
        if self.chance.happens("asks late", name, self._late):
            self.life.begin_late(self._start.model_copy(update={"goes_on": True}))
            self._ask_late(name)

    def _ask_late(self, name: str) -> None:
        rng = self.chance.of(f"act {name}")
        named = f"r{name}" if rng.random() < 0.6 else None
        match rng.choice(("return", "return", "a cent", "units")):
            case "return":
                lines = self._some_lines(rng)
                back = ReturnRequest(reason="late", request_id=named, lines=lines, late=True)
                self._ask(name, back, by_signal=False)
            case "a cent":
                cent = RefundRequest(reason="sorry", request_id=named, amount=Decimal("0.01"))
                self._ask(name, cent, by_signal=False)
            case "units":
                units = RefundRequest(reason="bad", request_id=named, lines=self._some_lines(rng))
                self._ask(name, units, by_signal=False)

    @property
    def reopened(self) -> bool:
        """It is closed, and has something to do that came late."""
        return bool(self.memory.reopened)

    def ended_as(self) -> str:
        """How the order has ended by its row; empty while it goes on, or still needs a person."""
        goes_on = bool(self.records.attention) or self.reopened
        decision = "" if goes_on else self.memory.decision
        return decision if decision in ("rejected", "cancelled", "closed") else ""

    def lost(self) -> None:
        """Its run is lost in this moment."""
        self._losing.lost()

    def unanswered(self, update_id: str) -> None:
        """The caller sees an error, and asks again, later, where the request has an id."""
        request = self.sent.get(update_id)
        if request is not None and self.chance.happens("asks once more", update_id, 0.5):
            rng = self.chance.of(f"once more {update_id}")
            hours = rng.expovariate(1 / rng.choice((0.1, 5, 60)))
            name = f"{update_id.removeprefix('u')}-once-more"
            self.life.later(timedelta(hours=hours), partial(self._send, name, request, False))

    def _told(self, activity_id: str, outcome: Any) -> None:
        """The warehouse has told something; in this moment, too, the run may be lost."""
        self.life.told(activity_id, outcome)
        self._losing.look()

    def phases(self) -> list[str]:
        """Where it stands, by what the world has."""
        parts = list(self.stock.parts.values())
        states, confirmed = {part.state for part in parts}, self.memory.decision == "confirmed"
        returns = self.warehouse.returns.values()
        stands = {
            "received": self.memory.decision == "",
            "held": any(self.records.holds.values()),
            "picking": confirmed and "picking" in states,
            "packed": bool(states & {"packed", "labelled"}),
            "on its way": "shipped" in states,
            "return window": "delivered" in states
            and states <= {"delivered", "cancelled", "exception"},
            "a charge due": any(self.money.left_to_pay(x) for x in self.stock.tallies.due),
            "a return under way": any(
                each.kind == "customer" and each.received is None for each in returns
            ),
            "a refund owed": any(each.unissued for each in self.stock.tallies.granted.values()),
            "being cancelled": any(x.recalled_from and any(x.reserved.values()) for x in parts),
            REOPENED: self.reopened,
        }
        return [phase for phase, is_so in stands.items() if is_so]

    # Operators ------------------------------------------------------------------------------------

    def _needs_a_person(self, attention: Attention) -> None:
        if ENDS_EARLY in attention.reason:
            raise Broken(attention.reason)
        name = f"{attention.step} {attention.since:%d %H:%M:%S.%f}"
        hours = self.chance.of(f"operator {name}").expovariate(1 / 5)
        if self.chance.happens("operator is quick", name, 0.3):
            hours /= 300
        self.life.later(timedelta(hours=hours), lambda: self._answer(attention))

    def _answer(self, attention: Attention) -> None:
        if not attention.allowed:
            return
        self._answered += 1
        name = f"answer {attention.step} {self._answered}"
        weights = [6 if action == "retry" else 1 for action in attention.allowed]
        action = self.chance.pick(name, attention.allowed, weights)
        self.chance.seen[f"answered with {action}"] += 1
        answer = AttentionAnswer(step=attention.step, action=action, note="by an operator")
        self.life.waits_anew()
        self.life.update(f"a{self._answered}", "resolve_attention", answer)

    def returns(self) -> Mapping[str, ReturnState]:
        """Each return, and how far it is."""
        return {x: each.state for x, each in self.warehouse.returns.items()}

    def _decide(self, name: str, return_id: str) -> None:
        """A person decides about a return that the rules did not decide about."""
        rng = self.chance.of(f"decides {name}")
        answer = ReturnAnswer(
            return_id=return_id,
            decision=rng.choice(("approve", "approve", "refuse")),
            note="by a person",
            request_id=name if rng.random() < 0.5 else None,
        )
        self._ask(name, answer, by_signal=rng.random() < 0.3)

    def _patrol(self) -> None:
        """Somebody looks whether anything still waits for a person, or for a customer."""
        for attention in list(self.records.attention.values()):
            self._answer(attention)
        number = f"patrol {self.life.now - BEGAN}"
        rng = self.chance.of(number)
        if self.asked_holds.stand and rng.random() < 0.5:
            self._hold(rng.choice(("release", "release", "reject")), f"{number} holds")
        if self._claims_left and "return window" in self.phases() and rng.random() < 0.5:
            self._claims_left -= 1
            self._claim("claim", f"claims-{self._claims_left}")
        if self.claims.open and self.memory.decision == "confirmed" and rng.random() < 0.3:
            self._decide_a_claim(f"{number} claim", rng, None, False)
        for return_id, state in self.returns().items():
            if state == "requested" and rng.random() < 0.5:
                self._decided += 1
                self._decide(f"decision-{self._decided}", return_id)
        if any(self.records.holds.values()) and rng.random() < 0.5:
            if self.policy.charge == "manual" and self.memory.decision == "confirmed":
                self._ask(number, ChargeRequest(note="now"), by_signal=False)
            else:
                self._pay(number, rng.choice(("tok_ok", "tok_ok", "tok_decline")))
        self.life.later(PATROL, self._patrol)
