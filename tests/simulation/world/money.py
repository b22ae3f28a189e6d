"""The payment companies and our records of them, for one order. Amounts in minor units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from temporalio.exceptions import ApplicationError

from activities.payments.contracts import (
    Answer,
    Authorize,
    Authorized,
    Capture,
    Invoice,
    MayRefund,
    Reauthorize,
    Refund,
    TenderAsk,
    Void,
)
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

    def lasts(self, until: datetime) -> bool:
        return self.until is None or self.until >= until


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
        self.stopped: Callable[[str], bool] = lambda _: False
        """Whether a fulfilment was stopped before it left."""
        self.leaving: Callable[[], Mapping[str, int]] = dict
        """The parcels that are about to leave, or have left, with what is charged for each then."""
        self.authorizations: list[Authorization] = []
        self.refusals: list[ApplicationError] = []
        """Of authorizations, in their sequence: the n-th attempt is answered with the n-th."""
        self.captured: dict[str, Captured] = {}
        self.granted: dict[str, Granted] = {}
        self.invoiced: dict[str, Mapping[str, int]] = {}
        self.disputed = False
        self.voided = 0

    # Activities -----------------------------------------------------------------------------------

    def authorize_payment(self, ask: Authorize) -> Authorized:
        self._answer_as_before(ask.attempt)
        for tender in ask.tenders:
            for part, amount in self._parts(tender).items():
                missing = amount - sum(
                    each.amount
                    for each in self.authorizations
                    if (each.tender, each.part) == (tender.number, part)
                )
                assert missing >= 0, "the same authorization of another amount"
                if missing or not self.authorizations:
                    if self.memory.decision in ("rejected", "cancelled", "closed"):
                        raise refusal("illegal_transition", "the order is over")
                    self._authorize(tender, part, missing)
        if self.memory.decision == "":
            self.memory.decision = "confirmed"
            self._confirmed()
        return self._authorized()

    def reauthorize_payment(self, ask: Reauthorize) -> Authorized:
        self._answer_as_before(ask.attempt)
        if self.stopped(ask.part):
            return self._authorized()
        charged = sum(x.total for x in self.captured.values() if x.part == ask.part and not x.error)
        left = ask.amount - charged
        if any(each.part == "" for each in self.authorizations):
            left += self._promised_besides(ask.part)
        main = ask.tenders[-1]
        for old in [x for x in self.authorizations if x.room and x.part in ("", ask.part)]:
            if old.lasts(ask.until) or self._is_new(old):
                left -= old.room
                continue
            tender = next(x for x in ask.tenders if x.number == old.tender)
            room = old.room
            renewed = self._authorize(tender, old.part, room)
            old.room = 0
            left -= renewed.room
        if left > 0:
            part = ask.part if self._charges_once(main.provider) else ""
            self._authorize(main, part, left)
        return self._authorized()

    def void_payment(self, ask: Void) -> None:
        del ask
        for authorization in self.authorizations:
            self.voided += authorization.room
            authorization.room = 0

    def capture_payment(self, ask: Capture) -> None:
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
        self, part: str, *, to_charge: int, ahead: bool, until: datetime, packed: datetime
    ) -> bool:
        """Whether nothing is missing for a fulfilment to be sent, by what is on record."""
        if ahead:
            return any(x.part.endswith(":prepaid") and not x.error for x in self.captured.values())
        if to_charge == 0:
            return True
        standing = self._standing_for(part)
        lasts = all(
            each.lasts(until)
            or (each.lasts(self._now()) and each.made >= packed)
            or self._is_new(each)
            for each in standing
        )
        needed = to_charge + self._promised_besides(part)
        return lasts and sum(each.room for each in standing) >= needed

    def ends_soon(self, part: str, *, to_charge: int, renew_before: timedelta) -> bool:
        """Whether what waits for its hand-over cannot be charged for long."""
        standing = self._standing_for(part)
        return sum(each.room for each in standing) < to_charge or any(
            each.until < self._now() + min(renew_before, (each.until - each.made) / 2)
            for each in standing
            if each.until is not None
        )

    def _standing_for(self, part: str) -> list[Authorization]:
        return [each for each in self.authorizations if each.room and each.part in ("", part)]

    def _promised_besides(self, part: str) -> int:
        """What others need of the shared authorizations, once a company has ended one."""
        if not any(each.ended and not each.room for each in self.authorizations):
            return 0
        return sum(
            minor
            for other, minor in self.leaving().items()
            if other != part
            and not any(x.part == other and not x.error for x in self.captured.values())
            and not any(x.part == other and x.room for x in self.authorizations)
        )

    def has_ended(self, part: str) -> bool:
        """By what is on record, not all of what stands for the part can be charged any more."""
        return not all(each.lasts(self._now()) for each in self._standing_for(part))

    # Sums -----------------------------------------------------------------------------------------

    @property
    def total_captured(self) -> int:
        return sum(each.total for each in self.captured.values())

    @property
    def total_refunded(self) -> int:
        return sum(each.issued for each in self.granted.values())

    # ----------------------------------------------------------------------------------------------

    def _answer_as_before(self, attempt: int) -> None:
        if len(self.refusals) >= attempt:
            raise self.refusals[attempt - 1]

    def _charges_once(self, provider: str) -> bool:
        """Store credit can be charged several times, and does not end, whatever others do."""
        return self.captures == "once" and provider != STORE_CREDIT

    def _parts(self, tender: TenderAsk) -> Mapping[str, int]:
        if tender.parts and self._charges_once(tender.provider):
            return {**tender.parts, **tender.most}
        return {"": tender.amount}

    def _authorize(self, tender: TenderAsk, part: str, amount: int) -> Authorization:
        number = len(self.authorizations) + 1
        kind = "action_required" if tender.token == "tok_action_required" else DECLINED
        if tender.token in ("tok_decline", "tok_action_required") or self._chance.happens(
            "authorization declined", f"{number}:{len(self.refusals)}", 0.03
        ):
            self.refusals.append(refusal(kind, f"the bank says no to {tender.token}"))
            raise self.refusals[-1]
        made = self._now()
        until = None if self._lasting is None else made + self._lasting
        if tender.provider == STORE_CREDIT:
            until = None
        authorization = Authorization(
            *(number, tender.number, part, amount, tender.provider, tender.token),
            *(made, until),
            room=amount,
        )
        self.authorizations.append(authorization)
        return authorization

    def _authorized(self) -> Authorized:
        standing = [each for each in self.authorizations if each.room]
        until: dict[str, datetime] = {}
        for each in standing:
            if each.until is not None:
                until[each.part] = min(each.until, until.get(each.part, each.until))
        once = any(self._charges_once(each.provider) for each in standing)
        return Authorized(until=until, once=once)

    def _is_new(self, authorization: Authorization) -> bool:
        assert authorization.until is not None
        tenth = (authorization.until - authorization.made) / 10
        return self._now() - authorization.made < tenth

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
