"""Carries interchanges between here and partners: by folders, and by HTTP.

A file is kept in the database before it is moved away, and what is sent is read from the database.
So a crash loses nothing: a file that was kept and not moved is read again, and is known by its
control number; one that was sent and not noted is sent again, the same bytes under the same name.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from activities.notifications.sending import Sender
from domain.edi.partners import Folders, Partner
from domain.edi.wire import INTERCHANGE_BYTES_MAX
from domain.letters import nearest_ascii
from store import clock

logger = logging.getLogger(__name__)

SETTLED_S: Final = 2.0
"""A file that was written to within this time may not be whole yet."""

PROCESSED: Final = "processed"
FAILED: Final = "failed"
_UNFINISHED: Final = (".tmp", ".part", ".filepart", ".writing", ".swp")
_FILES_MAX: Final = 100
"""So many are taken at a time."""

Keep = Callable[[str, bytes], Awaitable[object]]
"""Keeps what came, under the name of its file."""


async def collect(folders: Folders, keep: Keep, *, settled_s: float = SETTLED_S) -> int:
    """Take the files that came into the folder. Returns how many.

    One that cannot be taken stops no other. Raises OSError for the folder itself.
    """
    folder = Path(folders.incoming)
    names = await asyncio.to_thread(_ready, folder, settled_s)
    taken = 0
    for name in names:
        try:
            await _take(folder / name, keep)
            taken += 1
        except OSError as error:
            logger.warning("%s cannot be taken: %s", nearest_ascii(name), error.strerror)
    return taken


async def _take(path: Path, keep: Keep) -> None:
    """Keep the content of a file (of one that is too large, its start), then move it away."""
    content = await asyncio.to_thread(_beginning, path)
    name = "".join(one if one.isprintable() else "?" for one in path.name)
    await keep(name, content)
    is_large = len(content) > INTERCHANGE_BYTES_MAX
    await asyncio.to_thread(_move, path, FAILED if is_large else PROCESSED)


def _ready(folder: Path, settled_s: float) -> list[str]:
    """Names of whole files, oldest first."""
    folder.mkdir(parents=True, exist_ok=True)
    until = clock.now().timestamp() - settled_s
    found = sorted(_whole(folder, until, settled_s))
    return [name for _, name in found[:_FILES_MAX]]


def _whole(folder: Path, until: float, settled_s: float) -> Iterator[tuple[float, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            is_other = entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED)
            if is_other or not entry.is_file(follow_symlinks=False):
                continue
            changed = entry.stat().st_mtime
            if not settled_s or changed <= until:
                yield changed, entry.name


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(INTERCHANGE_BYTES_MAX + 1)


def _move(path: Path, into: str) -> None:
    """Move a file away. Where its name is taken there, it gets a number behind it."""
    folder = path.parent / into
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        target = folder / f"{path.stem}-{number}{path.suffix}"
        number += 1
    path.rename(target)


async def deliver(
    partner: Partner, name: str, raw: bytes, sender: Sender, authorization: SecretStr | None = None
) -> str:
    """Give a partner an interchange. Returns why it does not have it; empty: it has.

    `authorization`: the header that it asks for, where it is posted.
    A partner without folders or an address is given nothing: a person hands it over.
    """
    if partner.folders is not None:
        try:
            await asyncio.to_thread(_put, Path(partner.folders.outgoing), name, raw)
        except OSError as error:
            return f"the folder cannot be written to: {error}"
    elif partner.url is not None:
        headers = {"content-type": "application/edi-x12", "user-agent": "Orderloom"}
        if authorization is not None:
            headers["authorization"] = authorization.get_secret_value()
        answer = await sender.send(partner.url, headers, raw)
        return answer.error
    return ""


def _put(folder: Path, name: str, raw: bytes) -> None:
    """Nobody ever sees half a file: it is written under another name first."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{name}.tmp"
    with unfinished.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(folder / name)
