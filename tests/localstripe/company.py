"""What Stripe documents and localstripe 1.15 does not do, before and after its own answers.

localstripe knows payment intents, charges, refunds and balance transactions, takes and moves the
money, and is asked for all of that. It differs from Stripe in this, which is added here:

- It has no idempotency keys. Stripe keeps the first answer under a key, 500 included; refuses
  another call with the key meanwhile (409) or with other content (400); and keeps nothing where it
  has not begun ("Idempotent requests").
- It captures again what was cancelled, cancels nothing of what is captured, refunds more than was
  captured, and answers "Bad request" without a code. Stripe refuses each with a code.
- A capture takes no metadata, a cancelled intent does not say when and why, and no intent or charge
  says how much of it was captured.
- What a partial capture releases is a refund there, as it was at Stripe before version 2025-03-31
  of its API; the charge's booking has the whole amount, and no fee.
- Payment intents, refunds and balance transactions cannot be listed by time, nor bookings by kind
  or charge; a list is oldest first; a page holds what is asked for. There is no search.
- It takes any amount: Stripe takes no less than a least one.
- `allowed_payment_method_types` is not known to it; and a card of the number that stands for too
  little money is charged.
- A card can be captured once, whatever is asked for: tests of several captures use canned answers.
- An authorization never ends by itself: `expire` does that.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

Pairs = Sequence[tuple[str, str]]

INTENTS: Final = "/v1/payment_intents"
REFUNDS: Final = "/v1/refunds"
LEAST: Final = 50
"""The least amount of a payment intent, in cents."""

BOOKINGS: Final = "/v1/balance_transactions"
_ALL: Final = "1000000"
_CANCELLABLE: Final = (
    *("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action"),
)


@dataclass(frozen=True)
class Call:
    """A request, as far as it matters."""

    method: str
    path: str
    query: Pairs = ()
    form: Pairs = ()
    key: str | None = None
    authorization: str = ""

    def field(self, name: str) -> str | None:
        """The first value of this name, in what is sent or asked for."""
        return next((value for each, value in (*self.form, *self.query) if each == name), None)


@dataclass(frozen=True)
class Answer:
    """`kept`: it stays under the call's key."""

    status: int
    body: dict[str, Any]
    kept: bool = True


def refused(
    code: str | None, message: str, *, param: str | None = None, status: int = 400, **more: Any
) -> Answer:
    """An error as Stripe writes them."""
    error = {"type": "invalid_request_error", "message": message, **more}
    if code is not None:
        error["code"] = code
    if param is not None:
        error["param"] = param
    return Answer(status, {"error": error})


def fee_of(amount: int) -> int:
    """What a charge costs here: 2.9 % and 30."""
    return (amount * 29 + 500) // 1000 + 30


