"""The payment plan: what to authorize, so that every part of an order can be charged.

It is made from what each part needs, who pays, and what stands at the companies, and from nothing
else. So whoever asks, and however often, gets the same answer. A plan that was carried out leaves
an empty one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.orders.amounts import spread
from domain.payments.cover import REST, SHARED, Need, Standing, When, in_sequence, lacks


@dataclass(frozen=True)
class Payer:
    """A means of payment, by its place in the order's list. The last one pays what is left.

    `once`: an authorization there can be charged once only. `limit`: the most that it pays; none
    for the last one. `refused`: it said no before, so it is not asked again. `least`: the least
    amount that it authorizes.
    """

    number: int
    once: bool = False
    limit: int | None = None
    refused: bool = False
    least: int = 1


@dataclass(frozen=True)
class Make:
    """An authorization to make; one that can be charged once is for a part, or for all of them."""

    payer: int
    part: str
    amount: int


@dataclass(frozen=True)
class Plan:
    """What to do, in this sequence: bind, make, and then release what is replaced.

    `bind`: key → its new part. `void`: to be released at the company. `close`: a charge of it is
    under way, so it is not voided, but nothing more is charged to it. `lacking`: what each part has
    not got until the moment asked for, also where nothing is made for that part now. `holds`: the
    wanted parts lack nothing.
    """

    bind: Mapping[str, str]
    make: tuple[Make, ...]
    void: tuple[str, ...]
    close: tuple[str, ...]
    lacking: Mapping[str, int]
    holds: bool

    def __bool__(self) -> bool:
        """There is something to do."""
        return bool(self.bind or self.make or self.void or self.close)


def plan(
    needs: Iterable[Need],
    payers: Sequence[Payer],
    standing: Iterable[Standing],
    when: When,
    wanted: Collection[str] | None = None,
) -> Plan:
    """What to do so that the wanted parts hold; None: all of them. The last payer pays the rest."""
    parts = in_sequence(needs)
    live = {need.part for need in parts}
    all_made = sorted(standing, key=lambda each: (each.payer, each.made, each.key))
    once = {payer.number for payer in payers if payer.once}
    # What is charged once for all parts is made for all of them.
    as_one = any(each.payer in once and each.part == SHARED for each in all_made)
    want = frozenset(live if wanted is None or as_one else live & set(wanted))
    made = [each for each in all_made if each.room]
    lasting = [each for each in made if when.lasts(each)]
    ending = [each for each in made if not when.lasts(each)]
    main = payers[-1].number
    missing = lacks(parts, lasting, want, main)
    holds = not want & missing.keys()
    if not holds:  # What is about to leave would take what is made for the others.
        want |= {need.part for need in parts if need.leaving}

    bind = _bound(parts, lasting, want, main, missing)
    lasting = [replace(each, part=bind.get(each.key, each.part)) for each in lasting]
    over = _replaced(ending, lasting, lacks(parts, lasting, want, main))

    spent = {x.number: sum(a.charged for a in all_made if a.payer == x.number) for x in payers}
    old = [replace(each, room=each.room - _instead(each, lasting)) for each in ending]
    make = _renewed(old, payers, lacks(parts, lasting, want, main), want)
    for _ in range(2):  # The second time for what rounding adds to what is made the first time.
        after = lasting + [Standing("", x.payer, x.part, x.amount, when.now) for x in make]
        lack = lacks(parts, after, want, main)
        make += _besides(payers, spent, after, lack, want, _in_parts(all_made))
    return Plan(
        bind=bind,
        make=_joined(make),
        void=tuple(each.key for each in over if not each.charging),
        close=tuple(each.key for each in over if each.charging),
        lacking=missing,
        holds=holds,
    )


def _bound(
    parts: Sequence[Need],
    lasting: Sequence[Standing],
    want: frozenset[str],
    main: int,
    missing: Mapping[str, int],
) -> dict[str, str]:
    """Authorizations of parts that will not be charged, for wanted parts that lack something.

    The smallest that is enough; otherwise the largest that is not, and so on. Units of the rest
    have become other parts, so what stands for it may pay for them.
    """
    live = {need.part for need in parts}
    free = [
        each
        for each in lasting
        if each.usable
        and each.part != SHARED
        and (each.part not in live or (each.part == REST and REST not in want))
    ]
    bound: dict[str, str] = {}
    for need in parts:
        left = missing.get(need.part, 0) if need.part in want else 0
        while left > 0 and free:
            free.sort(key=lambda s: (s.part == REST, s.usable, s.payer, s.key))
            enough = [each for each in free if each.usable >= left]
            taken = enough[0] if enough else free[-1]
            free.remove(taken)
            bound[taken.key] = need.part
            left -= taken.usable
    return bound


def _renewed(
    ending: Sequence[Standing],
    payers: Sequence[Payer],
    missing: Mapping[str, int],
    want: frozenset[str],
) -> list[Make]:
    """The authorizations to make in the place of those that end, each where the old one was made.

    A shared one is made for all parts that need it, so that it is not renewed for each of them.
    """
    by_number = {payer.number: payer for payer in payers}
    left = dict(missing)
    renewed = []
    for old in ending:
        payer = by_number.get(old.payer)
        if payer is None or payer.refused or payer.once != (old.part != SHARED):
            continue
        served = [part for part in left if old.part in (SHARED, part)]
        served.sort(key=lambda part: part not in want)
        if not served or served[0] not in want:
            continue
        amount = max(0, old.usable)
        for part in served:
            given = min(amount, left[part])
            amount -= given
            left[part] -= given
        renewed.append(Make(old.payer, old.part, max(0, old.usable) - amount))
        left = {part: minor for part, minor in left.items() if minor}
    return renewed


def _besides(
    payers: Sequence[Payer],
    spent: Mapping[int, int],
    lasting: Sequence[Standing],
    missing: Mapping[str, int],
    want: frozenset[str],
    in_parts: frozenset[int],
) -> list[Make]:
    """The authorizations for what nothing stands for, spread over the payers by their limits.

    Where a part alone is less than a payer's least amount, there is one for all parts, but not
    beside those that are made for a part (`in_parts`).
    """

    def room(payer: Payer) -> int | None:
        if payer.refused:
            return 0
        if payer.limit is None:
            return None
        stands = sum(each.room for each in lasting if each.payer == payer.number)
        return max(0, payer.limit - spent[payer.number] - stands)

    lacks = {part: minor for part, minor in missing.items() if part in want}
    shares = spread(lacks, [*(room(payer) for payer in payers[:-1]), None])
    made = []
    for payer, share in zip(payers, shares, strict=True):
        too_little = len(share) > 1 and min(share.values()) < payer.least
        if payer.once and (payer.number in in_parts or not too_little):
            made += [Make(payer.number, part, amount) for part, amount in share.items()]
        else:
            made.append(Make(payer.number, SHARED, sum(share.values())))
    return made


def _in_parts(made: Iterable[Standing]) -> frozenset[int]:
    """The payers for whom an authorization was made for a part alone."""
    return frozenset(each.payer for each in made if each.part != SHARED)


def _joined(made: Iterable[Make]) -> tuple[Make, ...]:
    """One for each payer and part."""
    sums: dict[tuple[int, str], int] = {}
    for make in made:
        key = make.payer, make.part
        sums[key] = sums.get(key, 0) + make.amount
    return tuple(Make(*key, amount) for key, amount in sorted(sums.items()) if amount)


def _replaced(
    ending: Sequence[Standing],
    lasting: Sequence[Standing],
    missing: Mapping[str, int],
) -> list[Standing]:
    """Those that end and that nobody needs any more: others stand in their place."""
    replaced = []
    for old in ending:
        needed = bool(missing) if old.part == SHARED else old.part in missing
        if not needed or _instead(old, lasting) >= old.usable > 0:
            replaced.append(old)
    return replaced


def _instead(old: Standing, lasting: Sequence[Standing]) -> int:
    """What was made in the place of one that ends."""
    return sum(
        new.usable
        for new in lasting
        if (new.payer, new.part) == (old.payer, old.part) and new.made > old.made
    )
