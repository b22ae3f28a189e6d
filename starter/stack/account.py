"""The account of the embedded PostgreSQL, which refuses to run as root.

That account must be able to reach the server's programs and data. Nothing is created on the
machine. If a folder on the way is closed to the account, passing through it (not listing it) is
allowed.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.errors import Refused

_SYSTEM_ACCOUNT: Final = "nobody"  # It exists on every Unix system, and owns nothing.


@dataclass(frozen=True)
class Account:
    """A system account: numeric user and group."""

    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """The account for the server whose data is in `data`; None: the account of this process.

    Existing data decides, so that its owner stays the same. Raises `Refused` when the data belongs
    to another account and this process may not change to it.
    """
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise Refused(
                f"{data} belongs to another account (user id {owner.st_uid}): start the stack as "
                "that account or as root, or name another folder with ORDERLOOM_HOME"
            )
        return None
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(_SYSTEM_ACCOUNT)
    except KeyError:
        raise Refused(
            f"PostgreSQL does not run as root, and this system has no account {_SYSTEM_ACCOUNT!r} "
            "to run it as: start the stack as an ordinary user"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def give(folder: Path, account: Account | None) -> None:
    """Make the account the owner of `folder`, and let only root look inside besides."""
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def open_way(path: Path, account: Account | None) -> None:
    """Let the account pass through the folders above `path`, if it cannot yet."""
    if account is None:
        return
    for folder in path.resolve().parents:
        status = folder.stat()
        if status.st_uid == account.uid:
            pass_through = stat.S_IXUSR
        elif status.st_gid == account.gid:
            pass_through = stat.S_IXGRP
        else:
            pass_through = stat.S_IXOTH
        if not status.st_mode & pass_through:
            folder.chmod(stat.S_IMODE(status.st_mode) | pass_through)
