"""Any sequence of exchanges, and of what goes wrong with them: in the end the money is right.

Customers exchange what they have, also what they have by an exchange. Orders are cancelled, goods
come back worn, late or never, companies do not answer, and steps run twice. What the customer has
paid in the end is what the customer has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

import pytest

from activities.aftersales.returns import ApproveReturn, DecideReturn
from activities.payments.authorizations import Authorizations
from activities.payments.contracts import Authorize, Charge, GrantRefund, Refund, Void
from activities.payments.exchange_ends import ExchangeEnds
from activities.payments.exchange_provider import ExchangeMoney
from activities.payments.exchanges import AgreeExchange
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.provider_errors import Declined, OutcomeUnknown, TimedOut, Unavailable
from activities.providers.by_code import GiftCards
from domain.aftersales.return_counts import Found
from domain.aftersales.return_rules import ReturnRule
from domain.errors import NotAuthorized, Refused
from domain.money import Money
from domain.orders.exchange_messages import ExchangeRequest
from domain.orders.messages import RefundRequest
from domain.orders.policy import Policy
from domain.orders.providers import EXCHANGE
from domain.payments.vouchers import ToIssue
from domain.stock.reservations import ReserveStock
from store.aftersales import return_rules
from store.database import Pool
from store.orders import orders
from store.payments import vouchers
from store.payments.vouchers import Change
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping

T = TypeVar("T")

SEEDS = 6
ACTS = 24


class Life:
    """One customer's orders, by chance."""

    def __init__(self, pool: Pool, seed: int) -> None:
        self.rng = Random(seed)
        self.bench = Bench(pool)
        self.had: list[str] = []  # orders whose goods the customer has, or had
        self.placed: dict[str, str] = {}  # exchange orders: new, begun, sent, over
        self.back: dict[str, str] = {}  # returns: expected, counted, over
        self.tries: dict[str, int] = {}  # tries to authorize
        self.charges: dict[str, int] = {}  # parcels that left: tries to charge
        self.number = 0
        refund = self.bench.payment.refund

        async def faulty(**call: Any) -> PaymentReceipt:
            if self.rng.random() < 0.2:
                raise Unavailable("before its effect")
            receipt = await refund(**call)
            if self.rng.random() < 0.2:
                raise TimedOut("after its effect")
            return receipt

        companies: dict[str, PaymentProvider] = {
            "sandbox": self.bench.payment,
            "gift_card": GiftCards(pool),
        }
        companies[EXCHANGE] = ExchangeMoney(pool, companies)
        self.bench.authorizations = Authorizations(pool, companies)
        self.bench.payments = Payments(pool, companies)
        self.bench.payment.refund = faulty  # type: ignore[method-assign]  # as a bad line does

    async def begin(self) -> None:
        bench, rng = self.bench, self.rng
        rule = ReturnRule(restocking_percent={"used": 30})
        async with bench.pool.acquire() as conn:
            await return_rules.save(conn, [rule])
        for sku in ("TEA", "POT"):
            await bench.stocked(sku, 200)
        card = "tok_refund_refused" if rng.random() < 0.15 else "tok_ok"
        tenders = []
        if rng.random() < 0.5:
            gift = ToIssue(kind="gift_card", amount=Money(minor=2000, currency="USD"))
            async with bench.pool.acquire() as conn:
                code = (await vouchers.give(conn, gift, Change("g1", "ida", "sold"))).code
            tenders = [{"provider": "gift_card", "token": code, "amount": "20.00"}]
        order = an_order(
            ("TEA", rng.randint(1, 3), "33.33"),
            shipping=shipping(rng.choice(("0.00", "4.99"))),
            payment={"token": card},
            tenders=tenders,
        )
        await bench.take_in(order, Policy(refund_tenders=rng.choice(("last_first", "by_ratio"))))
        await bench.charged(await bench.at(order, "delivered"))
        self.had.append(order.order_id)

    async def act(self) -> None:
        acts: list[Callable[[], Awaitable[None]]] = [
            *(self.exchange, self.exchange, self.count, self.count, self.pay, self.pay),
            *(self.start, self.start, self.send, self.send, self.charge, self.charge),
            *(self.give_up, self.cancel, self.send_back, self.tell, self.tell, self.give),
        ]
        await self.rng.choice(acts)()

    async def again(self, step: Callable[[], Awaitable[T]]) -> T | None:
        """A step runs until it has its outcome, and sometimes once more."""
        for _ in range(30):
            with suppress(OutcomeUnknown):
                done = await step()
                if self.rng.random() < 0.2:
                    with suppress(OutcomeUnknown, Refused, Declined):
                        await step()
                return done
        return None

    def one(self, known: dict[str, str], *states: str) -> str | None:
        found = [each for each, state in known.items() if state in states]
        return self.rng.choice(found) if found else None

    async def exchange(self) -> None:
        order_id = self.rng.choice(self.had)
        left = await self.bench.count(
            "select (delivered - return_requested - returned)::bigint from order_line "
            "where order_no = order_no_of($1) and line_id = '1'",
            order_id,
        )
        if not left:
            return
        self.number += 1
        units = {"1": self.rng.randint(1, left)}
        request: dict[str, Any] = {"reason": "x", "mode": self.rng.choice(("standard", "advance"))}
        match self.rng.choice(("same", "dearer", "cheaper")):
            case "dearer":
                request["wants"] = [{"sku": "POT", "quantity": 2, "unit_price": "50.01"}]
            case "cheaper":
                request["wants"] = [{"sku": "POT", "quantity": 1, "unit_price": "7.77"}]
        if self.rng.random() < 0.5:
            request["payment"] = {"provider": "sandbox", "token": "tok_ok"}
        back = ApproveReturn(
            order_id=order_id,
            request_id=f"x{self.number}",
            units=units,
            reason="x",
            who="ida",
        )
        ask = AgreeExchange(back=back, request=ExchangeRequest.model_validate(request))
        agreed = await self.again(lambda: self.bench.exchanges.agree_exchange(ask))
        assert agreed is not None
        if agreed.outcome is None:  # What is paid back already pays for nothing.
            assert agreed.refusal is not None
            assert (agreed.refusal.reason, "wants" in request) == ("price_missing", False)
            return
        self.placed[agreed.outcome.exchange_order_id] = "new"
        self.back[agreed.return_id] = "expected"

    async def start(self) -> None:
        order_id = self.one(self.placed, "new")
        if order_id is None:
            return
        await self.bench.inventory.reserve_stock(ReserveStock(order_id=order_id))
        if await self.authorized(order_id):
            self.placed[order_id] = "begun"
        else:
            await self.over(order_id, "rejected")

    async def authorized(self, order_id: str, *parts: str) -> bool:
        """False: the customer does not pay what is to be paid more."""
        tries = self.tries.setdefault(order_id, 1)
        ask = Authorize(order_id=order_id, parts=parts, attempt=tries)
        try:
            await self.bench.authorizations.authorize_payment(ask)
        except Declined:
            self.tries[order_id] += 1
            if self.rng.random() < 0.3:
                return False
            card = {"provider": "sandbox", "token": "tok_ok", "attempt": self.tries[order_id]}
            await self.bench.authorizations.authorize_payment(ask.model_copy(update=card))
        return True

    async def send(self) -> None:
        order_id = self.one(self.placed, "begun")
        if order_id is None or await self.held(order_id):
            return
        part, warehouse = f"{order_id}:1", self.bench.warehouse
        await warehouse.pick(part, who="picker")
        await warehouse.pack(part, who="packer")
        sent = await self.bench.send(part)
        if sent is not None:
            assert sent.outcome == "unpaid"
            if not await self.authorized(order_id, part):
                self.placed[order_id] = "packed"
                await self.over(order_id, "cancelled")
                return
            assert await self.bench.send(part) is None
        await warehouse.hand_over(part, who="packer")
        await self.bench.scan(part, "delivered")
        self.placed[order_id] = "sent"
        self.charges[part] = 1
        self.had.append(order_id)

    async def held(self, order_id: str) -> bool:
        query = "select count(*) from order_hold where order_no = order_no_of($1) and {}"
        over = query.format("until <= moment() and released_at is null")
        if await self.bench.count(over, order_id):
            await self.over(order_id, "cancelled")
            return True
        return await self.bench.count(query.format("released_at is null"), order_id) > 0

    async def charge(self) -> None:
        if not self.charges:
            return
        part = self.rng.choice([*self.charges])
        order_id = part.split(":")[0]

        async def step() -> bool:
            ask = Charge(order_id=order_id, part_id=part, attempt=self.charges[part], renews=True)
            return (await self.bench.payments.charge_payment(ask)).awaits_exchange

        try:
            awaits = await self.again(step)
        except NotAuthorized:
            self.charges[part] += 1
            tries = self.tries.setdefault(order_id, 1)
            ask = Authorize(order_id=order_id, parts=(part,), attempt=tries)
            try:
                await self.bench.authorizations.authorize_payment(ask)
            except Declined:
                self.tries[order_id] += 1
                card = {"provider": "sandbox", "token": "tok_ok", "attempt": self.tries[order_id]}
                await self.bench.authorizations.authorize_payment(ask.model_copy(update=card))
            return
        if awaits:
            self.charges[part] += 1
        else:
            del self.charges[part]

    async def count(self) -> None:
        return_id = self.one(self.back, "expected")
        if return_id is None:
            return
        found = [Found(quantity=1, condition=self.rng.choice(("new", "used")))]
        counted = {"1": found} if self.rng.random() < 0.5 else None
        await self.bench.warehouse.receive_return(return_id, counted, who="dock")
        self.back[return_id] = "counted"

    async def pay(self) -> None:
        return_id = self.one(self.back, "counted")
        if return_id is None or f"{return_id.split(':')[0]}:1" in self.charges:
            return  # What is not charged yet is not paid back: the order waits for that.
        owed = "select count(*) from refund where refund_id = $1"
        if not await self.bench.count(owed, return_id):
            self.back[return_id] = "over"
            return
        if await self.paid(return_id):
            self.back[return_id] = "over"

    async def paid(self, refund_id: str) -> bool:
        """Whether it is paid: a person does it where the company refuses."""
        try:
            return bool(await self.again(lambda: self.refunded(refund_id)))
        except (Declined, Refused):
            by_hand = Refund(refund_id=refund_id, by_hand="by bank transfer")
            await self.bench.payments.refund_payment(by_hand)
            return True

    async def refunded(self, return_id: str) -> bool:
        await self.bench.payments.refund_payment(Refund(refund_id=return_id))
        return True

    async def give_up(self) -> None:
        return_id = self.one(self.back, "expected")
        if return_id is not None:
            ask = DecideReturn(
                order_id=return_id.split(":")[0],
                request_id=f"up:{return_id}",
                return_id=return_id,
                decision="cancel",
                why="keeps it",
                who="ida",
            )
            await self.bench.returns.decide_return(ask)
            self.back[return_id] = "over"

    async def cancel(self) -> None:
        order_id = self.one(self.placed, "begun")
        if order_id is not None:
            await self.over(order_id, "cancelled")

    async def over(self, order_id: str, how: Any) -> None:
        """It ends before anything of it has left: what was authorized for it is released."""
        void = Void(order_id=order_id, why="over")
        await self.again(lambda: self.voided(void))
        async with self.bench.pool.acquire() as conn:
            await orders.decide(conn, order_id, how, "over")
        self.placed[order_id] = "over"

    async def voided(self, void: Void) -> bool:
        await self.bench.authorizations.void_payment(void)
        return True

    async def send_back(self) -> None:
        """An ordinary return of something."""
        order_id = self.rng.choice(self.had)
        left = "select (delivered - return_requested - returned)::bigint from order_line where "
        if await self.bench.count(f"{left} order_no = order_no_of($1) and line_id = '1'", order_id):
            self.number += 1
            back = ApproveReturn(
                order_id=order_id,
                request_id=f"r{self.number}",
                units={"1": 1},
                reason="x",
                who="ida",
            )
            self.back[(await self.bench.returns.approve_return(back)).return_id] = "expected"

    async def give(self) -> None:
        """Goodwill, or a unit is paid back that the customer keeps."""
        order_id = self.rng.choice(self.had)
        if f"{order_id}:1" in self.charges:
            return
        self.number += 1
        wishes: dict[str, Any] = {"amount": "1.11"}
        if self.rng.random() < 0.5:
            wishes = {"lines": [{"line_id": "1", "quantity": 1}]}
        request = RefundRequest(reason="scratched", **wishes)
        asked = GrantRefund(order_id=order_id, request_id=f"g{self.number}", request=request)
        granted = (await self.bench.payments.grant_refund(asked)).granted
        if granted is not None:
            await self.paid(granted.refund_id)

    async def tell(self) -> None:
        await ExchangeEnds(self.bench.pool).tell()

    async def end(self) -> None:
        """All that is open comes to its end."""
        for _ in range(60):
            for act in (self.start, self.count, self.tell, self.send, self.charge, self.pay):
                await act()
            await self.tell()
            for order_id, state in list(self.placed.items()):
                if state == "begun":
                    await self.held(order_id)
            open_ = {*self.placed.values(), *self.back.values()} - {"sent", "over"}
            if not open_ and not self.charges:
                return
        raise AssertionError(f"it does not end: {self.placed} {self.back} {self.charges}")

    async def check(self) -> None:
        async with self.bench.pool.acquire() as conn:
            found = await audit.look(conn)
        wrong = [x for x in found.violations if x.rule in ("money", "ledger", "provider")]
        assert not wrong, wrong
        count = self.bench.count
        assert (
            await count(
                "select coalesce(sum(amount_minor), 0)::bigint from posting "
                "where account = 'exchange_clearing'"
            )
            == 0
        )
        # What moved at the company and by hand is what the customer has paid for all that stays.
        moved = await count(
            "select sum(case kind when 'capture' then amount_minor else -amount_minor end)::bigint "
            "from payment where state = 'succeeded' and kind in ('capture', 'refund') "
            "and provider in ('sandbox', 'gift_card', 'by_hand')"
        )
        stays = await count("select sum(charged - refund_granted)::bigint from order_money")
        owed = await count("select coalesce(sum(came_back_minor), 0)::bigint from refund")
        assert moved == stays + owed


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_what_is_paid_in_the_end_is_what_the_customer_has(pool: Pool, seed: int) -> None:
    life = Life(pool, seed)
    await life.begin()
    for _ in range(ACTS):
        await life.act()
    await life.end()
    await life.check()
