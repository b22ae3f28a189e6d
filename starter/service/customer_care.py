"""What people write down about a customer: notes, consent, and that two are one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.customers.care import CONSENT_KINDS, UNLESS_SAID, ConsentKind, ConsentWord, NewNote
from domain.customers.ids import customer_id, number_of
from domain.errors import NotFound
from store.customers import care, pages
from store.database import Connection, Pool

KeptNote: TypeAlias = care.KeptNote
KeptMerge: TypeAlias = care.KeptMerge
SaidConsent: TypeAlias = care.SaidConsent


@dataclass(frozen=True)
class Consent:
    """Whether a customer wishes messages of a kind. `said`: their words, the latest first.

    Who has said nothing gets what is useful, and no marketing.
    """

    kind: ConsentKind
    given: bool
    said: Sequence[SaidConsent]


class CustomerCare:
    """By our own ids. The id of one who is merged into another names that one."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def note(self, customer: str, new: NewNote, *, who: str) -> KeptNote:
        """Write a note about a customer. Raises NotFound, also for another's order."""
        async with self._pool.acquire() as conn:
            return await care.note(conn, await _person(conn, customer), new, who=who)

    async def notes(
        self, customer: str, *, after: int | None = None, at_most: int
    ) -> Sequence[KeptNote]:
        """Notes about a customer, the latest first, behind the one with this number."""
        async with self._pool.acquire() as conn:
            number = await _person(conn, customer)
            return await care.notes(conn, number, after=after, at_most=at_most)

    async def say(self, customer: str, word: ConsentWord, *, who: str) -> Sequence[Consent]:
        """Keep what a customer wishes to be told. Raises NotFound."""
        async with self._pool.acquire() as conn:
            number = await _person(conn, customer)
            await care.say(conn, number, word, who=who)
            return consents(await care.words(conn, number))

    async def consent(self, customer: str) -> Sequence[Consent]:
        """What a customer wishes to be told, kind by kind. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return consents(await care.words(conn, await _person(conn, customer)))

    async def merge(self, customer: str, into: str, *, who: str, why: str) -> None:
        """Say that a customer is the same person as another one; once more changes nothing.

        Raises NotFound, and Refused: `same_customer`, `already_merged`, `merged_elsewhere`,
        `has_merged`, `being_erased`.
        """
        async with self._pool.acquire() as conn:
            await care.merge(conn, number_of(customer), number_of(into), who=who, why=why)

    async def unmerge(self, customer: str, *, who: str, why: str) -> str:
        """Say that they are two, as before. Returns the id of the other one.

        Raises NotFound, and Refused: `not_merged`.
        """
        async with self._pool.acquire() as conn:
            return customer_id(await care.unmerge(conn, number_of(customer), who=who, why=why))

    async def merges(self, customer: str) -> Sequence[KeptMerge]:
        """All merges of a customer, undone ones among them, the latest first. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await care.merges(conn, await _person(conn, customer))


def consents(words: Sequence[SaidConsent]) -> list[Consent]:
    """What a customer wishes, by what they have said."""
    told = []
    for kind in CONSENT_KINDS:
        said = tuple(word for word in words if word.kind == kind)
        told.append(Consent(kind, said[0].given if said else UNLESS_SAID[kind], said))
    return told


async def _person(conn: Connection, customer: str) -> int:
    found = await pages.customer(conn, number_of(customer))
    if found is None or found.erased_at is not None:
        raise NotFound(f"there is no customer {customer}")
    return found.customer_no
