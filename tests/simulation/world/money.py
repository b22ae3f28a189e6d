"""The payment companies and our records of them, for one order. Amounts in minor units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from temporalio.exceptions import ApplicationError

from activities.payments.contracts import (
    Authorize,
    Charge,
    Charged,
    GrantRefund,
    Refund,
    RefundGranted,
    Refusal,
    Void,
)
from domain import ids
from domain.errors import OrderloomError, Refused
from domain.money import Money as Amount
from domain.orders.charges import Charges, Owed
from domain.orders.goodwill import Goodwill
from domain.orders.messages import RefundRequest
from domain.orders.placed import moment_of
from domain.orders.price_match import Listed, owed_for_match
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.proposals import Proposal
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted, owed_for
from domain.orders.terms import TenderTerms
from domain.payments.cover import (
    SHARED,
    Need,
    Standing,
    When,
    lacking,
    lasting_room,
    still_needed,
)
from domain.payments.needs import needs
from domain.payments.payments import OWN_MONEY
from domain.payments.plan import Make, Payer, Plan, plan
from domain.payments.refund_shares import Paid, shares_back
from store.payments import tallies
from tests.simulation.chance import Chance
from tests.simulation.world.memory import DECLINED, Memory, refusal
from tests.simulation.world.stock import Stock
from tests.simulation.world.tallies import Owing


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
    attempt: int = 0
    """The try that a company was asked in; none where none was."""
    error: ApplicationError | None = None


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
        stock: Stock,
    ) -> None:
        self.memory = memory
        self.stock = stock
        self.tallies = stock.tallies
        self._chance = chance
        self._now = now
        self.captures = captures
        self._lasting = lasting
        self._confirmed = confirmed
        self.own_tenders: Callable[[], tuple[TenderTerms, ...]] = tuple
        """Who pays for the order."""
        self.brought: TenderTerms | None = None
        """What the customer has brought in place of the last of them."""
        self.leaving: Callable[[], Collection[str]] = tuple
        """The parcels that are about to leave, or have left, and are to be charged for."""
        self.undone = False
        """What was authorized was released before the order was confirmed."""
        self._refused: set[int] = set()
        """Tenders that said no."""
        self.authorizations: list[Authorization] = []
        self.refusals: list[ApplicationError] = []
        """Of authorizations, in their sequence: the n-th attempt is answered with the n-th."""
        self.last_refused = False
        """The company that was asked last for an authorization said no."""
        self.nothing_charged = False
        """The charge of everything was refused."""
        self.captured: dict[str, Captured] = {}
        self.disputed = False
        self.voided = 0

    # Activities -----------------------------------------------------------------------------------

    def authorize_payment(self, ask: Authorize) -> None:
        if self.memory.decision not in ("", "confirmed") or self.undone:
            raise refusal("illegal_transition", "the order is over")
        if len(self.refusals) >= ask.attempt:
            raise self.refusals[ask.attempt - 1]
        main = self.tenders()[-1]
        if ask.token and (ask.token != main.token or ask.provider not in ("", main.provider)):
            self.brought = TenderTerms(provider=ask.provider or main.provider, token=ask.token)
        made: set[tuple[int, str]] = set()
        while True:
            todo = self._plan(ask)
            for each in self.authorizations:
                each.part = todo.bind.get(f"{each.number}", each.part)
            make = next((x for x in todo.make if (x.payer, x.part) not in made), None)
            if make is None:
                break
            made.add((make.payer, make.part))
            self._authorize(make)
        for each in self.authorizations:
            if f"{each.number}" in (*todo.void, *todo.close):
                each.room = 0
        if self.memory.decision == "":
            self.memory.decision = "confirmed"
            self._confirmed()

    def void_payment(self, ask: Void) -> None:
        released = self._beyond_need(ask) if ask.beyond else self.authorizations
        for authorization in released:
            self.undone |= self.memory.decision == "" and authorization.room > 0
            self.voided += authorization.room
            authorization.room = 0

    def charge_payment(self, ask: Charge) -> Charged:
        key = f"{ask.part_id}:capture:{ask.by_hand is not None}:{ask.attempt}"
        if ask.by_hand is not None:
            key = f"{ask.part_id}:capture:by hand"
        if ask.part_id.endswith(":prepaid") and ask.part_id not in self.tallies.due:
            self.tallies.take(ask.part_id, self.tallies.charges.charge_all())
        done = self.captured.get(key)
        if done is None:
            done = self._capture(ask)
            if done.attempt or done.error is None:
                self.captured[key] = done
            if ask.or_nothing and done.error is not None and done.error.type == DECLINED:
                self._charge_nothing(ask.part_id)
        if done.error is not None:
            raise done.error
        return Charged(authorized=any(each.room for each in self.authorizations))

    def grant_refund(self, ask: GrantRefund) -> RefundGranted:
        key = f"refund:{ask.request_id}"
        settled: RefundGranted | None = self.memory.settled(key, ask.turn)
        if settled is not None:
            return settled
        try:
            owed, kind = self._asked_for(ask.request)
        except OrderloomError as error:
            refused = RefundGranted(refused=Refusal.of(error))
            return self.memory.nothing(key, ask.turn, refused)

        def grant() -> RefundGranted:
            number = 1 + sum(":G" in refund for refund in self.tallies.granted)
            refund_id = ids.refund_id(ask.order_id, number)
            self.tallies.grant(refund_id, owed, kind, to=ask.request.to)
            amount = Amount(minor=owed.worth.total, currency=self.tallies.currency)
            return RefundGranted(granted=Granted(refund_id=refund_id, amount=amount))

        return self.memory.once(key, grant)

    def _asked_for(self, request: RefundRequest | PriceMatchRequest) -> tuple[Owed, str]:
        if self.disputed:
            raise Refused("a bank asks about it")
        if isinstance(request, PriceMatchRequest):
            return self._matched(request), "price_match"
        policy = self.stock.policy
        goodwill = Goodwill(policy.goodwill_percent_max, policy.goodwill_roles)
        return owed_for(self.tallies.charges, self.tallies.currency, goodwill, request)

    def _matched(self, request: PriceMatchRequest) -> Owed:
        order, policy = self.stock.order, self.stock.policy
        assert order is not None
        prices = {line.line_id: line.unit_price for line in order.lines}
        listed = Listed(
            unit_price=prices.get(request.line_id, Decimal(0)),
            placed_at=moment_of(order.placed_at),
            within=policy.price_match_within,
            percent_max=policy.price_match_percent_max,
        )
        charges, currency = self.tallies.charges, self.tallies.currency
        return owed_for_match(charges, currency, listed, request, self._now())

    def refund_payment(self, ask: Refund) -> None:
        granted = self.tallies.granted[ask.refund_id]
        ask = ask.model_copy(update={"to": ask.to or granted.to})
        key = f"{ask.to}:{'by hand' if ask.by_hand is not None else ask.attempt}"
        if key not in granted.tries:
            error, asked = self._refund(ask, granted)
            if not asked and error is not None:
                raise error
            granted.tries[key] = error
            if asked and ask.by_hand is None:
                granted.attempts = max(granted.attempts, ask.attempt)
        error = granted.tries[key]
        if error is not None:
            raise error

    def tenders(self) -> tuple[TenderTerms, ...]:
        """Who pays for the order, the last one as the customer has it now."""
        own = self.own_tenders()
        return own if self.brought is None else (*own[:-1], self.brought)

    @property
    def attempts(self) -> dict[str, int]:
        """By charge or refund, the number of its last try, where that was not the first."""
        found: dict[str, int] = {}
        for each in self.captured.values():
            found[each.part] = max(found.get(each.part, 0), each.attempt)
        found |= {refund_id: each.attempts for refund_id, each in self.tallies.granted.items()}
        return {part: number for part, number in found.items() if number > 1}

    # What is to be charged ------------------------------------------------------------------------

    def to_charge_for(self, part: str, *, ahead: bool = False) -> int:
        """The minor units that are to be charged for a fulfilment as it leaves."""
        if ahead and not any(each.endswith(":prepaid") for each in self.tallies.due):
            return 0
        asked = needs(self.tallies.charges, self.stock.to_leave, part)
        return sum(need.amount for need in asked if need.part == part)

    def holds(self, edit: Proposal, *, ahead: bool, spare: timedelta) -> bool:
        """Whether all that would be charged after an edit could be charged now."""
        asked = self._needs("", ahead=ahead, edit=edit)
        when = When(now=self._now(), until=self._now(), spare=spare)
        parts, main = {need.part for need in asked}, len(self.tenders())
        return not lacking(asked, main, self._standing, when, parts)

    def _as_edited(self, edit: Proposal | None) -> tuple[Charges, Mapping[str, LineUnits]]:
        """The money, and what is to leave, as they would be after an edit."""
        charges, parts = self.tallies.charges, self.stock.to_leave
        if edit is None or edit.version != self.memory.version:
            return charges, parts
        found = tallies.Tallies(
            *("", self.tallies.currency, 0, charges, parts, self.tallies.due, frozenset()),
            kept=charges.money,
        )
        after = tallies.proposed(found, edit)
        return after.charges, after.parts

    def _needs(
        self, first: str, *, ahead: bool = False, edit: Proposal | None = None
    ) -> list[Need]:
        """What is still to be charged for each part."""
        due = self.tallies.due
        charges, parts = self._as_edited(edit)
        assert self.stock.order is not None
        whole = ids.prepaid_id(self.stock.order.order_id)
        if ahead and whole not in due:
            amount = charges.left_to_charge
            asked = [Need(whole, amount, amount)]
        else:
            left = [Need(part, due[part], due[part]) for part in sorted(due)]
            asked = left + needs(charges, parts, first)
        charged: dict[str, int] = {}
        for x in self.captured.values():
            if x.total or not x.error:
                charged[x.part] = charged.get(x.part, 0) + x.total
        return still_needed(
            [need for need in asked if need.amount > charged.get(need.part, 0)],
            charged=charged,
            leaving=self.leaving(),
            ended=any(each.ended and not each.room for each in self.authorizations),
        )

    def left_to_pay(self, part: str) -> int:
        """What is due for a part, and is not paid."""
        return self.tallies.due[part] - self._paid(part)

    def _paid(self, part: str) -> int:
        return sum(each.total for each in self.captured.values() if each.part == part)

    def _charge_nothing(self, part: str) -> None:
        """The charge of everything was refused: what others have paid by then is owed back."""
        paid, charges = self._paid(part), self.tallies.charges
        worth = charges.charged.part(paid)
        charges.take_back()
        self.nothing_charged = True
        self.tallies.due[part] = paid
        self.tallies.grant(part, Owed(worth=worth), "cancelled")

    # What companies do by themselves --------------------------------------------------------------

    def end_an_authorization(self, name: str) -> bool:
        """A company ends one before its time. Nobody here knows."""
        standing = [each for each in self.authorizations if each.room]
        if standing:
            self._chance.pick(name, standing).ended = True
        return bool(standing)

    def is_paid(
        self, part: str, to_charge: int, *, ahead: bool, lasting: timedelta, renew_before: timedelta
    ) -> bool:
        """Whether nothing is missing for a fulfilment to be sent, by what is on record."""
        due = {x: n for x, n in self.tallies.due.items() if x.endswith(":prepaid")}
        if ahead and not (due and all(n == self._paid(x) for x, n in due.items())):
            return False
        if to_charge == 0:
            return True
        when = When(now=self._now(), until=self._now() + lasting, spare=renew_before)
        main = len(self.tenders())
        return not lacking(self._needs(part), main, self._standing, when, {part})

    def ends_soon(self, part: str, *, to_charge: int, renew_before: timedelta) -> bool:
        """Whether what waits for its hand-over cannot be charged for long."""
        standing = [each.standing for each in self._standing_for(part)]
        return to_charge > lasting_room(standing, part, self._now(), renew_before)

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

    def _plan(self, ask: Authorize) -> Plan:
        last = len(self.tenders())
        payers = [
            Payer(
                number,
                once=self._charges_once(tender.provider),
                limit=tender.most,
                refused=number < last and number in self._refused,
            )
            for number, tender in enumerate(self.tenders(), start=1)
        ]
        when = When(now=self._now(), until=ask.until or self._now(), spare=ask.spare)
        first = ask.parts[0] if ask.parts else ""
        asked = self._needs(first, ahead=ask.ahead, edit=ask.edit)
        return plan(asked, payers, self._standing, when, ask.parts or None)

    def _beyond_need(self, ask: Void) -> list[Authorization]:
        """Those without which all that is still to be charged is authorized, the newest first."""
        asked = self._needs("", ahead=ask.ahead)
        when = When(now=self._now(), until=self._now(), spare=ask.spare)
        parts, main = {need.part for need in asked}, len(self.tenders())
        kept, beyond = list(self.authorizations), []
        for each in reversed(self.authorizations):
            others = [other.standing for other in kept if other is not each]
            if each.room and not lacking(asked, main, others, when, parts):
                kept.remove(each)
                beyond.append(each)
        return beyond

    # Sums -----------------------------------------------------------------------------------------

    @property
    def total_captured(self) -> int:
        return sum(each.total for each in self.captured.values())

    @property
    def total_refunded(self) -> int:
        return sum(each.issued for each in self.tallies.granted.values())

    # ----------------------------------------------------------------------------------------------

    def _charges_once(self, provider: str) -> bool:
        """Our own money can be charged several times, and does not end, whatever others do."""
        return self.captures == "once" and provider not in OWN_MONEY

    def _authorize(self, make: Make) -> None:
        number, tender = len(self.authorizations) + 1, self.tenders()[make.payer - 1]
        provider, token = tender.provider, tender.token
        kind = "action_required" if token == "tok_action_required" else DECLINED
        if token in ("tok_decline", "tok_action_required") or self._chance.happens(
            "authorization declined", f"{number}:{len(self.refusals)}", 0.03
        ):
            self._refused.add(make.payer)
            self.refusals.append(refusal(kind, f"the bank says no to {token}"))
            self.last_refused = True
            raise self.refusals[-1]
        made = self._now()
        until = None if self._lasting is None else made + self._lasting
        if provider in OWN_MONEY:
            until = None
        authorization = Authorization(
            *(number, make.payer, make.part, make.amount, provider, token),
            *(made, until),
            room=make.amount,
        )
        self.authorizations.append(authorization)
        self.last_refused = False

    def _capture(self, ask: Charge) -> Captured:
        left = self.tallies.due.get(ask.part_id, 0) - self._paid(ask.part_id)
        done = Captured(ask.part_id, 0, [])
        if ask.by_hand is not None or left == 0:
            done.total = left
            return done
        standing = [each for each in self.authorizations if each.room]
        own = [each for each in standing if each.part == ask.part_id]
        shares = []
        for authorization in own + [each for each in standing if each.part == ""]:
            share = min(left, authorization.room)
            if share:
                shares.append((authorization, share))
                left -= share
        if left:
            kind = "not_authorized" if ask.renews else "refused"
            done.error = refusal(kind, f"{left} of {ask.part_id} is not authorized")
            return done
        done.attempt = ask.attempt
        for authorization, share in shares:
            name = f"{ask.part_id}:{ask.attempt}:{authorization.number}"
            over = authorization.until is not None and authorization.until < self._now()
            if authorization.ended or over:
                authorization.room, authorization.ended = 0, True
                kind = "not_authorized" if ask.renews else DECLINED
                done.error = refusal(kind, "the authorization has ended")
            elif authorization.token == "tok_capture_refused" or self._chance.happens(
                "capture declined", name, 0.02
            ):
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

    def _refund(self, ask: Refund, granted: Owing) -> tuple[ApplicationError | None, bool]:
        """The refusal, if there is one, and whether a company was asked."""
        left = granted.unissued
        if left + self.total_refunded > self.total_captured:
            self.memory.broken.append(f"{ask.refund_id} is paid back before it was charged")
        if self.disputed and ask.by_hand is None:
            return refusal("refused", "a bank asks about it"), False
        if ask.by_hand is not None or ask.to in OWN_MONEY:
            granted.issued += left
            return None, left > 0
        asked = False
        name = f"{ask.refund_id}:{ask.attempt}"
        paid = [Paid(each.tender, each.captured - each.refunded) for each in self.authorizations]
        shares = shares_back(left, paid, self.stock.policy.refund_tenders)
        for authorization, share in reversed(list(zip(self.authorizations, shares, strict=True))):
            if not share:
                continue
            asked = True
            refused = self._chance.happens(
                "refund declined", f"{name}:{authorization.number}", 0.04
            )
            if refused or authorization.token == "tok_refund_refused":
                return refusal(DECLINED, "the company refuses the refund"), True
            authorization.refunded += share
            granted.issued += share
            left -= share
        if left:
            return refusal("refused", f"{left} was paid by hand: pay it back by hand"), asked
        return None, asked
