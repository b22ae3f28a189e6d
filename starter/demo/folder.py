"""The demo's own folder, emptied at each start."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Final

from domain.errors import InvalidInput
from runtime.discovery import LOCK_FILE, stack_lock
from starter.stack.orphans import stop_orphans

_MARKER: Final = "demo.txt"
_MARKER_TEXT: Final = "Made by `make demo`, which empties this folder each time it starts.\n"


async def empty(home: Path) -> None:
    """Create the folder, or empty the one that an earlier demo left.

    Raises InvalidInput if it holds anything else, and Refused if a demo runs in it.
    """
    home = home.resolve()
    _check(home)
    with stack_lock(home):
        await asyncio.to_thread(stop_orphans, home)  # A demo that was killed may have left them.
        for entry in home.iterdir():
            if entry.name == LOCK_FILE:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        (home / _MARKER).write_text(_MARKER_TEXT, encoding="utf-8")


def _check(home: Path) -> None:
    try:
        entries = {entry.name for entry in home.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidInput(
            f"cannot be used ({error.strerror}); name another folder with --home", where=str(home)
        ) from error
    if entries - {LOCK_FILE} and _MARKER not in entries:
        raise InvalidInput(
            "holds something else than a demo, and would be emptied; name a new folder with --home",
            where=str(home),
        )
