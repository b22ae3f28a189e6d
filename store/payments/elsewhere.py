"""Refunds that a payment company made without Orderloom, recorded for the order that they are of.

Each counts once, by the company's name for it, whoever tells of it: the company, its list of a day,
or a step whose own refund was refused because too little was left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain import ids
from domain.accounting import accounts
from domain.errors import Conflict
from domain.money import Money
from domain.payments.elsewhere import Allotment, Books, ByHand, Owing, PaidBack, allot, key_of
from domain.payments.payments import BY_HAND, CAME_BACK, Intent, Payment
from store.accounting import ledger
from store.aftersales import returns
from store.database import Connection, load_queries
from store.locks import lock_order
from store.orders import events
from store.payments import billing, payments, refunds, tallies
from store.payments.bounced_refunds import STEP as CAME_BACK_STEP

NEVER_BEGUN: Final = "pay_back_elsewhere "
"""The steps begin so where a part of an order that had come paid is never charged here."""

_sql = load_queries(__file__)

WHAT: Final = "paid back elsewhere"
"""What the order's story says of it."""

BEYOND: Final = "paid back more than was charged"


@dataclass(frozen=True)
class Recorded:
    """A refund elsewhere that has just been recorded, and what it is of its order's refunds."""

    order_id: str
    allotment: Allotment
    currency: str

    @property
    def beyond(self) -> Money:
        """What the customer has back beyond what was charged."""
        return Money(minor=self.allotment.beyond, currency=self.currency)


async def order_of(conn: Connection, provider: str, authorization: str) -> str | None:
    """The order that an authorization of this company is of; None: it is not known here."""
    found = await _sql.charged_by(conn, provider=provider, reference=authorization)
    return None if found is None else found["order_id"]


async def record(
    conn: Connection,
    provider: str,
    refund: PaidBack,
    *,
    who: str,
    why: str,
    was_by_hand: bool = False,
) -> Recorded | None:
    """Record it for its order, in the caller's transaction.

    None: it is on record, or it is of nothing that was captured here. Raises Conflict while another
    refund of the same authorization has no known outcome. `was_by_hand`: a person has reported it
    before as done by hand.
    """
    charged = await _sql.charged_by(conn, provider=provider, reference=refund.authorization)
    if charged is None:
        return None
    order_id = charged["order_id"]
    await lock_order(conn, order_id)
    made = await payments.of_order(conn, order_id)
    authorization = next(each for each in made if each.payment_key == charged["payment_key"])
    if is_recorded(made, provider, refund.reference):
        return None
    if refund.amount.currency != authorization.currency or not refund.amount.minor:
        return None
    if refund.amount.minor > authorization.refundable:
        if any(_is_open_refund_of(each, authorization) for each in made):
            raise Conflict(
                f"a refund of {refund.amount} was made at {provider}; what became of another one"
                f" of {order_id} is not known yet"
            )
        return None
    recording = _Recording(conn, provider, refund, authorization, who, why)
    return await recording.run(was_by_hand=was_by_hand)


def is_recorded(made: list[Payment], provider: str, reference: str) -> bool:
    """Whether a refund with this name is among an order's operations, done or come back."""
    return any(
        (each.kind, each.provider, each.reference) == ("refund", provider, reference) and each.done
        for each in made
    )


def _is_open_refund_of(payment: Payment, authorization: Payment) -> bool:
    about = (payment.kind, payment.authorization_key)
    return payment.open and about == ("refund", authorization.payment_key)


