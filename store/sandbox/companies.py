"""The sandbox companies' records, and the faults that they were told to show.

Every function takes a connection outside of any transaction: a company never takes part in one of
Orderloom's own. The lost race for a key shows as a unique violation, which would end the caller's
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import asyncpg

from domain.errors import InvalidInput
from domain.fulfilment.packed import Packed
from domain.money import Money
from store.database import CheckViolation, Connection, load_queries

# Errors of a lost, refused or overloaded database, at any point of a call. Then nobody knows
# whether the statement took effect.
CONNECTION_LOST: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)

# The database was made without them, as one in production is.
NOT_HERE: tuple[type[Exception], ...] = (
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
)

_FAULT_RULES = {
    "fault_is_of_a_known_operation": (
        "the providers and their operations are payment: authorize, capture, void, refund, lookup, "
        "operations, list_day; carrier: buy_label, void_label, intercept, lookup; supplier: place, "
        "cancel, chase, lookup; or '*' for all of one provider"
    ),
    "fault_is_of_a_known_kind": "the kinds are unavailable, timeout_before, timeout_after",
    "fault_rate_is_a_share": "the rate is a share of the calls, from 0 to 1",
    "remaining_faults_are_not_negative": "the remaining count is 0 or more",
}


class FaultKind(StrEnum):
    """How a company misbehaves on one call."""

    UNAVAILABLE = "unavailable"  # answers 5xx before any effect
    TIMEOUT_BEFORE = "timeout_before"  # no effect and no answer
    TIMEOUT_AFTER = "timeout_after"  # the effect is done and kept, and there is no answer


@dataclass(frozen=True, slots=True)
class PaymentEffect:
    """Money that was moved. `token` is the card it was about; without a call `key` is empty."""

    key: str
    kind: str
    reference: str
    authorization: str
    order_id: str
    amount: Money
    token: str
    at: datetime
    fee: Money | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SoldLabel:
    """A label as it stands now."""

    carrier: str
    tracking_number: str
    fulfilment_id: str
    service: str
    country: str
    postal_code: str | None
    box: str | None
    grams: int | None
    voided: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """A firm no, by its code."""

    code: str


@dataclass(frozen=True, slots=True)
class PaymentCall:
    """The record under a money call's key: its content and its outcome."""

    request: str
    outcome: PaymentEffect | Refusal


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """The record under a label call's key: its content and its outcome."""

    request: str
    outcome: SoldLabel | Refusal


async def set_fault(
    connection: Connection,
    provider: str,
    operation: str,
    kind: str,
    rate: float,
    *,
    remaining: int | None = None,
) -> None:
    """Make a share of a company's calls fail from now on, in every process.

    `provider` is payment, carrier or supplier, `operation` one of its methods or '*', `kind` a
    `FaultKind`, `rate` 0..1. With `remaining` at most that many calls are befallen: rate 1 and
    remaining 1 is "the next call". Setting the same fault again replaces it. Rates of faults that
    apply to one call add up. Raises InvalidInput for a fault that could never strike.
    """
    try:
        await _queries().set_fault(
            connection,
            provider=provider,
            operation=operation,
            kind=kind,
            rate=rate,
            remaining=remaining,
        )
    except CheckViolation as error:
        rule = _FAULT_RULES.get(error.constraint_name or "", str(error))
        raise InvalidInput(
            f"no such sandbox fault: {kind} on {provider} {operation} "
            f"at rate {rate}, remaining {remaining}; {rule}"
        ) from error


async def clear_faults(connection: Connection) -> None:
    """Make all companies behave again."""
    await _queries().clear_faults(connection)


async def draw_fault(
    connection: Connection, provider: str, operation: str, roll: float
) -> FaultKind | None:
    """The fault that befalls this call, if any; `roll` is a random number in [0, 1)."""
    row = await _queries().draw_fault(connection, provider=provider, operation=operation, roll=roll)
    return None if row is None else FaultKind(row["kind"])


async def authorize(
    connection: Connection,
    *,
    key: str,
    request: str,
    order_id: str,
    token: str,
    amount: Money,
    refusal: str | None,
    holds_for: timedelta,
    captures_once: bool,
) -> PaymentCall:
    """Set an amount aside for so long, or keep the refusal. An answer kept under the key wins."""
    return await _payment_call_once(
        "authorize",
        connection,
        key=key,
        request=request,
        order_id=order_id,
        token=token,
        amount_minor=amount.minor,
        currency=amount.currency,
        code=refusal,
        holds_for=holds_for,
        captures_once=captures_once,
    )


async def capture(
    connection: Connection,
    *,
    key: str,
    request: str,
    authorization: str,
    amount: Money,
    refusing_token: str,
    fee: Money,
) -> PaymentCall:
    """Capture up to the authorized amount. An answer already kept under the key wins."""
    return await _payment_call_once(
        "capture",
        connection,
        key=key,
        request=request,
        authorization=authorization,
        amount_minor=amount.minor,
        currency=amount.currency,
        refusing_token=refusing_token,
        fee_minor=fee.minor,
    )