@dataclass
class Company:
    """One account at localstripe, seen as Stripe would show it."""

    session: aiohttp.ClientSession
    url: str
    kept: dict[str, tuple[Call, Answer]] = field(default_factory=dict)
    _running: set[str] = field(default_factory=set)
    _captured: dict[str, int] = field(default_factory=dict)
    _ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    _released: set[str] = field(default_factory=set)
    _made: dict[str, int] = field(default_factory=dict)
    _lists: dict[tuple[str, Pairs, str], Answer] = field(default_factory=dict)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def clear(self) -> None:
        """Forget everything."""
        async with self.session.delete(f"{self.url}/_config/data") as answer:
            answer.raise_for_status()
        for each in (self.kept, self._captured, self._ended, self._released, self._made):
            each.clear()
        self._lists.clear()

    async def answer(self, call: Call) -> Answer:
        """The answer to a call, once and for all where it has a key."""
        if call.key is None or call.method != "POST":
            return await self._execute(call)
        if call.key in self._running:
            return refused(
                "idempotency_key_in_use",
                "There is currently another in-progress request using this key.",
                status=409,
            )
        if call.key in self.kept:
            first, answer = self.kept[call.key]
            if (first.path, sorted(first.form)) != (call.path, sorted(call.form)):
                message = "Keys for idempotent requests can only be used with the same parameters."
                return Answer(400, {"error": {"type": "idempotency_error", "message": message}})
            return answer
        self._running.add(call.key)
        try:
            answer = await self._execute(call)
        finally:
            self._running.discard(call.key)
        if answer.kept and answer.status not in (401, 429):
            self.kept[call.key] = (call, answer)
        return answer

    async def expire(self, intent: str) -> None:
        """Stripe's own end of an authorization that was not captured in time."""
        async with self._one:
            await self._forward(Call("POST", f"{INTENTS}/{intent}/cancel"))
            self._ended[intent] = _end("expired")

    def backdate(self, reference: str, seconds: int) -> None:
        """Have an object made so long before."""
        self._lists.clear()
        self._made[reference] = seconds

    async def _execute(self, call: Call) -> Answer:
        intent = re.fullmatch(rf"{INTENTS}/(pi_\w+)(/\w+)?", call.path)
        async with self._one:
            if call.method == "GET":
                if call.path in (INTENTS, f"{INTENTS}/search", REFUNDS, BOOKINGS):
                    return await self._list(call)
            elif call.path == INTENTS:
                return await self._create(call)
            elif call.path == REFUNDS:
                return await self._refund(call)
            elif intent and intent[2] == "/capture":
                return await self._capture(call, intent[1])
            elif intent and intent[2] == "/cancel":
                return await self._cancel(call, intent[1])
            return await self._forward(call)

    async def _create(self, call: Call) -> Answer:
        if int(call.field("amount") or 0) < 1:
            return refused("parameter_invalid_integer", "Invalid positive integer", param="amount")
        if int(call.field("amount") or 0) < LEAST:
            message = "Amount must be at least $0.50 usd"
            return refused("amount_too_small", message, param="amount")
        known = [
            pair for pair in call.form if not pair[0].startswith("allowed_payment_method_types")
        ]
        return await self._forward(_with(call, form=known))

    async def _capture(self, call: Call, intent: str) -> Answer:
        now = await self._intent(call, intent)
        if now.status != 200:
            return now
        if now.body["status"] != "requires_capture":
            return _unexpected(now.body, "captured")
        if call.field("final_capture") is not None:
            return refused(None, "Multicapture is not available here", param="final_capture")
        amount = int(call.field("amount_to_capture") or now.body["amount"])
        if amount > now.body["amount"]:
            message = "The amount exceeds what can be captured."
            return refused("amount_too_large", message, param="amount_to_capture")
        marks = [pair for pair in call.form if pair[0].startswith("metadata[")]
        others = [pair for pair in call.form if not pair[0].startswith("metadata[")]
        self._captured[intent] = self._captured[now.body["latest_charge"]["id"]] = amount
        taken = await self._forward(_with(call, form=others))
        if taken.status != 200:
            return taken
        refunds = await self._raw(
            Call("GET", REFUNDS, (("payment_intent", intent), ("limit", _ALL)))
        )
        self._released |= {refund["id"] for refund in refunds.body["data"]}
        if not marks:
            return taken
        expand = [pair for pair in call.form if pair[0].startswith("expand[")]
        return await self._forward(Call("POST", f"{INTENTS}/{intent}", form=[*marks, *expand]))

    async def _cancel(self, call: Call, intent: str) -> Answer:
        now = await self._intent(call, intent)
        if now.status != 200:
            return now
        if now.body["status"] not in _CANCELLABLE:
            return _unexpected(now.body, "canceled")
        self._ended[intent] = _end(None)
        return await self._forward(call)

    async def _refund(self, call: Call) -> Answer:
        intent = call.field("payment_intent") or ""
        now = await self._intent(call, intent)
        if now.status != 200:
            return now
        found = await self._list(Call("GET", REFUNDS, (("payment_intent", intent),)))
        left = now.body["amount_received"] - sum(each["amount"] for each in found.body["data"])
        if left <= 0:
            return refused("charge_already_refunded", "The charge has already been refunded.")
        if int(call.field("amount") or 0) > left:
            message = f"Refund amount is greater than unrefunded amount on charge ({left})"
            return refused(None, message, param="amount")
        return await self._forward(call)

    async def _list(self, call: Call) -> Answer:
        """Filtered, newest first, in pages."""
        passed = [
            pair
            for pair in call.query
            if pair[0].startswith("expand") or pair[0] == "payment_intent"
        ]
        path = call.path.removesuffix("/search")
        answer = await self._whole(path, passed, call.authorization)
        if answer.status != 200:
            return answer
        after, before = call.field("created[gte]"), call.field("created[lt]")
        source, kind = call.field("source"), call.field("type")
        query = re.fullmatch(r"metadata\['(.*)'\]:'(.*)'", call.field("query") or "")
        rows = [
            row
            for row in answer.body["data"]
            if row["id"] not in self._released
            and _source(row) not in self._released
            and (after is None or row["created"] >= int(after))
            and (before is None or row["created"] < int(before))
            and (source is None or _source(row) == source)
            and (kind is None or row["type"] == kind)
            and (query is None or row["metadata"].get(query[1]) == query[2])
        ]
        rows.reverse()
        rows.sort(key=lambda row: -row["created"])
        last = call.field("starting_after")
        start = 1 + next((n for n, row in enumerate(rows) if row["id"] == last), -1)
        size = int(call.field("limit") or 10)
        page = {
            "object": "search_result" if query else "list",
            "url": call.path,
            "data": rows[start : start + size],
            "has_more": len(rows) > start + size,
        }
        return Answer(200, page)

    async def _whole(self, path: str, query: Pairs, authorization: str) -> Answer:
        """A whole list, until something changes. localstripe would write it anew for each page."""
        which = (path, (*query,), authorization)
        if which not in self._lists:
            asked = Call("GET", path, (*query, ("limit", _ALL)), authorization=authorization)
            self._lists[which] = await self._forward(asked)
        return self._lists[which]

    async def _intent(self, call: Call, intent: str) -> Answer:
        return await self._forward(
            Call("GET", f"{INTENTS}/{intent}", authorization=call.authorization)
        )

    async def _forward(self, call: Call) -> Answer:
        answer = await self._raw(call)
        return Answer(answer.status, self._shown(answer.body), answer.kept)

    async def _raw(self, call: Call) -> Answer:
        if call.method != "GET":
            self._lists.clear()
        headers = {"Authorization": call.authorization or "Bearer sk_test_stand_in"}
        body = aiohttp.FormData(call.form) if call.form else None
        async with self.session.request(
            call.method,
            self.url + call.path,
            params=[*call.query],
            data=body,
            headers=headers,
        ) as answer:
            content: dict[str, Any] = json.loads(await answer.text())
            return Answer(answer.status, content)

    def _shown(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self._shown(each) for each in part]
        if not isinstance(part, dict):
            return part
        shown = {name: self._shown(each) for name, each in part.items()}
        if "created" in shown and shown.get("id") in self._made:
            shown["created"] -= self._made[shown["id"]]
        match shown.get("object"):
            case "payment_intent":
                charge = shown["latest_charge"] or {}
                canceled = shown["status"] == "canceled"
                taken = self._captured.get(shown["id"], 0) if charge.get("captured") else 0
                shown["amount_received"] = 0 if canceled else taken
                shown |= self._ended.get(shown["id"], {})
            case "charge":
                taken = self._captured.get(shown["id"], 0)
                shown["amount_captured"] = taken if shown["captured"] else 0
            case "balance_transaction" if shown["type"] == "charge":
                amount = self._captured.get(_source(shown) or "", shown["amount"])
                shown |= {"amount": amount, "fee": fee_of(amount)}
        return shown


def _with(call: Call, **changes: Any) -> Call:
    return Call(**{**vars(call), **changes})


def _end(reason: str | None) -> dict[str, Any]:
    return {"canceled_at": int(time.time()), "cancellation_reason": reason}


def _unexpected(intent: Mapping[str, Any], how: str) -> Answer:
    message = (
        f"This PaymentIntent could not be {how} because it has a status of {intent['status']}."
    )
    return refused("payment_intent_unexpected_state", message, payment_intent=dict(intent))


def _source(row: Mapping[str, Any]) -> str | None:
    source = row.get("source")
    return source["id"] if isinstance(source, dict) else source