class _Recording:
    """One refund elsewhere, as it is recorded: an operation for each refund that it pays of."""

    def __init__(
        self,
        conn: Connection,
        provider: str,
        refund: PaidBack,
        authorization: Payment,
        who: str,
        why: str,
    ) -> None:
        self._conn = conn
        self._provider = provider
        self._refund = refund
        self._authorization = authorization
        self._who = who
        self._why = why
        self._order_id = authorization.order_id
        self._key = key_of(self._order_id, provider, refund.reference)
        self._operations = 0

    async def run(self, *, was_by_hand: bool) -> Recorded:
        conn, order_id = self._conn, self._order_id
        allotment = allot(self._refund.amount.minor, await self._books(), was_by_hand=was_by_hand)
        for owing in allotment.owed:
            await self._pay_owed(owing)
        grant = await self._grant(allotment.granted) if allotment.granted else None
        for part in allotment.by_hand:
            await self._replace_by_hand(part)
        if allotment.beyond:
            await self._operation("", allotment.beyond, accounts.paid_beyond(allotment.beyond))
        await self._tell(WHAT, self._refund.amount)
        if allotment.beyond:
            await self._tell(BEYOND, self._money(allotment.beyond))
        await billing.credit(conn, grant)
        return Recorded(order_id, allotment, self._refund.amount.currency)

    async def _books(self) -> Books:
        conn, order_id = self._conn, self._order_id
        room = await _sql.room_of(conn, order_id=order_id)
        ways: dict[str, list[Owing]] = {"original": [], "otherwise": []}
        async for row in _sql.owed_of(conn, order_id=order_id):
            left = row["left_minor"] + row["came_back_minor"]
            way = "original" if row["pay_to"] == "original" else "otherwise"
            ways[way].append(Owing(row["refund_id"], left))
        return Books(
            owed=ways["original"],
            owed_otherwise=ways["otherwise"],
            room=room["room"],
            unpaid=room["unpaid"],
            by_hand=[
                ByHand(row["payment_key"], row["amount_minor"])
                async for row in _sql.done_by_hand(conn, order_id=order_id)
            ],
        )

    async def _pay_owed(self, owing: Owing) -> None:
        await self._operation(owing.refund_id, owing.left, accounts.refund_issued(owing.left))
        await self._issued(owing.refund_id, owing.left)

    async def _issued(self, refund_id: str, amount: int) -> None:
        """Count it as issued: first what never was, and then what had come back."""
        conn = self._conn
        refund = await refunds.find(conn, refund_id)
        assert refund is not None
        first = min(amount, refund.unissued)
        if first and await refunds.issued(conn, refund_id, first) and refund.kind == "return":
            await returns.set_state(conn, refund_id, "refunded")
        if amount > first:
            await refunds.came_back(conn, refund_id, first - amount)
            if amount - first == refund.came_back_minor:
                await self._nobody_is_asked(refund_id)

    async def _nobody_is_asked(self, refund_id: str) -> None:
        """What a bank had sent back is paid: no person needs to pay it another way."""
        for payment in await payments.of_part(self._conn, self._order_id, "refund", refund_id):
            step = f"{CAME_BACK_STEP}{payment.payment_key}"
            await events.settle(self._conn, self._order_id, step, self._said, who=self._who)

    async def _grant(self, amount: int) -> billing.Grant | None:
        """Nobody here owed it: it is a refund of its own, granted and issued at once."""
        conn, order_id = self._conn, self._order_id
        found = await tallies.load(conn, order_id)
        number = 1 + await refunds.count(conn, order_id, ("elsewhere",))
        refund_id = ids.elsewhere_id(order_id, number)
        grant = await billing.grant(
            conn,
            found,
            found.charges.paid_elsewhere(amount),
            refund_id,
            kind="elsewhere",
            why=self._said,
            who=self._who,
        )
        await self._operation(refund_id, amount, accounts.refund_issued(amount))
        await self._issued(refund_id, amount)
        return grant

    async def _replace_by_hand(self, part: ByHand) -> None:
        """It is what a person has reported as done by hand, or a part of that."""
        conn = self._conn
        reported = await payments.find(conn, part.key)
        assert reported is not None
        await payments.came_back(conn, reported, CAME_BACK, f"it was {self._said}, not by hand")
        await ledger.post(
            conn,
            effect=f"{part.key}:{CAME_BACK}",
            order_id=self._order_id,
            memo=f"refund of {reported.amount} was not made by hand",
            currency=reported.currency,
            postings=accounts.refund_came_back(reported.amount_minor),
        )
        await self._operation(reported.part_of, part.amount, accounts.refund_issued(part.amount))
        if rest := reported.amount_minor - part.amount:
            await self._pay_rest_by_hand(reported, rest)

    async def _pay_rest_by_hand(self, reported: Payment, rest: int) -> None:
        intent = Intent(
            key=f"{reported.payment_key}:less",
            kind="refund",
            amount=self._money(rest),
            provider=BY_HAND,
            part_of=reported.part_of,
        )
        await self._done(intent, accounts.refund_issued(rest), None)

    async def _operation(self, part: str, amount: int, postings: accounts.Postings) -> None:
        self._operations += 1
        number = self._operations
        intent = Intent(
            key=self._key if number == 1 else f"{self._key}/{number}",
            kind="refund",
            amount=self._money(amount),
            provider=self._provider,
            tender=self._authorization.tender,
            authorization_key=self._authorization.payment_key,
            part_of=part,
        )
        await self._done(intent, postings, self._refund.reference)

    async def _done(
        self, intent: Intent, postings: accounts.Postings, reference: str | None
    ) -> None:
        conn, order_id = self._conn, self._order_id
        payment, is_new = await payments.intend(conn, order_id, intent)
        assert is_new
        await payments.succeed(conn, payment, reference)
        await ledger.post(
            conn,
            effect=payment.payment_key,
            order_id=order_id,
            memo=f"refund of {payment.amount}",
            currency=payment.currency,
            postings=postings,
        )

    async def _tell(self, what: str, amount: Money) -> None:
        await events.tell(
            self._conn,
            self._order_id,
            f"{self._key}:{what}",
            what,
            who=self._who,
            why=self._why or self._said,
            data={
                "amount_minor": amount.minor,
                "currency": amount.currency,
                "payment_key": self._key,
            },
            after_end=True,
        )

    @property
    def _said(self) -> str:
        return f"paid back at {self._provider} as {self._refund.reference}"

    def _money(self, minor: int) -> Money:
        return Money(minor=minor, currency=self._refund.amount.currency)


async def settle_never_begun(
    conn: Connection, order_id: str, step: str, note: str, *, who: str
) -> bool:
    """A person has paid back, elsewhere, what was paid there and never charged here.

    False if no open step asks for that.
    """
    async with conn.transaction():
        await lock_order(conn, order_id)
        return await events.settle(conn, order_id, step, note, who=who)
