"""Reconciliation: compare a payment company's day with our records, and mend what a rule can mend.

The list of a day may hold thousands of effects, so it never leaves the activity that reads it: the
activity compares and records it, and only counts go into the workflow's history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined
from domain import ids
from domain.errors import InvalidInput, Unreachable
from domain.orders.messages import AttentionAnswer
from domain.payments.comparison import compare, keys_about, not_listed, still_held, void_key
from domain.payments.reconciliation import Moment, Ours, Remedy, Theirs
from store import clock
from store.database import Pool
from store.payments import reconciliation
from store.payments.reconciliation import WHO, KeptDifference

PATIENCE = timedelta(minutes=5)
"""A call that is younger than this may still be under way."""

FEES_AT_ONCE = 500
"""Journal entries in one transaction, at most, so that other transactions never wait long."""

# Refusals of a release that say: the authorization holds nothing any more.
_NOTHING_HELD = (DeclineCode.ALREADY_VOIDED, DeclineCode.EXPIRED, DeclineCode.NOT_FOUND)


class Reconcile(BaseModel):
    """Which days to compare. No day: all that are due. No provider: all of them."""

    model_config = ConfigDict(frozen=True)

    provider: str | None = None
    day: date | None = None


class ProviderDay(BaseModel):
    """One company's day (UTC)."""

    model_config = ConfigDict(frozen=True)

    provider: str
    day: date


class DueDays(BaseModel):
    """The days to compare, the oldest first."""

    model_config = ConfigDict(frozen=True)

    days: tuple[ProviderDay, ...] = ()


class Compared(BaseModel):
    """The number of effects that the company has on a day, and of differences found."""

    model_config = ConfigDict(frozen=True)

    listed: int
    differences: int


class Mended(BaseModel):
    """The numbers of steps retried, authorizations released, and differences left open."""

    model_config = ConfigDict(frozen=True)

    retried: int
    voided: int
    open: int


class ReconciliationSummary(BaseModel):
    """The result of a run. `failed`: days that could not be compared, and stay due."""

    model_config = ConfigDict(frozen=True)

    compared: int = 0
    open: int = 0
    failed: tuple[ProviderDay, ...] = ()


