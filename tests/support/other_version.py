"""The tables as another version of Orderloom would have made them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from store.migrate import run_migrations
from store.schema_version import MIGRATIONS
from tests.support.schema import BASELINE

_NOTE = "    migrations jsonb       not null,\n"


@contextmanager
def _migrations_of_yesterday() -> Iterator[Path]:
    """When no database told yet who had made it."""
    with TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(MIGRATIONS, Path(folder) / "migrations"))
        file = copy / BASELINE.name
        text = file.read_text(encoding="utf-8")
        assert _NOTE in text
        file.write_text(text.replace(_NOTE, ""), encoding="utf-8")
        yield copy


async def make_tables_of_yesterday(database_url: str) -> None:
    """Give an empty database the tables of a version from before this one."""
    with _migrations_of_yesterday() as folder:
        await run_migrations(database_url, [folder])
