"""Works through shops' messages: each once, in any order, also after a crash.

A message is read and applied in the transaction that marks it as worked through. It places its
order by writing it down, as the door does; the relay's duty for that starts it. What changed in the
shop since becomes a request to the order, or a task for a person. Of two messages about one order
the newer one counts, whichever came first. One that cannot be applied is tried again, after ever
longer pauses, and no other message waits for it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from activities.inboxes import pause_after, said
from activities.payments.provider_events import Waken
from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from domain import ids
from domain.errors import InvalidInput
from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.policy import Policy
from domain.orders.providers import ELSEWHERE
from domain.payments.provider_events import Wake
from domain.shops.news import OrderNews, differences
from domain.shops.reading import content_of, is_about_an_order, read_order, subject_and_version
from domain.words import count_of
from store.database import Connection, Pool, Record
from store.orders import channels, hold_rules, intake
from store.payments import elsewhere, provider_events
from store.shops import connections, messages
from store.shops.messages import About, Standing

logger = logging.getLogger(__name__)

SOON: Final = timedelta(seconds=1)

Cancel = Callable[[str, CancelRequest], Awaitable[str]]
"""Asks an order to cancel. Returns why it was refused; empty: it was taken, or is asked again."""

_ENDED_EARLY: Final = ("rejected", "cancelled")


@dataclass(frozen=True)
class _Step:
    """What comes of a message now. `outcome`: it is worked through; otherwise it comes again."""

    outcome: str = ""
    error: str = ""
    ask: CancelRequest | None = None
    wakes: tuple[Wake, ...] = ()


class ShopMessages:
    """A duty of the relay. `usual`: the policy where a channel does not say otherwise.

    `cancel` and `waken` speak to the workflows of orders. `kept`: for how long a message is kept
    after it was worked through.
    """

    def __init__(
        self,
        pool: Pool,
        cancel: Cancel,
        waken: Waken,
        usual: Policy,
        kept: timedelta = AS_SHIPPED.provider_events,
    ) -> None:
        self._pool = pool
        self._usual = usual
        self._kept = kept
        self._cancel = cancel
        self._waken = waken

    async def work_through(self) -> None:
        """Work through the messages that are due."""
        for _ in range(BATCH):
            if not await self._next():
                return

    async def forget(self) -> None:
        """Delete messages that were processed long ago."""
        while await self._forget_some() == BATCH:
            pass

    async def _forget_some(self) -> int:
        async with self._pool.acquire() as conn:
            return await messages.forget(conn, self._kept, BATCH)

    async def _next(self) -> bool:
        async with self._pool.acquire() as conn, conn.transaction():
            message = await messages.lock_due(conn)
            if message is None:
                return False
            about, step = await self._tried(conn, message)
        # No transaction is open during calls to Temporal. After a crash here, it comes again.
        if step.ask is not None and about.order_id is not None:
            refusal = await self._cancel(about.order_id, step.ask)
            if refusal:
                async with self._pool.acquire() as conn:
                    error = f"the shop's cancellation was refused: {refusal}"
                    pause = pause_after(message["tries"])
                    await messages.later(conn, message["message_no"], about, pause, error=error)
        for wake in step.wakes:
            await self._waken(wake)
        return True

    async def _tried(self, conn: Connection, message: Record) -> tuple[About, _Step]:
        """Apply a message, or postpone it with the reason."""
        number, about = message["message_no"], About()
        try:
            async with conn.transaction():
                kind, options = await connections.options_of(conn, message["channel"])
                if not is_about_an_order(kind, message["topic"]):
                    step = _Step(f"nothing is read of {message['topic'] or 'no topic'}")
                else:
                    content = content_of(message["body"])
                    subject, version = subject_and_version(kind, content, message["sent_at"])
                    about = About(subject, version)
                    news = read_order(kind, content, message["channel"], options)
                    about = About(subject, version, ids.order_id(message["channel"], news.number))
                    step = await self._apply(conn, message, about, news)
        except intake.ChannelChanged:
            step = _Step()
        except Exception as error:  # noqa: BLE001  # one message's defect must not stop the others
            step = _Step(error=said(error))
            logger.warning("message %s of %s waits: %s", number, message["channel"], type(error))
        if step.error and await messages.was_settled(conn, message["channel"], about, step.error):
            step = _Step("a person has dealt with that before")
        if step.outcome:
            await messages.processed(conn, number, about, step.outcome)
        else:
            asked = step.ask is not None
            pause = pause_after(message["tries"])
            await messages.later(conn, number, about, pause, error=step.error, asked=asked)
        if step.error and about.subject is not None:
            await messages.replaced(conn, message["channel"], about)
        return about, step

    async def _apply(
        self, conn: Connection, message: Record, about: About, news: OrderNews
    ) -> _Step:
        channel = message["channel"]
        if await messages.is_outdated(conn, channel, about):
            return _Step("something newer about it was worked through")
        if await messages.is_asking(conn, channel, about, message["message_no"]):
            return _Step()
        assert about.order_id is not None
        stands = await messages.standing(conn, about.order_id)
        if stands is None:
            return await self._place(conn, channel, news)
        return await self._catch_up(conn, about, news, stands)

    async def _place(self, conn: Connection, channel: str, news: OrderNews) -> _Step:
        if news.order is None or news.cancelled:
            return _Step("it was cancelled before it came")
        if news.wait:
            return _Step(news.wait)
        known = await channels.known(conn, channel=channel)
        judged = intake.judged(known, self._usual, news.order)
        await intake.take_in(conn, [judged], await hold_rules.known(conn))
        if news.removed or news.paid_back:
            return _Step()  # It was changed there before it came: what follows waits for its start.
        return _Step("placed")

    async def _catch_up(
        self, conn: Connection, about: About, news: OrderNews, stands: Standing
    ) -> _Step:
        """What changed in the shop since the order was placed."""
        if (ask := _cancellation(about, news, stands)) is not None:
            return _Step(ask=ask)
        wakes: list[Wake] = []
        if news.paid_back and stands.provider == ELSEWHERE:
            if not stands.captured and stands.decision not in _ENDED_EARLY:
                return _Step()
            wakes += await _paid_back(conn, about, news, stands)
        left = sum(line["left"] for line in stands.lines.values())
        if news.cancelled and left:
            units = count_of(left, "unit")
            raise InvalidInput(
                f"{news.cancelled}, but {units} of {about.order_id} have left: agree on a return"
            )
        if not news.cancelled and news.order is not None and news.order.digest != stands.digest:
            edited = differences(news.order, stands.document)
            if edited:
                raise InvalidInput(
                    f"{about.order_id} was edited in the shop: {edited}; see to it here by hand"
                )
        return _Step("its order is up to date", wakes=tuple(wakes))


def _cancellation(about: About, news: OrderNews, stands: Standing) -> CancelRequest | None:
    """What is to be cancelled here, because it was there, and can still be."""
    if stands.decision not in ("received", "confirmed"):
        return None
    open_units = {
        line_id: line["ordered"] - line["cancelled"] - line["left"]
        for line_id, line in stands.lines.items()
    }
    lines: tuple[LineRequest, ...] = ()
    if not news.cancelled:
        lacking = {
            line_id: min(units - stands.lines[line_id]["cancelled"], open_units[line_id])
            for line_id, units in news.removed.items()
            if line_id in stands.lines
        }
        lines = tuple(
            LineRequest(line_id=line_id, quantity=units)
            for line_id, units in sorted(lacking.items())
            if units > 0
        )
    if not (lines or (news.cancelled and any(open_units.values()))):
        return None
    what = f"{about.order_id} {[(line.line_id, line.quantity) for line in lines]}"
    what += f" {about.version}" if lines else ""
    return CancelRequest(
        reason=news.cancelled or "taken off the order in the shop",
        lines=lines,
        request_id=f"shop-{hashlib.sha256(what.encode()).hexdigest()[:24]}",
        by="shop",
    )


async def _paid_back(
    conn: Connection, about: About, news: OrderNews, stands: Standing
) -> list[Wake]:
    """Record what the shop has paid back. Returns the steps that wait for that."""
    assert about.order_id is not None
    paid_back = sum(one.amount.minor for one in news.paid_back)
    if not stands.captured:  # It ended before anything of it was charged here.
        if paid_back >= stands.total_minor - stands.authorized:
            step = f"{elsewhere.NEVER_BEGUN}{about.order_id}"
            note = "the shop has paid it back"
            await elsewhere.settle_never_begun(conn, about.order_id, step, note, who="shop")
        return []
    wakes: list[Wake] = []
    for refund in news.paid_back:
        wakes += await provider_events.paid_back(conn, ELSEWHERE, refund)
    return wakes
