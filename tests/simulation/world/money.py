"""The payment companies and our records of them, for one order. Amounts in minor units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from temporalio.exceptions import ApplicationError

from activities.payments.contracts import (
    Answer,
    Authorize,
    Capture,
    Invoice,
    MayRefund,
    Refund,
    Void,
)
from domain.orders.terms import TenderTerms
from domain.payments.cover import SHARED, Need, Standing, When, lacking, still_needed
from domain.payments.plan import Make, Payer, Plan, plan
from tests.simulation.chance import Chance
from tests.simulation.world.memory import DECLINED, Memory, refusal

STORE_CREDIT: Final = "store_credit"


@dataclass
class Authorization:
    """What a company lets us charge. `room`: what is left of it; none once it is released."""

    number: int
    tender: int
    part: str
    amount: int
    provider: str
    token: str
    made: datetime
    until: datetime | None
    room: int = 0
    captured: int = 0
    refunded: int = 0
    ended: bool = False
    """The company has ended it, which we learn when we try to charge it."""

    @property
    def standing(self) -> Standing:
        return Standing(
            *(f"{self.number}", self.tender, self.part, self.room, self.made),
            ends=self.until,
            charged=self.captured,
        )

    def lasts(self, until: datetime) -> bool:
        return self.until is None or self.until > until


@dataclass
class Captured:
    """What a try to charge for a part came to. `shares`: by authorization; by hand: none."""

    part: str
    total: int
    shares: list[tuple[Authorization, int]]
    error: ApplicationError | None = None


@dataclass
class Granted:
    """A refund: what is owed, and what of it was paid back."""

    amount: int
    issued: int = 0
    tries: dict[str, ApplicationError | None] = field(default_factory=dict)

    @property
    def unissued(self) -> int:
        return self.amount - self.issued


class Money:
    """What was authorized, charged and paid back. Each try has its key, and happens once.

    `captures`: how often each authorization can be charged. `lasting`: for how long.
    """

    def __init__(
        self,
        memory: Memory,
        chance: Chance,
        now: Callable[[], datetime],
        *,
        captures: Literal["once", "several"],
        lasting: timedelta | None,
        confirmed: Callable[[], None],
    ) -> None:
        self.memory = memory
        self._chance = chance
        self._now = now
        self.captures = captures
        self._lasting = lasting
        self._confirmed = confirmed
        self.tenders: Callable[[], tuple[TenderTerms, ...]] = tuple
        """Who pays for the order."""
        self.stopped: Callable[[str], bool] = lambda _: False
        """Whether a fulfilment was stopped before it left."""
        self.leaving: Callable[[], Mapping[str, int]] = dict
        """The parcels that are about to leave, or have left, with what is charged for each then."""
        self._undone = False
        """What was authorized was released before the order was confirmed."""
        self._refused: set[int] = set()
        """Tenders that said no."""
        self.authorizations: list[Authorization] = []
        self.refusals: list[ApplicationError] = []
        """Of authorizations, in their sequence: the n-th attempt is answered with the n-th."""
        self.captured: dict[str, Captured] = {}
        self.granted: dict[str, Granted] = {}
        self.invoiced: dict[str, Mapping[str, int]] = {}
        self.disputed = False
        self.voided = 0

    # Activities -----------------------------------------------------------------------------------

    def authorize_payment(self, ask: Authorize) -> None:
        if self.memory.decision not in ("", "confirmed") or self._undone:
            raise refusal("illegal_transition", "the order is over")
        if len(self.refusals) >= ask.attempt:
            raise self.refusals[ask.attempt - 1]
        made: set[tuple[int, str]] = set()
        while True:
            todo = self._plan(ask)
            for each in self.authorizations:
                each.part = todo.bind.get(f"{each.number}", each.part)
            make = next((x for x in todo.make if (x.payer, x.part) not in made), None)
            if make is None:
                break
            made.add((make.payer, make.part))
            self._authorize(ask, make)
        for each in self.authorizations:
            if f"{each.number}" in (*todo.void, *todo.close):
                each.room = 0
        if self.memory.decision == "":
            self.memory.decision = "confirmed"
            self._confirmed()

    def void_payment(self, ask: Void) -> None:
        del ask
        for authorization in self.authorizations:
            self._undone |= self.memory.decision == "" and authorization.room > 0
            self.voided += authorization.room
            authorization.room = 0

    def charge_payment(self, ask: Capture) -> None:
        key = f"{ask.fulfilment_id}:capture:{ask.by_hand is not None}:{ask.attempt}"
        if ask.by_hand is not None:
            key = f"{ask.fulfilment_id}:capture:by hand"
        done = self.captured.get(key)
        if done is None:
            done = self._capture(ask)
            self.captured[key] = done
            if not ask.prepaid:
                self.invoiced.setdefault(ask.fulfilment_id, ask.units)
        if done.error is not None:
            raise done.error

    def invoice_shipment(self, ask: Invoice) -> None:
        self.invoiced.setdefault(ask.fulfilment_id, ask.units)

    def may_refund(self, ask: MayRefund) -> Answer:
        del ask
        return Answer(why_not="a bank asks about it" if self.disputed else "")

    def refund_payment(self, ask: Refund) -> None:
        new = ask.refund_id not in self.granted
        granted = self.granted.setdefault(ask.refund_id, Granted(ask.worth.total))
        key = f"{ask.to}:{'by hand' if ask.by_hand is not None else ask.attempt}"
        if key not in granted.tries:
            granted.tries[key] = self._refund(ask, granted, new=new)
        error = granted.tries[key]
        if error is not None:
            raise error

    # What companies do by themselves --------------------------------------------------------------

    def end_an_authorization(self, name: str) -> bool:
        """A company ends one before its time. Nobody here knows."""
        standing = [each for each in self.authorizations if each.room]
        if standing:
            self._chance.pick(name, standing).ended = True
        return bool(standing)

    def is_paid(
        self, need: Need, *, ahead: bool, lasting: timedelta, renew_before: timedelta
    ) -> bool:
        """Whether nothing is missing for a fulfilment to be sent, by what is on record."""
        if ahead:
            return any(x.part.endswith(":prepaid") and not x.error for x in self.captured.values())
        if need.amount == 0:
            return True
        when = When(now=self._now(), until=self._now() + lasting, spare=renew_before)
        main = len(self.tenders())
        return not lacking(self._needs([need]), main, self._standing, when, {need.part})

    def ends_soon(self, part: str, *, to_charge: int, renew_before: timedelta) -> bool:
        """Whether what waits for its hand-over cannot be charged for long."""
        return to_charge > sum(
            each.room
            for each in self._standing_for(part)
            if each.until is None
            or each.until > self._now() + min(renew_before, (each.until - each.made) / 4)
        )

    def can_be_charged(self, part: str, to_charge: int) -> bool:
        """Whether so much can be charged for the part now, by what is on record."""
        return to_charge <= sum(
            each.standing.usable for each in self._standing_for(part) if each.lasts(self._now())
        )

    def _standing_for(self, part: str) -> list[Authorization]:
        return [each for each in self.authorizations if each.room and each.part in (SHARED, part)]

    @property
    def _standing(self) -> list[Standing]:
        return [each.standing for each in self.authorizations]

    def _needs(self, asked: Iterable[Need]) -> list[Need]:
        charged: dict[str, int] = {}
        for x in self.captured.values():
            if x.total or not x.error:
                charged[x.part] = charged.get(x.part, 0) + x.total
        asked = list(asked)
        leaving = self.leaving()
        return still_needed(
            asked,
            charged=charged,
            leaving=leaving,
            ended=any(each.ended and not each.room for each in self.authorizations),
            stopped={x for x in (*(need.part for need in asked), *leaving) if self.stopped(x)},
        )

    def _plan(self, ask: Authorize) -> Plan:
        last = len(self.tenders())
        payers = [
            Payer(
                number,
                once=self._charges_once(self._provider(ask, number)),
                limit=tender.most,
                refused=number < last and number in self._refused,
            )
            for number, tender in enumerate(self.tenders(), start=1)
        ]
        when = When(now=self._now(), until=ask.until or self._now(), spare=ask.spare)
        return plan(self._needs(ask.needs), payers, self._standing, when, ask.parts or None)

    # Sums -----------------------------------------------------------------------------------------

    @property
    def total_captured(self) -> int:
        return sum(each.total for each in self.captured.values())

    @property
    def total_refunded(self) -> int:
        return sum(each.issued for each in self.granted.values())

    # ----------------------------------------------------------------------------------------------

    def _charges_once(self, provider: str) -> bool:
        """Store credit can be charged several times, and does not end, whatever others do."""
        return self.captures == "once" and provider != STORE_CREDIT

    def _provider(self, ask: Authorize, number: int) -> str:
        brought = ask.provider if number == len(self.tenders()) else ""
        return brought or self.tenders()[number - 1].provider

    def _authorize(self, ask: Authorize, make: Make) -> None:
        number, last = len(self.authorizations) + 1, make.payer == len(self.tenders())
        token = (last and ask.token) or self.tenders()[make.payer - 1].token
        kind = "action_required" if token == "tok_action_required" else DECLINED
        if token in ("tok_decline", "tok_action_required") or self._chance.happens(
            "authorization declined", f"{number}:{len(self.refusals)}", 0.03
        ):
            self._refused.add(make.payer)
            self.refusals.append(refusal(kind, f"the bank says no to {token}"))
            raise self.refusals[-1]
        provider, made = self._provider(ask, make.payer), self._now()
        until = None if self._lasting is None else made + self._lasting
        if provider == STORE_CREDIT:
            until = None
        authorization = Authorization(
            *(number, make.payer, make.part, make.amount, provider, token),
            *(made, until),
            room=make.amount,
        )
        self.authorizations.append(authorization)

    def _capture(self, ask: Capture) -> Captured:
        before = [x for x in self.captured.values() if x.part == ask.fulfilment_id]
        left = ask.worth.total - sum(each.total for each in before)
        done = Captured(ask.fulfilment_id, 0, [])
        if ask.by_hand is not None or left == 0:
            done.total = left
            return done
        standing = [each for each in self.authorizations if each.room]
        own = [each for each in standing if each.part == ask.fulfilment_id]
        shares = []
        for authorization in own + [each for each in standing if each.part == ""]:
            share = min(left, authorization.room)
            if share:
                shares.append((authorization, share))
                left -= share
        if left:
            kind = "not_authorized" if ask.renews else "refused"
            done.error = refusal(kind, f"{left} of {ask.fulfilment_id} is not authorized")
            return done
        for authorization, share in shares:
            name = f"{ask.fulfilment_id}:{ask.attempt}:{authorization.number}"
            over = authorization.until is not None and authorization.until < self._now()
            if authorization.ended or over:
                authorization.room, authorization.ended = 0, True
                kind = "not_authorized" if ask.renews else DECLINED
                done.error = refusal(kind, "the authorization has ended")
            elif self._chance.happens("capture declined", name, 0.02):
                done.error = refusal(DECLINED, "the bank says no to a charge")
            else:
                authorization.captured += share
                authorization.room -= share
                if self._charges_once(authorization.provider):
                    authorization.room = 0
                done.total += share
                done.shares.append((authorization, share))
        if done.error is not None and done.error.type == DECLINED:
            done.error = refusal(DECLINED, done.error.message, charged=done.total)
        return done

    def _refund(self, ask: Refund, granted: Granted, *, new: bool) -> ApplicationError | None:
        left = granted.unissued
        if sum(each.amount for each in self.granted.values()) > self.total_captured:
            self.memory.broken.append(f"{ask.refund_id} is paid back before it was charged")
        if self.disputed and not new and ask.by_hand is None:
            return refusal("refused", "a bank asks about it")
        if ask.by_hand is not None or ask.to == STORE_CREDIT:
            granted.issued += left
            return None
        name = f"{ask.refund_id}:{ask.attempt}"
        for authorization in reversed(self.authorizations):
            share = min(left, authorization.captured - authorization.refunded)
            if not share:
                continue
            refused = self._chance.happens(
                "refund declined", f"{name}:{authorization.number}", 0.04
            )
            if refused or authorization.token == "tok_refund_refused":
                return refusal(DECLINED, "the company refuses the refund")
            authorization.refunded += share
            granted.issued += share
            left -= share
        if left:
            return refusal("refused", f"{left} was paid by hand: pay it back by hand")
        return None
