"""The contract of a payment company: `activities.payments.provider.PaymentProvider`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import pytest

from activities.payments.provider import PaymentKind, PaymentProvider, PaymentReceipt
from activities.provider_errors import DeclineCode
from domain.money import Money
from orderloom_conformance.refusals import refusal

NOT_FOUND = DeclineCode.NOT_FOUND
KINDS: tuple[PaymentKind, ...] = ("authorize", "capture", "void", "refund")


@pytest.mark.asyncio
class PaymentContract:
    """Derive from it, and give it the fixtures `provider` and `token`.

    `token` pays up to 300.00 in `currency`. Orders and keys are new in each test. What holds only
    where an authorization can be charged several times, or once, is asked by `capabilities`.
    """

    currency: ClassVar[str] = "USD"
    other_currency: ClassVar[str] = "EUR"
    unknown_authorization: ClassVar[str] = "none-such"
    declined_token: ClassVar[str | None] = None
    """A token that is refused at authorization; None: there is none to try."""

    @pytest.fixture
    def provider(self) -> PaymentProvider:
        """The company."""
        raise NotImplementedError("give your class the fixture `provider`")

    @pytest.fixture
    def token(self) -> str:
        """A token that pays."""
        raise NotImplementedError("give your class the fixture `token`")

    @pytest.fixture
    def order_id(self) -> str:
        """An order that the company does not know yet."""
        return f"web-{uuid.uuid4().hex[:12]}"

    def _money(self, minor: int) -> Money:
        return Money(minor=minor, currency=self.currency)

    async def _held(
        self,
        provider: PaymentProvider,
        order_id: str,
        token: str,
        *,
        key: str = "hold",
        captured: int = 0,
    ) -> str:
        """An authorization of 100.00, captured in part if asked."""
        made = await provider.authorize(
            key=f"{order_id}:{key}", order_id=order_id, amount=self._money(100_00), token=token
        )
        if captured:
            await provider.capture(
                key=f"{order_id}:{key}:capture",
                authorization=made.authorization,
                amount=self._money(captured),
            )
        return made.authorization

    async def _prepared(
        self, provider: PaymentProvider, kind: PaymentKind, order_id: str, token: str
    ) -> tuple[str | None, Callable[[], Awaitable[PaymentReceipt]]]:
        """A call that can be sent again and again, and its authorization."""
        key, ten = f"{order_id}:tried", self._money(10_00)
        if kind == "authorize":
            whole = self._money(100_00)
            return None, lambda: provider.authorize(
                key=key, order_id=order_id, amount=whole, token=token
            )
        held = await self._held(
            provider, order_id, token, captured=60_00 if kind == "refund" else 0
        )
        match kind:
            case "capture":
                return held, lambda: provider.capture(key=key, authorization=held, amount=ten)
            case "void":
                return held, lambda: provider.void(key=key, authorization=held)
            case "refund":
                return held, lambda: provider.refund(key=key, authorization=held, amount=ten)

    async def _looked_up(
        self, provider: PaymentProvider, key: str, kind: PaymentKind, held: str | None
    ) -> PaymentReceipt | None:
        since = datetime.now(UTC) - timedelta(minutes=1)
        return await provider.lookup(key=key, kind=kind, authorization=held, since=since)

    async def test_an_amount_is_authorized_captured_and_refunded_in_parts(
        self, provider: PaymentProvider, order_id: str, token: str
    ) -> None:
        held = await provider.authorize(
            key=f"{order_id}:a", order_id=order_id, amount=self._money(100_00), token=token
        )
        at = held.authorization
        done = [
            held,
            await provider.capture(
                key=f"{order_id}:c", authorization=at, amount=self._money(60_00)
            ),
            await provider.refund(
                key=f"{order_id}:r1", authorization=at, amount=self._money(10_00)
            ),
            await provider.refund(
                key=f"{order_id}:r2", authorization=at, amount=self._money(50_00)
            ),
        ]
        assert [(one.kind, one.amount.minor) for one in done] == [
            *(("authorize", 100_00), ("capture", 60_00), ("refund", 10_00), ("refund", 50_00))
        ]
        assert {one.authorization for one in done} == {at}
        assert {one.order_id for one in done} == {order_id}
        assert len({one.reference for one in done}) == len(done)
        assert sorted(await provider.operations(order_id), key=str) == sorted(done, key=str)
        listed = {one.reference for day in _days() for one in await provider.list_day(day)}
        assert {one.reference for one in done} <= listed
        more = provider.refund(key=f"{order_id}:r3", authorization=at, amount=self._money(1))
        assert await refusal(more) == DeclineCode.AMOUNT_TOO_LARGE

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_repeat_gets_the_first_answer_and_has_no_second_effect(
        self, provider: PaymentProvider, order_id: str, token: str, kind: PaymentKind
    ) -> None:
        held, call = await self._prepared(provider, kind, order_id, token)
        first = await call()
        before = await provider.operations(order_id)
        assert await call() == first
        assert await self._looked_up(provider, first.key, kind, held) == first
        assert await provider.operations(order_id) == before

    @pytest.mark.parametrize("kind", KINDS)
    async def test_calls_at_once_with_one_key_have_one_effect(
        self, provider: PaymentProvider, order_id: str, token: str, kind: PaymentKind
    ) -> None:
        held, call = await self._prepared(provider, kind, order_id, token)
        await asyncio.gather(*(call() for _ in range(5)), return_exceptions=True)
        settled = await call()
        assert await self._looked_up(provider, settled.key, kind, held) == settled
        of_kind = [one for one in await provider.operations(order_id) if one.kind == kind]
        assert [one.key for one in of_kind] == [settled.key]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_nothing_is_known_of_a_key_that_was_not_used(
        self, provider: PaymentProvider, order_id: str, token: str, kind: PaymentKind
    ) -> None:
        held = await self._held(provider, order_id, token, captured=60_00)
        at = None if kind == "authorize" else held
        assert await self._looked_up(provider, f"{order_id}:unused", kind, at) is None

    async def test_a_key_with_other_content_is_a_conflict_and_the_first_call_stands(
        self, provider: PaymentProvider, order_id: str, token: str
    ) -> None:
        held = await self._held(provider, order_id, token)
        other = await self._held(provider, order_id, token, key="other", captured=60_00)
        open_still = await self._held(provider, order_id, token, key="open")
        key = f"{order_id}:key"
        first = await provider.capture(key=key, authorization=held, amount=self._money(10_00))
        before = await provider.operations(order_id)
        one = self._money(1_00)
        for call in (
            provider.authorize(key=key, order_id=order_id, amount=one, token=token),
            provider.capture(key=key, authorization=held, amount=one),
            provider.refund(key=key, authorization=other, amount=one),
            provider.void(key=key, authorization=open_still),
        ):
            assert await refusal(call) == DeclineCode.IDEMPOTENCY_CONFLICT
        assert await self._looked_up(provider, key, "capture", held) == first
        assert await provider.operations(order_id) == before

    async def test_a_token_that_does_not_pay_is_refused_for_good_under_its_key(
        self, provider: PaymentProvider, order_id: str
    ) -> None:
        if self.declined_token is None:
            pytest.skip("there is no such token")
        codes = [
            await refusal(self._held(provider, order_id, self.declined_token)) for _ in range(2)
        ]
        kept = self._looked_up(provider, f"{order_id}:hold", "authorize", None)
        codes.append(await refusal(kept))
        assert len(set(codes)) == 1
        assert await provider.operations(order_id) == ()

    async def test_what_is_above_the_limits_is_refused_and_changes_nothing(
        self, provider: PaymentProvider, order_id: str, token: str
    ) -> None:
        held = await self._held(provider, order_id, token)
        taken = await self._held(provider, order_id, token, key="taken", captured=60_00)
        before = await provider.operations(order_id)
        foreign = Money(minor=10_00, currency=self.other_currency)
        wrong: list[tuple[Awaitable[PaymentReceipt], DeclineCode]] = [
            (
                provider.capture(
                    key=f"{order_id}:1", authorization=held, amount=self._money(100_01)
                ),
                DeclineCode.AMOUNT_TOO_LARGE,
            ),
            (
                provider.refund(
                    key=f"{order_id}:2", authorization=taken, amount=self._money(60_01)
                ),
                DeclineCode.AMOUNT_TOO_LARGE,
            ),
            (
                provider.capture(key=f"{order_id}:3", authorization=held, amount=foreign),
                DeclineCode.CURRENCY_MISMATCH,
            ),
            (
                provider.refund(key=f"{order_id}:4", authorization=taken, amount=foreign),
                DeclineCode.CURRENCY_MISMATCH,
            ),
        ]
        ten, at = self._money(10_00), self.unknown_authorization
        wrong += [
            (provider.capture(key=f"{order_id}:5", authorization=at, amount=ten), NOT_FOUND),
            (provider.refund(key=f"{order_id}:6", authorization=at, amount=ten), NOT_FOUND),
            (provider.void(key=f"{order_id}:7", authorization=at), NOT_FOUND),
        ]
        for call, code in wrong:
            assert await refusal(call) == code
        assert await provider.operations(order_id) == before

    @pytest.mark.parametrize("minor", [0, -5, 2**63])
    async def test_an_impossible_amount_is_refused_and_leaves_its_key_free(
        self, provider: PaymentProvider, order_id: str, token: str, minor: int
    ) -> None:
        held = await self._held(provider, order_id, token)
        key, amount = f"{order_id}:c", self._money(minor)
        for call in (
            provider.authorize(key=key, order_id=order_id, amount=amount, token=token),
            provider.capture(key=key, authorization=held, amount=amount),
            provider.refund(key=key, authorization=held, amount=amount),
        ):
            assert await refusal(call) == DeclineCode.INVALID_AMOUNT
        ten = self._money(10_00)
        assert (await provider.capture(key=key, authorization=held, amount=ten)).amount == ten

    async def test_a_void_releases_what_is_left_and_is_the_end(
        self, provider: PaymentProvider, order_id: str, token: str
    ) -> None:
        held = await self._held(provider, order_id, token)
        released = await provider.void(key=f"{order_id}:v", authorization=held)
        assert released.amount == self._money(100_00)
        for call in (
            provider.void(key=f"{order_id}:w", authorization=held),
            provider.capture(key=f"{order_id}:late", authorization=held, amount=self._money(1_00)),
        ):
            assert await refusal(call) == DeclineCode.ALREADY_VOIDED

    async def test_an_authorization_is_captured_as_often_as_the_company_says(
        self, provider: PaymentProvider, order_id: str, token: str
    ) -> None:
        held = await self._held(provider, order_id, token, captured=60_00)
        second = provider.capture(
            key=f"{order_id}:second", authorization=held, amount=self._money(10_00)
        )
        if provider.capabilities.captures == "several":
            assert (await second).amount == self._money(10_00)
        else:
            assert await refusal(second) == DeclineCode.AMOUNT_TOO_LARGE


def _days() -> list[date]:
    """Today and yesterday: a test may run over midnight."""
    now = datetime.now(UTC)
    return [(now - timedelta(days=1)).date(), now.date()]
