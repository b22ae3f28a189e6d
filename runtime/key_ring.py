"""The keys that encrypt what enters Temporal: a file, read once when a program starts.

Each line has a key: its id, a space, and its 32 bytes in base64. The first key encrypts; all of
them decrypt. Lines that begin with # and empty lines say nothing. Only its owner may read the file.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from domain.errors import Conflict, InvalidInput, NotFound

KEY_BYTES: Final = 32
KEYS_VARIABLE: Final = "ORDERLOOM_CODEC_KEYS"
"""Names the file of keys. Not set: nothing is encrypted."""

_FILE_BYTES_MAX: Final = 65_536
_KEY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADER: Final = (
    "# Orderloom encrypts with the first of these keys, and decrypts with all of them.\n"
    "# Lose one, and what it encrypted is lost. docs/encryption.md\n"
)


@dataclass(frozen=True)
class Key:
    """One key of AES-256."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyRing:
    """The keys of a file, in its order; one at least, each id once."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key that encrypts."""
        return self.keys[0]


def load_ring(file: Path) -> KeyRing:
    """The keys of a file. Raises InvalidInput that says what is wrong, where, and what to do."""
    keys = tuple(key for _, key in _keys(file, read_private(file)))
    if not keys:
        raise InvalidInput(
            f"has no key: make one with `orderloom codec-keys add {file}`", where=str(file)
        )
    return KeyRing(keys)


def add_key(file: Path, key_id: str | None = None) -> Key:
    """Make a key and add it to a file; the file is made where there is none. Returns the key.

    The first key of a file encrypts, so one that is added to others only decrypts until `use_key`
    names it. Raises InvalidInput, and Conflict where the file has the id.
    """
    if key_id is not None and not _KEY_ID.fullmatch(key_id):
        raise InvalidInput(
            "must begin with a letter or digit, and have letters, digits, dots, dashes and "
            "underscores alone, 64 at most",
            where="key id",
        )
    name = key_id or f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(3)}"
    key = Key(name, secrets.token_bytes(KEY_BYTES))
    with _rewriting(file) as fresh:
        text = read_private(file) if file.exists() else _HEADER
        if any(known.id == name for _, known in _keys(file, text)):
            raise Conflict(f"{file} has a key {name} already: name another id")
        whole = text if text.endswith("\n") else f"{text}\n"
        fresh.append(f"{whole}{name} {base64.b64encode(key.secret).decode()}\n")
    return key


def use_key(file: Path, key_id: str) -> None:
    """Have a key of a file encrypt from now on. Raises NotFound where the file lacks it."""
    with _rewriting(file) as fresh:
        text = read_private(file)
        at = {key.id: line for line, key in _keys(file, text)}
        if key_id not in at:
            raise NotFound(f"{file} has no key {key_id}: `orderloom codec-keys list {file}`")
        lines = text.splitlines(keepends=True)
        lines[-1] = f"{lines[-1].rstrip()}\n"
        lines.insert(min(at.values()) - 1, lines.pop(at[key_id] - 1))
        fresh.append("".join(lines))


def read_private(file: Path) -> str:
    """The text of a file that holds a secret. Raises InvalidInput if others may read it."""
    try:
        with file.open("rb") as opened:
            _check_owner(file, os.fstat(opened.fileno()))
            raw = opened.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read ({error.strerror}): name a file that this account may read",
            where=str(file),
        ) from error
    if len(raw) > _FILE_BYTES_MAX:
        raise InvalidInput(
            f"is longer than {_FILE_BYTES_MAX} bytes: is it the right file?", where=str(file)
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("is no text: is it the right file?", where=str(file)) from None


def _check_owner(file: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise InvalidInput("is no file: name a file", where=str(file))
    if about.st_uid != os.geteuid():
        raise InvalidInput(
            "belongs to another account: have the account that runs this own it "
            f"(chown {os.geteuid()})",
            where=str(file),
        )
    if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidInput(
            f"is open to other accounts (mode {stat.S_IMODE(about.st_mode):04o}): "
            "chmod 600 it, and replace its secrets if others may have read them",
            where=str(file),
        )


def _keys(file: Path, text: str) -> list[tuple[int, Key]]:
    """The keys with the numbers of their lines. A key's text is a secret: no message repeats it."""
    found: list[tuple[int, Key]] = []
    at: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{file}, line {number}"
        parts = line.split()
        if len(parts) != 2:
            raise InvalidInput(
                "must be a key's id, a space, and 32 bytes in base64, as "
                "`orderloom codec-keys add` writes it",
                where=where,
            )
        if not _KEY_ID.fullmatch(parts[0]):
            raise InvalidInput(
                "begins with no id: letters, digits, dots, dashes and underscores alone",
                where=where,
            )
        if parts[0] in at:
            raise InvalidInput(
                f"has the id {parts[0]} again, which line {at[parts[0]]} has: give each its own",
                where=where,
            )
        at[parts[0]] = number
        found.append((number, Key(parts[0], _secret(parts[1], f"{where}, key {parts[0]}"))))
    return found


def _secret(text: str, where: str) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(
            "is not in base64: copy the key again, whole, or make another with "
            "`orderloom codec-keys add`",
            where=where,
        ) from None
    if len(secret) != KEY_BYTES:
        raise InvalidInput(
            f"has {len(secret)} bytes, and must have {KEY_BYTES}: copy the key again, whole, or "
            "make another with `orderloom codec-keys add`",
            where=where,
        )
    return secret


@contextmanager
def _rewriting(file: Path) -> Iterator[list[str]]:
    """Replace a file by the text that the block leaves, whole or not at all.

    The new file is made before the old one is read: of two that write at once, one is refused.
    """
    file = file.resolve()  # a link to a file stays a link
    beside = file.with_name(f".{file.name}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(
            f"{beside} is there: somebody writes the keys just now. If nobody does, remove it"
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"cannot be written ({error.strerror}): name a file in a folder of your own",
            where=str(file),
        ) from error
    fresh: list[str] = []
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            yield fresh
            opened.write("".join(fresh))
            opened.flush()
            os.fsync(descriptor)
        beside.replace(file)
    except OSError as error:
        raise InvalidInput(f"cannot be written ({error.strerror})", where=str(file)) from error
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # The new name is on disk, too, before anybody encrypts with its key.
    finally:
        os.close(folder)
