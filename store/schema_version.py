"""Whether a database's schema is that of this version, and what to do where it is not.

A database tells which migrations have made its tables, with a digest of each file's content, and
which routines it has. Where its tables were made by files with other content, or by files that are
not here, another version has made it, and nothing here may touch it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from domain.errors import InvalidInput
from store.database import Connection, Pool, load_queries, open_pool
from store.faults import NotPrepared

logger = logging.getLogger(__name__)

SCHEMA: Final = Path(__file__).parent / "schema"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
SANDBOX_MIGRATIONS: Final = MIGRATIONS / "sandbox"

GRID: Final = (
    *("kernel", "access", "sellers", "orders", "accounting", "fulfilment", "aftersales"),
    *("payments", "stock", "purchasing", "warehouse", "edi", "customers", "views", "notifications"),
    *("messages", "shops", "jobs", "staff", "days"),
)
"""The files of `schema/` and of its `routines/`: each refers only to itself and to earlier ones."""

_sql = load_queries(__file__)


class OtherVersion(InvalidInput):
    """Another version of Orderloom has made the database, and this one cannot work with it."""


class NewerVersion(OtherVersion):
    """A later version of Orderloom has changed the database since."""


@dataclass(frozen=True)
class _Found:
    """What a database tells of itself: number of a migration → its digest, where that is told."""

    migrations: Mapping[str, str | None]
    routines: str | None
    """The digest of its functions, triggers and views."""

    made: str
    """When, in words."""


def folders(*, sandbox: bool) -> list[Path]:
    """Where the migrations are, those of the sandbox companies included or not."""
    return [MIGRATIONS, SANDBOX_MIGRATIONS] if sandbox else [MIGRATIONS]


def routines() -> str:
    """All functions, triggers and views, as one script that may run repeatedly."""
    files = (SCHEMA / "routines" / f"{name}.sql" for name in GRID)
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())


def routines_digest() -> str:
    """The digest of the routines, and of which tables they stand on."""
    tables = "\n".join(sorted(path.name for path in MIGRATIONS.glob("*.sql")))
    return sha256(f"{routines()}\n{tables}".encode()).hexdigest()


def digests(of: Sequence[Path]) -> dict[str, str]:
    """The number of each migration in these folders → the digest of its statements."""
    return {_number(file): _digest(file) for folder in of for file in folder.glob("*.sql")}


async def check(connection: Connection, *, newer_too: bool = False) -> None:
    """Raise where the database's schema is not that of this version, and say what to do.

    NotPrepared where `orderloom setup` mends it, else OtherVersion. `newer_too`: work with the
    tables of a later version, and say so in the log.
    """
    found = await _found(connection)
    try:
        _refuse_others(found)
    except NewerVersion as newer:
        if not newer_too:
            raise
        logger.warning("%s", newer)
        return
    lacking = [file for file in _names(folders(sandbox=False)) if file not in found.migrations]
    if lacking:
        says = f"lacks {', '.join(_names(folders(sandbox=False))[one] for one in lacking)}"
        if not found.migrations:
            says = "has no tables of Orderloom"
        raise NotPrepared(
            f"is not prepared for this version: it {says}; run `orderloom setup`",
            where="the database",
        )
    if found.routines != routines_digest():
        raise NotPrepared(
            "is not prepared for this version: its functions are those of another one"
            f" ({_short(found.routines)}, here {_short(routines_digest())}); run `orderloom setup`",
            where="the database",
        )


async def prepared_pool(database_url: str, size_max: int, build_id: str | None) -> Pool:
    """A worker's pool, to a database that fits. Raises as `open_pool` and `check` do.

    A deployed version, which has a `build_id`, is drained beside the next one and its later schema.
    """
    pool = await open_pool(database_url, size_max=size_max)
    try:
        async with pool.acquire() as connection:
            await check(connection, newer_too=build_id is not None)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def refuse_others(connection: Connection) -> None:
    """Raise OtherVersion where this version's migrations cannot go on from what is there."""
    _refuse_others(await _found(connection))


async def take_note(connection: Connection) -> bool:
    """Note which version the schema is of, after the migrations. False: it is noted already."""
    here = digests(folders(sandbox=True))
    applied = {row["version"] async for row in _sql.applied(connection)}
    migrations = {number: here[number] for number in sorted(applied & set(here))}
    note = await _sql.note(connection)
    if note and (note["digest"], json.loads(note["migrations"])) == (routines_digest(), migrations):
        return False
    await _sql.take_note(connection, digest=routines_digest(), migrations=json.dumps(migrations))
    return True


def _refuse_others(found: _Found) -> None:
    names = _names(folders(sandbox=True))
    here = digests(folders(sandbox=True))
    unknown = sorted(set(found.migrations) - set(here))
    if unknown:
        raise NewerVersion(
            f"was changed by a later version of Orderloom: it has {', '.join(unknown)} of its"
            f" migrations, and the last one here is {max(here)}. Use that version",
            where="the database",
        )
    for number, digest in found.migrations.items():
        if digest != here[number]:
            raise OtherVersion(
                f"was made by another version of Orderloom{found.made}: its tables are those of"
                f" {names[number]} as {_short(digest)}, and here that is {_short(here[number])}."
                " Use the version that made it, or another database",
                where="the database",
            )


async def _found(connection: Connection) -> _Found:
    there = await _sql.has_note(connection)
    applied = (
        [row["version"] async for row in _sql.applied(connection)] if there["migrated"] else []
    )
    if not there["noted"]:  # nothing is there yet, or something from before anything was noted
        return _Found(dict.fromkeys(applied), None, "")
    note = await _sql.note(connection)
    if note is None:  # whoever made the tables was interrupted
        here = digests(folders(sandbox=True))
        return _Found({number: here.get(number) for number in applied}, None, "")
    told: dict[str, str] = json.loads(note["migrations"])
    here = digests(folders(sandbox=True))
    # A file that was run and not noted is that of a run that was interrupted.
    migrations = {number: told.get(number, here.get(number)) for number in applied}
    return _Found(migrations, note["digest"], f" on {note['applied_at']:%Y-%m-%d %H:%M} UTC")


def _names(of: Sequence[Path]) -> dict[str, str]:
    return {_number(file): file.name for folder in of for file in sorted(folder.glob("*.sql"))}


def _number(file: Path) -> str:
    return file.name.split("_", maxsplit=1)[0]


def _digest(file: Path) -> str:
    """What a comment says, and where lines end, makes no other table."""
    text = re.sub(r"--.*", "", file.read_text(encoding="utf-8"))
    return sha256(" ".join(text.split()).encode()).hexdigest()


def _short(digest: str | None) -> str:
    return digest[:8] if digest else "an earlier state"
