"""Files that commands write: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from domain.errors import InvalidInput
from starter.cli.terminal.output import Output

STANDARD_OUTPUT: Final = "-"


def write_file(text: str, to_file: str, *, private: bool = False) -> None:
    """Write the whole file or nothing, whatever happens meanwhile.

    `private`: nobody else on this machine may read it.
    """
    if to_file == STANDARD_OUTPUT:
        Output(as_json=False).file(text)
    else:
        _write(text.encode(), to_file, 0o600 if private else 0o644)


def write_bytes(content: bytes, to_file: str) -> None:
    """The same for a file that is no text."""
    if to_file == STANDARD_OUTPUT:
        Output(as_json=False).raw(content)
    else:
        _write(content, to_file)


def _write(content: bytes, to_file: str, mode: int = 0o644) -> None:
    with whole_file(to_file, mode) as file:
        file.write(content)


@contextmanager
def whole_file(to_file: str, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A file to be written piece by piece: it is there, whole, when the block ends well."""
    path = Path(to_file)
    try:
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(fresh).chmod(mode)
            Path(fresh).replace(path)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InvalidInput(
            f"{to_file} cannot be written ({error.strerror})", where="--out"
        ) from None
