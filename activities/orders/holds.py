"""What people ask of an order's holds: rows decide whether it can be done, and it is done once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.errors import NotFound, Refused
from domain.orders.hold_messages import (
    HOLDS_MAX,
    TELLS_CUSTOMER,
    ExtendRequest,
    HoldRequest,
    RejectRequest,
    ReleaseRequest,
    StandingHold,
)
from store import clock
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import effects, events, holds


class ChangeHolds(BaseModel):
    """A request, of which one is given. `ends`: a rejection whose units are cancelled by now.

    `turn`: what is refused in it stays refused, also for an attempt that comes late. The request
    may be made again in another turn.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    hold: HoldRequest | None = None
    release: ReleaseRequest | None = None
    extend: ExtendRequest | None = None
    reject: RejectRequest | None = None
    ends: bool = False
    turn: str = ""


class HoldRefusal(BaseModel):
    """A rule says no. `kind`: of the error; `reason` and `instead`: as it has them."""

    model_config = ConfigDict(frozen=True)

    kind: str
    message: str
    reason: str
    instead: tuple[str, ...] = ()


class HoldsChanged(BaseModel):
    """Which holds were changed, and which stand now; or why nothing was done."""

    model_config = ConfigDict(frozen=True)

    hold_ids: tuple[str, ...] = ()
    holds: tuple[StandingHold, ...] = ()
    refused: HoldRefusal | None = None


class Holds:
    """The activity that changes holds, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def change_holds(self, ask: ChangeHolds) -> HoldsChanged:
        """Do it once for each request, or say why not. A repeat answers with what stands by now."""
        order_id = ask.order_id
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            effect = f"change_holds:{ask.request_id}{':ends' if ask.ends else ''}"
            done = await effects.settled(conn, order_id, effect, ask.turn)
            if done is not None and "refused" in done:
                return HoldsChanged.model_validate(done)
            if done is not None:
                hold_ids = tuple(done["hold_ids"])
            else:
                try:
                    change = await _changed(conn, ask)
                except Refused as no:
                    refused = HoldsChanged(refused=_refusal(no))
                    await effects.keep_nothing(conn, order_id, effect, ask.turn, refused)
                    return refused
                hold_ids = change.hold_ids
                await events.tell(
                    conn,
                    order_id,
                    effect,
                    change.what,
                    who=change.who,
                    why=change.why,
                    data={"hold_ids": list(hold_ids), **change.data},
                    answer={"hold_ids": list(hold_ids)},
                )
            return HoldsChanged(hold_ids=hold_ids, holds=await holds.standing(conn, order_id))


class _Change(NamedTuple):
    """What was done, as the order's story tells it."""

    what: str
    who: str
    why: str
    hold_ids: tuple[str, ...]
    data: Mapping[str, Any] = {}


async def _changed(conn: Connection, ask: ChangeHolds) -> _Change:
    """Raises Refused where a rule says no."""
    stand = await holds.standing(conn, ask.order_id)
    if ask.hold is not None:
        return await _hold(conn, ask.order_id, ask.hold, stand)
    if ask.release is not None:
        asked = ask.release
        hold_ids = _named(stand, asked.hold, ask.order_id)
        told = await holds.release(conn, ask.order_id, hold_ids, who=asked.by, note=asked.note)
        return _Change("released", asked.by, asked.note, hold_ids, {TELLS_CUSTOMER: told})
    if ask.extend is not None:
        return await _extend(conn, ask.order_id, ask.extend, stand)
    assert ask.reject is not None  # one is given
    who, why = ask.reject.by, ask.reject.note
    if not ask.ends:
        hold_ids = _named(stand, ask.reject.hold, ask.order_id)
        if ask.reject.hold and not await holds.is_due(conn, ask.order_id, ask.reject.hold):
            raise Refused(f"the deadline of {ask.reject.hold} was moved", reason="deadline_moved")
        return _Change("rejection asked for", who, why, hold_ids)
    # With an order that is over, they have ended already.
    hold_ids = tuple(one.hold_id for one in stand if one.is_asked_for)
    await holds.release(conn, ask.order_id, hold_ids, who=who, note=why)
    return _Change("hold ended", who, why, hold_ids)


async def _hold(
    conn: Connection, order_id: str, asked: HoldRequest, stand: Sequence[StandingHold]
) -> _Change:
    if not await holds.is_here(conn, order_id):
        raise Refused(
            f"nothing of {order_id} is left to be handed over, so there is nothing to hold",
            reason="nothing_to_hold",
            instead=["return_items"],
        )
    if sum(one.is_asked_for for one in stand) >= HOLDS_MAX:
        raise Refused(
            f"{order_id} has {HOLDS_MAX} holds already: release some of them",
            reason="too_many_holds",
            instead=["release_order"],
        )
    _check_deadline(asked.until)
    hold_id = await holds.place(
        conn,
        order_id,
        reason=asked.reason,
        note=asked.note,
        owner=asked.owner,
        who=asked.by,
        until=asked.until,
        at_end=asked.at_end,
        told=asked.tell,
    )
    data = {"reason": asked.reason, "owner": asked.owner, "until": _text(asked.until)}
    told = {TELLS_CUSTOMER: asked.tell}
    return _Change(f"held: {asked.reason}", asked.by, asked.note, (hold_id,), {**data, **told})


async def _extend(
    conn: Connection, order_id: str, asked: ExtendRequest, stand: Sequence[StandingHold]
) -> _Change:
    _check_deadline(asked.until)
    hold_ids = _named(stand, asked.hold, order_id)
    await holds.extend(conn, order_id, hold_ids, until=asked.until, at_end=asked.at_end)
    return _Change("hold extended", asked.by, asked.note, hold_ids, {"until": _text(asked.until)})


def _named(stand: Sequence[StandingHold], hold_id: str | None, order_id: str) -> tuple[str, ...]:
    """The holds that a request is about. Raises Refused where they are not for people to end."""
    asked_for = tuple(one.hold_id for one in stand if one.is_asked_for)
    others = [one.hold_id for one in stand if not one.is_asked_for]
    if hold_id in others or (hold_id is None and others and not asked_for):
        raise Refused(
            f"{order_id} waits for its payment: that hold ends when the order is paid",
            reason="held_for_payment",
            instead=["pay_order", "cancel_order"],
        )
    if hold_id is None:
        if not asked_for:
            raise Refused(f"{order_id} is not held", reason="not_held", instead=["hold_order"])
        return asked_for
    if hold_id not in asked_for:
        raise NotFound(
            f"no hold {hold_id} of {order_id} stands; {', '.join(asked_for) or 'none'} does",
            reason="no_such_hold",
        )
    return (hold_id,)


def _check_deadline(until: datetime | None) -> None:
    if until is not None and until <= clock.now():
        raise Refused(f"{until:%Y-%m-%d %H:%M %Z} is over: say a later time", reason="time_is_over")


def _text(until: datetime | None) -> str | None:
    return None if until is None else until.isoformat()


def _refusal(no: Refused) -> HoldRefusal:
    return HoldRefusal(kind=no.kind, message=str(no), reason=no.reason, instead=no.instead)
