"""Keys with which other programs come in: made, listed, rotated, revoked, and read at each request.

A key's secret leaves this door once, when it is made, and only its digest is kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, SecretStr

from domain.access.api_keys import OLD_SECRET_ENDS_IN, OLD_SECRET_ENDS_IN_MAX, ApiKey, KeyRequest
from domain.access.key_text import (
    ID_LENGTH,
    ID_LETTERS,
    SECRET_LENGTH,
    SECRET_LETTERS,
    KeyText,
    is_key_id,
    parse,
)
from domain.access.keys import Grant
from domain.errors import InvalidInput
from domain.words import few, span
from store.access import keys, signing
from store.accounting import sellers
from store.database import Connection, Pool
from store.orders import channels


class NewKey(BaseModel):
    """A key that was made or rotated. `secret_text`: the whole text, which nobody can ask again."""

    model_config = ConfigDict(frozen=True)

    key: ApiKey
    secret_text: SecretStr


class Access:
    """Keys of other programs, with what each of them may do."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def grant(self, token: str) -> Grant | None:
        """What somebody may do who came with this text. One statement, for each request.

        None for a text that is no key's, and for a key that is unknown, wrong, expired or revoked:
        which of these it is, is not told.
        """
        text = parse(token)
        if text is None:
            return None
        async with self._pool.acquire() as conn:
            return await keys.grant(conn, text)

    async def signing_secret(self, purpose: str) -> bytes:
        """What this installation signs with for a purpose, the same for all of its programs."""
        async with self._pool.acquire() as conn:
            return await signing.secret(conn, purpose, secrets.token_bytes(32))

    async def list(
        self, *, revoked: bool = False, after: str | None = None, limit: int = 1_000
    ) -> Sequence[ApiKey]:
        """Keys, the newest first, expired ones too. `after`: those behind the key of this id."""
        async with self._pool.acquire() as conn:
            return await keys.find(conn, revoked=revoked, after=after, at_most=limit)

    async def get(self, key_id: str) -> ApiKey:
        """One key, whatever its state. Raises NotFound."""
        _check_id(key_id)
        async with self._pool.acquire() as conn:
            return await keys.get(conn, key_id)

    async def make(self, wanted: KeyRequest, *, who: str, by_grant: Grant | None = None) -> NewKey:
        """Make a key. `by_grant`: what the key has that asks for it, if a key does.

        Raises InvalidInput for a channel or a seller that is not there, and for an end that is
        over; Refused if the new key may more than the one that asks.
        """
        text = KeyText(_drawn(ID_LETTERS, ID_LENGTH), _secret())
        if by_grant is not None:
            by_grant.check_covers(wanted.grant(text.key_id))
        async with self._pool.acquire() as conn:
            await _check_restriction(conn, wanted)
            await keys.make(conn, wanted, text, who=who)
            return NewKey(key=await keys.get(conn, text.key_id), secret_text=_shown(text))

    async def rotate(
        self,
        key_id: str,
        *,
        who: str,
        old_ends_in: timedelta = OLD_SECRET_ENDS_IN,
        by_grant: Grant | None = None,
    ) -> NewKey:
        """Give a key another secret. The old one works for `old_ends_in` more; 0: no more at all.

        Raises NotFound; Refused if the key is expired or revoked, or may more than the one that
        asks; InvalidInput for a length of time that cannot be.
        """
        _check_id(key_id)
        if not timedelta(0) <= old_ends_in <= OLD_SECRET_ENDS_IN_MAX:
            raise InvalidInput(
                f"must be {span(OLD_SECRET_ENDS_IN_MAX)} at most, and not negative",
                where="old_ends_in",
            )
        text = KeyText(key_id, _secret())
        async with self._pool.acquire() as conn:
            if by_grant is not None:
                by_grant.check_covers((await keys.get(conn, key_id)).grant())
            await keys.rotate(conn, text, old_ends_in=old_ends_in, who=who)
            return NewKey(key=await keys.get(conn, key_id), secret_text=_shown(text))

    async def revoke(self, key_id: str, *, who: str) -> ApiKey:
        """End a key at once and for good; a repeat changes nothing. Raises NotFound."""
        _check_id(key_id)
        async with self._pool.acquire() as conn:
            return await keys.revoke(conn, key_id, who=who)


def _check_id(key_id: str) -> None:
    if not is_key_id(key_id):
        raise keys.unknown(key_id)


async def _check_restriction(conn: Connection, wanted: KeyRequest) -> None:
    if wanted.channels is not None:
        _check_known("channel", wanted.channels, [x.channel for x in await channels.find(conn)])
    if wanted.sellers is not None:
        _check_known("seller", wanted.sellers, [x.seller for x in await sellers.find(conn)])


def _check_known(what: str, named: Iterable[str], known: Sequence[str]) -> None:
    lacking = sorted({*named} - {*known})
    if lacking:
        raise InvalidInput(
            f"there is no {what} {few(lacking, what)}; there is {few(known, what)}",
            where=f"{what}s",
        )


def _secret() -> str:
    return _drawn(SECRET_LETTERS, SECRET_LENGTH)


def _drawn(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def _shown(text: KeyText) -> SecretStr:
    return SecretStr(text.whole())
