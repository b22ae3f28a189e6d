"""Keys on the real database: what they grant, until when, and what is kept of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import asyncpg
import pytest

from domain.access.api_keys import KeyRequest
from domain.access.key_text import parse
from domain.access.keys import SCOPES, Grant, Scope, forbidden
from domain.errors import InvalidInput, NotFound, Refused
from starter.service.access import Access, NewKey
from store.database import Pool
from tests.support.planted import left_of_it
from tests.support.round_trips import RoundTrips, counting_pool

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)


@pytest.fixture
async def trips(database_url: str) -> AsyncIterator[RoundTrips]:
    """One connection, whose clock is set, and whose statements are counted."""
    async with counting_pool(database_url) as trips:
        await at(trips.pool, NOW)
        yield trips


@pytest.fixture
def access(trips: RoundTrips) -> Access:
    return Access(trips.pool)


async def at(pool: Pool, moment: datetime) -> None:
    await pool.execute("select set_config('orderloom.now', $1, false)", moment.isoformat())


async def made(access: Access, *scopes: str, **told: Any) -> NewKey:
    wanted = {"name": "shop", "scopes": scopes or ("orders:read",), **told}
    return await access.make(KeyRequest.model_validate(wanted), who="anna")


def text_of(key: NewKey) -> str:
    return key.secret_text.get_secret_value()


def with_secret(key: NewKey, other: NewKey) -> str:
    """The text of a key with the secret of another one."""
    secret = parse(text_of(other))
    assert secret is not None
    return f"olk_{key.key.key_id}_{secret.secret}"


# What a key grants --------------------------------------------------------------------------------


async def test_a_key_grants_what_it_was_made_with(access: Access) -> None:
    key = await made(
        access,
        *("orders:write", "orders:read", "stock:read", "orders:read"),
        channels=["web", "pos", "web"],
        sellers=["main"],
        per_minute=30,
        expires_at="2027-04-01T00:00:00Z",
    )
    assert await access.grant(text_of(key)) == Grant(
        key_id=key.key.key_id,
        name="shop",
        scopes=frozenset({"orders:read", "orders:write", "stock:read"}),
        channels=frozenset({"web", "pos"}),
        sellers=frozenset({"main"}),
        per_minute=30,
        expires_at=datetime(2027, 4, 1, tzinfo=UTC),
    )
    assert key.key.scopes == ("orders:read", "orders:write", "stock:read")
    assert key.key.channels == ("pos", "web")
    assert (key.key.state, key.key.made_by, key.key.made_at) == ("live", "anna", NOW)
    known = await access.get(key.key.key_id)
    assert known == key.key.model_copy(update={"last_used_at": NOW})


async def test_a_short_form_is_kept_as_what_it_stands_for(access: Access) -> None:
    key = await made(access, "all:read")
    assert list(key.key.scopes) == [one for one in SCOPES if one.endswith(":read")]
    grant = await access.grant(text_of(key))
    assert grant is not None
    assert (grant.channels, grant.sellers, grant.expires_at) == (None, None, None)


async def test_a_text_that_is_not_right_grants_nothing(access: Access) -> None:
    one, other = await made(access), await made(access)
    whole = text_of(one)
    assert await access.grant(whole) is not None
    for wrong in (
        *("", "Bearer", whole[:-1], f"{whole}x", whole.upper(), whole.replace("olk_", "")),
        with_secret(one, other),
        f"olk_{'z' * 12}_{'a' * 43}",
        "\ud800" + whole,
        whole[:20] + "\0" + whole[21:],
    ):
        assert await access.grant(wrong) is None


async def test_a_request_costs_one_statement(access: Access, trips: RoundTrips) -> None:
    key = await made(access)
    for token, statements in ((text_of(key), 1), (text_of(key)[:-1] + "!", 0)):
        with trips.counted() as sent:
            await access.grant(token)
        assert len(sent) == statements, sent


async def test_a_key_is_for_channels_and_sellers_that_there_are(access: Access) -> None:
    with pytest.raises(InvalidInput, match="channels: there is no channel moon, sun; there is b2b"):
        await made(access, channels=["web", "sun", "moon"])
    with pytest.raises(InvalidInput, match="sellers: there is no seller uk; there is main"):
        await made(access, sellers=["uk"])
    assert await access.list() == []


# Until when ---------------------------------------------------------------------------------------


async def test_a_key_expires_by_the_clock_of_the_database(
    access: Access, trips: RoundTrips
) -> None:
    key = await made(access, expires_at=(NOW + A_DAY).isoformat())
    await at(trips.pool, NOW + A_DAY - timedelta(seconds=1))
    assert await access.grant(text_of(key)) is not None
    await at(trips.pool, NOW + A_DAY)
    assert await access.grant(text_of(key)) is None
    assert (await access.get(key.key.key_id)).state == "expired"
    assert [one.key_id for one in await access.list()] == [key.key.key_id]
    with pytest.raises(Refused, match="is expired: make another one"):
        await access.rotate(key.key.key_id, who="anna")


async def test_a_key_that_is_over_already_is_not_made(access: Access) -> None:
    with pytest.raises(InvalidInput, match="expires_at: must be in the future"):
        await made(access, expires_at=NOW.isoformat())
    assert await access.list() == []


async def test_a_revoked_key_grants_nothing_and_stays_on_record(access: Access) -> None:
    key, other = await made(access), await made(access)
    done = await access.revoke(key.key.key_id, who="bob")
    assert (done.state, done.revoked_at, done.revoked_by) == ("revoked", NOW, "bob")
    assert await access.revoke(key.key.key_id, who="eve") == done
    assert await access.grant(text_of(key)) is None
    assert await access.grant(text_of(other)) is not None
    with pytest.raises(Refused, match="is revoked: make another one"):
        await access.rotate(key.key.key_id, who="anna")
    assert [one.key_id for one in await access.list()] == [other.key.key_id]
    assert done in await access.list(revoked=True)


async def test_keys_are_listed_in_pages_the_newest_first(access: Access, trips: RoundTrips) -> None:
    keys = []
    for minutes in (0, 1, 1, 2):
        await at(trips.pool, NOW + timedelta(minutes=minutes))
        keys.append((await made(access)).key)
    whole = await access.list()
    assert sorted(whole, key=lambda one: (one.made_at, one.key_id), reverse=True) == whole
    assert len(whole) == len(keys)
    first = await access.list(limit=2)
    assert [*first, *await access.list(after=first[-1].key_id)] == whole


@pytest.mark.parametrize("key_id", ["abcdefghij12", "nobody", "", "\0", "\ud800"])
async def test_a_key_that_is_not_there_is_not_found(access: Access, key_id: str) -> None:
    for asked in (
        access.get(key_id),
        access.rotate(key_id, who="anna"),
        access.revoke(key_id, who="anna"),
    ):
        with pytest.raises(NotFound, match="there is no key"):
            await asked


# Rotation -----------------------------------------------------------------------------------------


async def test_after_a_rotation_both_secrets_work_and_then_the_new_one_alone(
    access: Access, trips: RoundTrips
) -> None:
    old = await made(access)
    new = await access.rotate(old.key.key_id, who="bob")
    assert text_of(old) != text_of(new)
    assert new.key.old_secrets_end_at == (NOW + A_DAY,)
    assert (new.key.secret_made_by, new.key.made_by) == ("bob", "anna")
    for moment, works in (
        (NOW, [True, True]),
        (NOW + A_DAY - timedelta(seconds=1), [True, True]),
        (NOW + A_DAY, [False, True]),
        (NOW + 400 * A_DAY, [False, True]),
    ):
        await at(trips.pool, moment)
        found = [await access.grant(text_of(one)) is not None for one in (old, new)]
        assert found == works, moment
    assert (await access.get(old.key.key_id)).old_secrets_end_at == ()


async def test_a_rotation_can_end_all_old_secrets_at_once(access: Access) -> None:
    one = await made(access)
    two = await access.rotate(one.key.key_id, who="anna")
    three = await access.rotate(one.key.key_id, who="anna", old_ends_in=timedelta(0))
    assert three.key.old_secrets_end_at == ()
    found = [await access.grant(text_of(key)) is not None for key in (one, two, three)]
    assert found == [False, False, True]


async def test_a_later_rotation_lets_no_old_secret_live_longer(
    access: Access, trips: RoundTrips
) -> None:
    one = await made(access)
    await access.rotate(one.key.key_id, who="anna", old_ends_in=timedelta(hours=1))
    last = await access.rotate(one.key.key_id, who="anna", old_ends_in=timedelta(hours=9))
    ends = [NOW + timedelta(hours=hours) for hours in (1, 9)]
    assert list(last.key.old_secrets_end_at) == ends
    await at(trips.pool, ends[0])
    assert await access.grant(text_of(one)) is None


async def test_how_long_an_old_secret_works_has_bounds(access: Access) -> None:
    key = await made(access)
    for length in (timedelta(seconds=-1), timedelta(days=91)):
        with pytest.raises(InvalidInput, match="old_ends_in: must be 90 days at most"):
            await access.rotate(key.key.key_id, who="anna", old_ends_in=length)
    for _ in range(4):
        await access.rotate(key.key.key_id, who="anna")
    with pytest.raises(Refused, match="has 4 old secrets that still work, the first until"):
        await access.rotate(key.key.key_id, who="anna")
    last = await access.rotate(key.key.key_id, who="anna", old_ends_in=timedelta(0))
    assert last.key.old_secrets_end_at == ()


async def test_rotations_at_once_leave_one_newest_secret(pool: Pool) -> None:
    access = Access(pool)
    key = await made(access)
    turns = (access.rotate(key.key.key_id, who="anna") for _ in range(3))
    done = await asyncio.gather(*turns)
    assert len({text_of(one) for one in done}) == 3
    assert len((await access.get(key.key.key_id)).old_secrets_end_at) == 3
    assert None not in [await access.grant(text_of(one)) for one in (key, *done)]


# The last use -------------------------------------------------------------------------------------


async def test_the_last_use_is_noted_once_a_minute_and_only_for_the_right_secret(
    access: Access, trips: RoundTrips
) -> None:
    key, other = await made(access), await made(access)

    async def used(text: str, seconds: int) -> datetime | None:
        await at(trips.pool, NOW + timedelta(seconds=seconds))
        await access.grant(text)
        return (await access.get(key.key.key_id)).last_used_at

    assert await used(with_secret(key, other), 0) is None
    assert await used(text_of(key), 1) == NOW + timedelta(seconds=1)
    written = await trips.pool.fetchval("select xmin::text from api_key where last_used_at notnull")
    assert await used(text_of(key), 60) == NOW + timedelta(seconds=1)
    again = await trips.pool.fetchval("select xmin::text from api_key where last_used_at notnull")
    assert again == written, "nothing was written"
    assert await used(with_secret(key, other), 70) == NOW + timedelta(seconds=1)
    assert await used(text_of(key), 80) == NOW + timedelta(seconds=80)
    await access.revoke(key.key.key_id, who="anna")
    assert await used(text_of(key), 600) == NOW + timedelta(seconds=80)


async def test_many_requests_at_once_with_one_key_all_get_their_answer(pool: Pool) -> None:
    access = Access(pool)
    key = await made(access)
    answers = await asyncio.gather(*(access.grant(text_of(key)) for _ in range(50)))
    assert None not in answers
    assert (await access.get(key.key.key_id)).last_used_at is not None


# What one key hands out ---------------------------------------------------------------------------


async def test_a_key_makes_and_rotates_none_that_may_more(access: Access) -> None:
    admin = await made(access, "all:read", "all:write")
    clerk = await made(access, "access:write", "orders:read")
    by = await access.grant(text_of(clerk))
    wanted = KeyRequest(name="n", scopes=("orders:read",), channels=("web",), per_minute=10)
    child = await access.make(wanted, who="x", by_grant=by)
    await access.rotate(child.key.key_id, who="x", by_grant=by)
    await access.rotate(clerk.key.key_id, who="x", by_grant=by)
    more = KeyRequest(name="n", scopes=("orders:write",))
    before = await access.list()
    with pytest.raises(Refused, match="may not hand out more than it has itself: the scopes ord"):
        await access.make(more, who="x", by_grant=by)
    with pytest.raises(Refused, match="may not hand out more than it has itself"):
        await access.rotate(admin.key.key_id, who="x", by_grant=by)
    assert await access.list() == before


# What is kept -------------------------------------------------------------------------------------


async def test_a_secret_is_nowhere_in_the_database_nor_in_a_log_or_an_error(
    access: Access, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = await made(access)
    two = await access.rotate(one.key.key_id, who="anna")
    await access.grant(text_of(one))
    await access.revoke(one.key.key_id, who="anna")
    await access.grant(text_of(two))
    secrets = [found.secret for key in (one, two) if (found := parse(text_of(key)))]
    assert len(secrets) == 2
    assert await left_of_it(pool, tuple(secrets)) == {}
    assert await left_of_it(pool, (one.key.key_id,)) == {
        table: [one.key.key_id] for table in ("api_key", "api_key_secret")
    }
    told = f"{one!r} {one} {one.model_dump()} {one.model_dump_json()} {caplog.text}"
    assert one.key.key_id in told
    assert not [secret for secret in secrets if secret in told]


async def test_where_the_database_fails_the_error_does_not_tell_the_secret(pool: Pool) -> None:
    access = Access(pool)
    key = await made(access)
    await pool.execute("alter table api_key rename to no_key")
    with pytest.raises(asyncpg.UndefinedTableError) as failed:
        await access.grant(text_of(key))
    secret = text_of(key).rpartition("_")[2]
    assert secret not in f"{failed.value!r} {failed.value} {vars(failed.value)}"


# The rules in the schema --------------------------------------------------------------------------


@pytest.mark.parametrize(("by_channel", "by_seller"), [*product((False, True), repeat=2)])
async def test_the_schema_holds_the_same_rules_for_scopes(
    pool: Pool, by_channel: bool, by_seller: bool
) -> None:
    channels = ["web"] if by_channel else None
    sellers = ["main"] if by_seller else None

    async def is_kept(scope: Scope, number: int) -> bool:
        try:
            await pool.execute(
                "insert into api_key (key_id, name, made_by, scopes, channels, sellers, per_minute)"
                " values ($1, 'n', 'x', $2, $3, $4, 1)",
                *(f"{number:012}", [scope], channels, sellers),
            )
        except asyncpg.CheckViolationError:
            return False
        return True

    refused = [one for number, one in enumerate(SCOPES) if not await is_kept(one, number)]
    assert refused == forbidden(SCOPES, channels, sellers)