async def void(
    connection: Connection, *, key: str, request: str, authorization: str
) -> PaymentCall:
    """Release the uncaptured amount. An answer already kept under the key wins."""
    return await _payment_call_once(
        "void", connection, key=key, request=request, authorization=authorization
    )


async def refund(
    connection: Connection,
    *,
    key: str,
    request: str,
    authorization: str,
    amount: Money,
    refusing_token: str,
) -> PaymentCall:
    """Refund up to the captured amount. An answer already kept under the key wins."""
    return await _payment_call_once(
        "refund",
        connection,
        key=key,
        request=request,
        authorization=authorization,
        amount_minor=amount.minor,
        currency=amount.currency,
        refusing_token=refusing_token,
    )


async def send_refund_back(connection: Connection, key: str, code: str) -> None:
    """A refund that had its effect has it no longer, and counts as refused."""
    await _queries().send_refund_back(connection, key=key, code=code)


async def payment_call(connection: Connection, key: str) -> PaymentCall | None:
    """The record under a money call's key, or None."""
    row = await _queries().payment_call(connection, key=key)
    return None if row is None else _payment_call(row)


async def payment_effects(connection: Connection, order_id: str) -> tuple[PaymentEffect, ...]:
    """Every money call of the order that took effect, oldest first."""
    return tuple(
        [_effect(row) async for row in _queries().payment_effects(connection, order_id=order_id)]
    )


async def payment_effects_between(
    connection: Connection, since: datetime, before: datetime
) -> tuple[PaymentEffect, ...]:
    """All money moved from `since` on and before `before`, oldest first."""
    found = _queries().payment_effects_between(connection, since=since, before=before)
    return tuple([_effect(row) async for row in found])


async def buy_label(
    connection: Connection,
    *,
    key: str,
    request: str,
    carrier: str,
    fulfilment_id: str,
    service: str,
    country: str,
    postal_code: str | None,
    packed: Packed,
    numbers: int,
    refusal: str | None,
) -> CarrierCall:
    """Sell a label, or keep the refusal. An answer already kept under the key wins.

    `numbers` is the size of the carrier's range of tracking numbers, at most 10**9; they recur.
    """
    row = await _once(
        "buy_label",
        connection,
        key=key,
        request=request,
        carrier=carrier,
        fulfilment_id=fulfilment_id,
        service=service,
        country=country,
        postal_code=postal_code,
        box=packed.box,
        grams=packed.grams,
        numbers=numbers,
        code=refusal,
    )
    return _carrier_call(row)


async def void_label(
    connection: Connection, *, key: str, request: str, carrier: str, tracking_number: str
) -> CarrierCall:
    """Void the newest label with this number. An answer already kept under the key wins."""
    row = await _once(
        "void_label",
        connection,
        key=key,
        request=request,
        carrier=carrier,
        tracking_number=tracking_number,
    )
    return _carrier_call(row)


async def intercept(
    connection: Connection,
    *,
    key: str,
    request: str,
    carrier: str,
    tracking_number: str,
    refusal: str | None,
) -> CarrierCall:
    """Stop the newest parcel with this number. An answer already kept under the key wins."""
    row = await _once(
        "intercept",
        connection,
        key=key,
        request=request,
        carrier=carrier,
        tracking_number=tracking_number,
        code=refusal,
    )
    return _carrier_call(row)


async def carrier_call(connection: Connection, key: str) -> CarrierCall | None:
    """The record under a label call's key, or None."""
    row = await _queries().carrier_call(connection, key=key)
    return None if row is None else _carrier_call(row)


def _queries() -> Any:
    return load_queries(__file__)


async def _once(query: str, connection: Connection, **values: Any) -> Any:
    """Run a keyed query; if another call with the key wins the race, take the winner's answer."""
    run = getattr(_queries(), query)
    try:
        return await run(connection, **values)
    except asyncpg.UniqueViolationError:
        # Raised only once the winner has committed, so that its answer is there to be found.
        return await run(connection, **values)


async def _payment_call_once(query: str, connection: Connection, **values: Any) -> PaymentCall:
    return _payment_call(await _once(query, connection, **values))


def _payment_call(row: Any) -> PaymentCall:
    refused = row["code"] is not None
    return PaymentCall(row["request"], Refusal(row["code"]) if refused else _effect(row))


def _effect(row: Any) -> PaymentEffect:
    fee = row["fee_minor"]
    return PaymentEffect(
        key=row["key"] or "",
        kind=row["kind"],
        reference=row["reference"],
        authorization=row["payment_reference"],
        order_id=row["order_id"],
        amount=Money(minor=row["amount_minor"], currency=row["currency"]),
        token=row["token"],
        at=row["called_at"],
        fee=Money(minor=fee, currency=row["currency"]) if fee else None,
        expires_at=row["expires_at"],
    )


def _carrier_call(row: Any) -> CarrierCall:
    if row["code"] is not None:
        return CarrierCall(row["request"], Refusal(row["code"]))
    label = SoldLabel(
        row["carrier"],
        row["tracking_number"],
        row["fulfilment_id"],
        row["service"],
        row["country"],
        row["postal_code"],
        row["box"],
        row["grams"],
        row["voided"],
    )
    return CarrierCall(row["request"], label)
