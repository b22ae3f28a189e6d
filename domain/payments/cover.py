"""What stands at payment companies, and whether it is enough for what an order needs.

At most companies one authorization is charged several times, so it is shared by all parts. At a
company that charges an authorization once, each part gets its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

ENDED: Final = ("expired", "already_voided")
"""The codes of refusals which say that a company has ended the authorization."""

REST: Final = "rest"
"""The part that is made of units which are in no fulfilment yet."""

SHARED: Final = ""
"""The part of an authorization that pays for any of them."""


@dataclass(frozen=True)
class Need:
    """A part of the order, and what is still to be charged for it, in minor units.

    `most`: the amount with the minor unit that rounding can add, if the part is charged in another
    sequence. `leaving`: its parcel waits for the hand-over, or has left, and relies on what stands.
    """

    part: str
    amount: int
    most: int = 0
    leaving: bool = False


@dataclass(frozen=True)
class Standing:
    """An authorization that was made. `room`: what is neither charged nor released of it.

    `part`: the one that it is bound to, where it can be charged once. `charged`: what was charged
    to it, or is being charged. `charging`: a charge is under way.
    """

    key: str
    payer: int
    part: str
    room: int
    made: datetime
    ends: datetime | None = None
    charged: int = 0
    charging: bool = False

    @property
    def usable(self) -> int:
        """What can still be charged to it. The one charge of a part releases the rest."""
        return 0 if self.part != SHARED and self.charged else self.room


@dataclass(frozen=True)
class When:
    """The moment to hold until, and the present.

    `spare`: an authorization that cannot be made to last until then is renewed so long before its
    end, or in the last quarter of its life if that is shorter.
    """

    now: datetime
    until: datetime
    spare: timedelta = timedelta(0)

    def lasts(self, standing: Standing) -> bool:
        """Whether it need not be renewed: it lasts, or another would not last either.

        A new one counts as lasting until then only if it would do so for some time, so that it is
        not found too short a moment later.
        """
        if standing.ends is None:
            return True
        life = standing.ends - standing.made
        if life - renewed_before_end(life, self.spare) > self.until - self.now:
            return standing.ends > self.until
        return not is_ending(standing, self.now, self.spare)


def renewed_before_end(life: timedelta, spare: timedelta) -> timedelta:
    """How long before its end an authorization is renewed: `spare`, or a quarter of its life."""
    return min(spare, life / 4)


def is_ending(standing: Standing, now: datetime, spare: timedelta) -> bool:
    """Whether it ends so soon that it is renewed now."""
    if standing.ends is None:
        return False
    return standing.ends - now <= renewed_before_end(standing.ends - standing.made, spare)


def lasting_room(standing: Iterable[Standing], part: str, now: datetime, spare: timedelta) -> int:
    """What stands for a part, without the authorizations that are renewed now."""
    return sum(
        each.room
        for each in standing
        if each.part in (SHARED, part) and not is_ending(each, now, spare)
    )


def still_needed(
    asked: Iterable[Need],
    *,
    charged: Mapping[str, int],
    leaving: Collection[str],
    ended: bool,
) -> list[Need]:
    """What is still to be charged for these parts.

    `charged`: what each part was charged, or is being. `leaving`: the parcels that wait for their
    hand-over, or have left. `ended`: a company has ended an authorization before its time; as long
    as none has, there is enough for all.
    """
    return [
        replace(
            need,
            amount=max(0, need.amount - charged.get(need.part, 0)),
            most=max(0, need.most - charged.get(need.part, 0)),
            leaving=ended and need.part in leaving and need.part not in charged,
        )
        for need in asked
    ]


def lacking(
    needs: Iterable[Need],
    main: int,
    standing: Iterable[Standing],
    when: When,
    wanted: Collection[str],
) -> Mapping[str, int]:
    """What these parts have not got until then; `main` is the number of the last payer."""
    lasting = [each for each in standing if each.room and when.lasts(each)]
    found = lacks(in_sequence(needs), lasting, frozenset(wanted), main)
    return {part: amount for part, amount in found.items() if part in wanted}


def in_sequence(needs: Iterable[Need]) -> list[Need]:
    """The parts in the sequence in which they were made; the rest comes last."""
    return sorted(needs, key=lambda need: (need.part == REST, len(need.part), need.part))


def lacks(
    parts: Sequence[Need], lasting: Sequence[Standing], want: frozenset[str], main: int
) -> dict[str, int]:
    """What each part, in this sequence, has not got, where these authorizations stand.

    Its own come first. The shared ones serve those about to leave before the wanted ones, and these
    before the others.
    """
    shared = sum(each.usable for each in lasting if each.part == SHARED)
    missing = {}
    for need in sorted(parts, key=lambda n: (not n.leaving, n.part not in want)):
        own = [each for each in lasting if each.part == need.part]
        # Where all parts share, rounding moves a minor unit from one to another, and adds none.
        alone = any(each.usable and each.payer == main for each in own)
        amount = max(need.amount, need.most) if alone else need.amount
        amount = max(0, amount - sum(each.usable for each in own))
        from_shared = min(amount, shared)
        shared -= from_shared
        if amount > from_shared:
            missing[need.part] = amount - from_shared
    return missing