class Reconciliation:
    """Activities that compare and mend, with the pool, the providers and Temporal's client."""

    def __init__(
        self, pool: Pool, providers: Mapping[str, PaymentProvider], client: Client
    ) -> None:
        self._pool = pool
        self._providers = {
            name: provider for name, provider in providers.items() if provider.capabilities.listed
        }
        self._client = client

    @activity.defn
    async def days_due(self, ask: Reconcile) -> DueDays:
        """The days to compare. Raises InvalidInput for a future day, or an unknown provider."""
        today = clock.today()
        if ask.day is not None and ask.day > today:
            raise InvalidInput(f"{ask.day} has not begun; today (UTC) is {today}", where="day")
        if ask.provider is not None and ask.provider not in self._providers:
            known = ", ".join(sorted(self._providers))
            raise InvalidInput(f"there is no {ask.provider!r}; there is {known}", where="provider")
        names = [ask.provider] if ask.provider is not None else sorted(self._providers)
        found: list[ProviderDay] = []
        async with self._pool.acquire() as conn:
            for name in names:
                days = [ask.day] if ask.day else await reconciliation.days_due(conn, name, today)
                found += [ProviderDay(provider=name, day=day) for day in days]
        return DueDays(days=tuple(sorted(found, key=lambda one: (one.day, one.provider))))

    @activity.defn
    async def reconcile_day(self, ask: ProviderDay) -> Compared:
        """Read both sides, compare, and record the differences.

        A repeat records each of them once.
        """
        when = Moment(day=ask.day, provider=ask.provider, listed_at=clock.now(), patience=PATIENCE)
        # Read the company's list first: an effect that happens in between already has its intent
        # here.
        theirs = await self._list(ask.provider, ask.day)
        ours = await self._ours(ask, theirs)
        theirs += await self._elsewhere(ours, theirs, when)
        comparison = compare(ours, theirs, when)
        await self._book_fees(ask.provider, comparison.matched)
        async with self._pool.acquire() as conn, conn.transaction():
            await reconciliation.record(conn, ask.provider, comparison)
        return Compared(listed=comparison.listed, differences=len(comparison.differences))

    @activity.defn
    async def mend_day(self, ask: ProviderDay) -> Mended:
        """Apply the rules to the open differences of a day. Each step may be repeated."""
        async with self._pool.acquire() as conn:
            steps = await reconciliation.parked_steps(conn, ask.provider, ask.day)
            found = await reconciliation.differences(conn, provider=ask.provider, day=ask.day)
        held = [one for one in found if one.remedy is Remedy.VOID]
        # One retried step may settle several operations, so retry it once.
        waiting = defaultdict(list)
        for one in steps:
            waiting[one.order_id, one.step].append(one.difference_id)
        for (order_id, step), difference_ids in waiting.items():
            await self._retry(order_id, step, difference_ids)
        for difference in held:
            await self._void(difference)
        async with self._pool.acquire() as conn:
            left = await reconciliation.still_open(conn, ask.provider, ask.day)
        return Mended(retried=len(waiting), voided=len(held), open=left)

    async def _list(self, provider: str, day: date) -> list[Theirs]:
        return await self._theirs(provider, await self._providers[provider].list_day(day))

    async def _theirs(self, provider: str, receipts: Iterable[PaymentReceipt]) -> list[Theirs]:
        effects = [_theirs(receipt) for receipt in receipts]
        async with self._pool.acquire() as conn:
            return await reconciliation.attributed(conn, provider, effects)

    async def _ours(self, ask: ProviderDay, theirs: list[Theirs]) -> list[Ours]:
        async with self._pool.acquire() as conn:
            return await reconciliation.ours(conn, ask.provider, ask.day, keys_about(theirs))

    async def _elsewhere(
        self, ours: list[Ours], theirs: list[Theirs], when: Moment
    ) -> list[Theirs]:
        """Effects near midnight or found out later, which the company dates to another day."""
        found: list[Theirs] = []
        if not_listed(ours, theirs, when):
            for days in (-1, 1):
                found += await self._list(when.provider, when.day + timedelta(days=days))
        orders = {done.order_id for done in not_listed(ours, theirs + found, when)}
        orders |= {effect.order_id for effect in still_held(ours, theirs + found)}
        for order_id in sorted(orders):
            receipts = await self._providers[when.provider].operations(order_id)
            found += await self._theirs(when.provider, receipts)
        return found

    async def _book_fees(self, provider: str, matched: Sequence[Theirs]) -> None:
        """Book the fees before the day is recorded, so that a repeat books any that are missing."""
        async with self._pool.acquire() as conn:
            due = await reconciliation.fees_to_book(conn, provider, matched)
            for start in range(0, len(due), FEES_AT_ONCE):
                async with conn.transaction():
                    some = due[start : start + FEES_AT_ONCE]
                    await reconciliation.book_fees(conn, provider, some)

    async def _retry(self, order_id: str, step: str, difference_ids: Sequence[int]) -> None:
        """Retry the order's step, which looks up the outcome and writes the order's records."""
        answer = AttentionAnswer(
            step=step, action="retry", note="its outcome can be known by now", by=WHO
        )
        try:
            await self._client.get_workflow_handle(ids.workflow_id(order_id)).signal(
                "resolve_attention", answer
            )
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise Unreachable(f"Temporal does not answer ({error.message})") from error
            async with self._pool.acquire() as conn:
                note = f"order {order_id} has no running workflow to try it again"
                for difference_id in difference_ids:
                    await reconciliation.hand_over(conn, difference_id, note)

    async def _void(self, one: KeptDifference) -> None:
        """Release at the company an authorization that was given up here, once by its key."""
        assert one.ours is not None
        assert one.theirs is not None
        key = void_key(one.ours.key)
        try:
            await self._providers[one.provider].void(
                key=key, authorization=one.theirs.authorization
            )
            note = f"released there under {key}"
        except Declined as error:
            if error.code not in _NOTHING_HELD:
                async with self._pool.acquire() as conn:
                    why = f"it cannot be released: {error}"
                    await reconciliation.hand_over(conn, one.difference_id, why)
                return
            note = f"nothing is held there any more: {error.message}"
        async with self._pool.acquire() as conn, conn.transaction():
            await reconciliation.mended(conn, one.difference_id, note)


def _theirs(receipt: PaymentReceipt) -> Theirs:
    fee = receipt.fee
    return Theirs(
        key=receipt.key,
        kind=receipt.kind,
        reference=receipt.reference,
        authorization=receipt.authorization,
        order_id=receipt.order_id,
        amount_minor=receipt.amount.minor,
        currency=receipt.amount.currency,
        at=receipt.at,
        fee_minor=fee.minor if fee else 0,
        fee_currency=fee.currency if fee else "",
    )
