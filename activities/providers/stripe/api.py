"""The calls of Stripe's API that the adapter uses, with our errors and our view of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NotRequired, TypedDict, TypeVar

import httpx
import stripe
from pydantic import SecretStr, ValidationError
from stripe.params import PaymentIntentCaptureParams, PaymentIntentCreateParams
from stripe.params.checkout import SessionCreateParams

from activities.payments.provider import PaymentKind
from activities.provider_errors import TimedOut, Unavailable
from activities.providers.stripe.answers import Answer, Intent, Refund, Session, Transaction
from activities.providers.stripe.refusals import translate

A = TypeVar("A", bound=Answer)

_PAGE: Final = 100
_BOOKED: Final = "latest_charge.balance_transaction"


class _Span(TypedDict):
    gt: NotRequired[int]
    gte: NotRequired[int]
    lt: NotRequired[int]
    lte: NotRequired[int]


class StripeApi:
    """A client of one account. `timeout` is for each single request."""

    def __init__(self, api_key: SecretStr, *, api_base: str | None, timeout: timedelta) -> None:
        self._http = stripe.HTTPXClient(timeout=httpx.Timeout(timeout.total_seconds()))
        self._v1 = stripe.StripeClient(
            api_key.get_secret_value(),
            http_client=self._http,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=0,  # The caller decides whether and when to retry.
        ).v1

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]  # so in the SDK

    async def create_intent(self, params: PaymentIntentCreateParams, *, key: str) -> Intent:
        """Create a payment intent."""
        with _our_errors("authorize"):
            answer = await self._v1.payment_intents.create_async(
                {**params, "expand": ["latest_charge"]}, {"idempotency_key": key}
            )
        return _read(Intent, answer)

    async def intent(self, reference: str) -> Intent:
        """A payment intent as it is now, with its charge and the newest booking of the charge."""
        with _our_errors(None):
            answer = await self._v1.payment_intents.retrieve_async(reference, {"expand": [_BOOKED]})
        return _read(Intent, answer)

    async def mark(self, reference: str, marks: dict[str, str]) -> None:
        """Add metadata to a payment intent.

        A repeat changes nothing. It is sent without a key, because Stripe would keep an answer 500
        under the key and repeat that for ever.
        """
        with _our_errors("void"):
            await self._v1.payment_intents.update_async(reference, {"metadata": marks})

    async def capture(
        self, reference: str, amount: int, marks: dict[str, str], *, key: str, final: bool | None
    ) -> Intent:
        """Capture part or all.

        `final`: true releases the rest, false keeps it; None for an account without multicapture.
        """
        params: PaymentIntentCaptureParams = {
            "amount_to_capture": amount,
            "metadata": marks,
            "expand": [_BOOKED],
        }
        if final is not None:
            params["final_capture"] = final
        with _our_errors("capture"):
            answer = await self._v1.payment_intents.capture_async(
                reference, params, {"idempotency_key": key}
            )
        return _read(Intent, answer)

    async def cancel(self, reference: str, *, key: str | None) -> Intent:
        """Cancel an intent and release its amount. Without a key, nobody can look the call up."""
        with _our_errors("void"):
            answer = await self._v1.payment_intents.cancel_async(
                reference,
                {"expand": ["latest_charge"]},
                {} if key is None else {"idempotency_key": key},
            )
        return _read(Intent, answer)

    async def refund(
        self, reference: str, amount: int, marks: dict[str, str], *, key: str
    ) -> Refund:
        """Pay back part or all of a captured amount."""
        with _our_errors("refund"):
            answer = await self._v1.refunds.create_async(
                {
                    "payment_intent": reference,
                    "amount": amount,
                    "metadata": marks,
                    "expand": ["balance_transaction"],
                },
                {"idempotency_key": key},
            )
        return _read(Refund, answer)

    async def open_session(self, params: SessionCreateParams, *, key: str) -> Session:
        """Create a session of Checkout."""
        with _our_errors(None):
            answer = await self._v1.checkout.sessions.create_async(params, {"idempotency_key": key})
        return _read(Session, answer)

    async def session(self, reference: str) -> Session:
        """A Checkout session as it is now, with its setup intent."""
        with _our_errors(None):
            answer = await self._v1.checkout.sessions.retrieve_async(
                reference, {"expand": ["setup_intent"]}
            )
        return _read(Session, answer)

    async def intents(
        self, since: datetime, before: datetime | None = None
    ) -> AsyncIterator[Intent]:
        """Payment intents created in a span of time, newest first."""
        with _our_errors(None):
            page = await self._v1.payment_intents.list_async(
                {"created": _span(since, before), "limit": _PAGE, "expand": [f"data.{_BOOKED}"]}
            )
            async for answer in page.auto_paging_iter():
                yield _read(Intent, answer)

    async def search_intents(self, name: str, value: str) -> AsyncIterator[Intent]:
        """Payment intents with this metadata; those of the last minute may be missing."""
        with _our_errors(None):
            page = await self._v1.payment_intents.search_async(
                {
                    "query": f"metadata['{name}']:'{value}'",
                    "limit": _PAGE,
                    "expand": [f"data.{_BOOKED}"],
                }
            )
            async for answer in page.auto_paging_iter():
                yield _read(Intent, answer)

    async def refunds(self, reference: str) -> AsyncIterator[Refund]:
        """The refunds of a payment intent, newest first."""
        with _our_errors(None):
            page = await self._v1.refunds.list_async(
                {
                    "payment_intent": reference,
                    "limit": _PAGE,
                    "expand": ["data.balance_transaction"],
                }
            )
            async for answer in page.auto_paging_iter():
                yield _read(Refund, answer)

    async def refunds_between(self, since: datetime, before: datetime) -> AsyncIterator[Refund]:
        """Refunds created in a span of time, newest first."""
        with _our_errors(None):
            page = await self._v1.refunds.list_async(
                {
                    "created": _span(since, before),
                    "limit": _PAGE,
                    "expand": ["data.balance_transaction"],
                }
            )
            async for answer in page.auto_paging_iter():
                yield _read(Refund, answer)

    async def booked(self, charge: str) -> AsyncIterator[Transaction]:
        """The bookings of a charge's captures on the account, newest first."""
        with _our_errors(None):
            page = await self._v1.balance_transactions.list_async(
                {"source": charge, "type": "charge", "limit": _PAGE}
            )
            async for answer in page.auto_paging_iter():
                yield _read(Transaction, answer)

    async def booked_between(self, since: datetime, before: datetime) -> AsyncIterator[Transaction]:
        """Bookings of captures in a span of time, with charge and intent; newest first."""
        with _our_errors(None):
            page = await self._v1.balance_transactions.list_async(
                {
                    "type": "charge",
                    "created": _span(since, before),
                    "limit": _PAGE,
                    "expand": ["data.source.payment_intent"],
                }
            )
            async for answer in page.auto_paging_iter():
                yield _read(Transaction, answer)


@asynccontextmanager
async def deadline(within: timedelta) -> AsyncIterator[None]:
    """Raises TimedOut after `within`, also when an answer comes slowly, byte by byte."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            yield
    except TimeoutError:
        raise TimedOut("Stripe did not answer in time") from None


@contextmanager
def _our_errors(kind: PaymentKind | None) -> Iterator[None]:
    try:
        yield
    except stripe.StripeError as error:
        # Not chained: the cause holds the request, and the request holds the API key.
        raise translate(error, kind) from None


def _span(since: datetime, before: datetime | None) -> _Span:
    start = int(since.timestamp())
    return {"gte": start} if before is None else {"gte": start, "lt": int(before.timestamp())}


def _read(model: type[A], answer: stripe.StripeObject) -> A:
    # The SDK's own objects raise where a field is missing, and only on its first use.
    content: dict[str, Any] = answer.to_dict()
    try:
        return model.model_validate(content)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise Unavailable(f"Stripe's answer is not as documented: {places}") from None
