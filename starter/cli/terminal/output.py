"""Commands' output: results on standard output, as text or JSON; complaints on standard error.

Rich draws tables; text from data is never taken for Rich's markup or a terminal's control codes.
"""

from __future__ import annotations

import errno
import io
import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.errors import OrderloomError
from domain.money import amounts_as_text, shown

# A pipe or a file has no width: nothing is cut or wrapped there.
_WIDTH_WITHOUT_TERMINAL: Final = 10_000

_LONG: Final = re.compile(r"\S{250,}?([;:,.)'\"]*)(?!\S)")
_WORD_SHOWN: Final = 60


class OutputLost(OrderloomError):
    """Standard output does not take any more: its reader left, or the disk is full."""

    kind = "output_lost"
    exit_code = 3

    def __init__(self, error: OSError) -> None:
        super().__init__(
            "standard output is closed"
            if error.errno == errno.EBADF
            else f"the output cannot be written ({error.strerror}); make room for it"
        )
        self.reader_left = error.errno == errno.EPIPE


class Output:
    """The results of one command. `as_json` decides their form.

    `dry_run`: what is told was tried, and nothing was changed.
    """

    def __init__(self, *, as_json: bool, dry_run: bool = False) -> None:
        self.as_json = as_json
        self.dry_run = dry_run

    def document(self, content: Any) -> None:
        """Print the one JSON document that is the command's answer."""
        told = {"dry_run": True, **content} if self.dry_run else content
        self._write(json_text(told, sys.stdout, indent=2))

    def record(self, content: Any) -> None:
        """Print one line of a stream of JSON documents."""
        self._write(json_text(content, sys.stdout))

    def file(self, text: str) -> None:
        """Print a requested file: the same bytes on every terminal."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        self._write(text.removesuffix("\n"))

    def raw(self, content: bytes) -> None:
        """Print a requested file that is no text."""
        try:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise OutputLost(error) from error

    def say(self, text: str = "") -> None:
        """One line for people."""
        tried = "dry run: " if self.dry_run else ""
        self._write(shortened(printable(f"{tried}{text}")))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table for people. Columns named with a leading `>` are aligned to the right."""
        show = console()
        try:
            show.print(make_table(columns, rows))
        except OSError as error:
            raise OutputLost(error) from error

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        except OSError as error:
            raise OutputLost(error) from error


def console(*, stderr: bool = False, force_terminal: bool | None = None) -> Console:
    """A console that takes text literally."""
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty() or bool(force_terminal)
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=force_terminal,
        width=None if terminal else _WIDTH_WITHOUT_TERMINAL,
    )


def make_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; see `Output.table`."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable("" if cell is None else str(cell))) for cell in row))
    return table


def json_text(content: Any, stream: TextIO, *, indent: int | None = None) -> str:
    """A JSON document that every reader understands, for a stream of whatever encoding.

    JSON is UTF-8. Where the stream is not, letters beyond ASCII are written as JSON escapes them.
    """
    as_is = stream.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    return json.dumps(content, ensure_ascii=not as_is, indent=indent)


def complain(text: str) -> None:
    """One line on standard error; when nobody can read that either, there is nobody to tell."""
    _complain(shortened(printable(text)))


def complain_document(content: Any) -> None:
    """The same for programs: a JSON document."""
    _complain(json_text(content, sys.stderr))


def _complain(text: str) -> None:
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        pass


def shortened(text: str) -> str:
    """`text` with each word that is as long as a page told by its beginning."""
    return _LONG.sub(lambda found: f"{found[0][:_WORD_SHOWN]}…{found[1]}", text)


def printable(text: str) -> str:
    """`text` with everything that would steer a terminal made visible."""
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1]
        for character in text
    )


def money(minor: int, currency: str) -> str:
    """12.50 USD."""
    return shown(minor, currency)


def local(moment: datetime | None) -> str:
    """A time as the person at the terminal reads it, with its zone."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def wire(content: Any, currency: str | None = None) -> Any:
    """A model as JSON values, its amounts as decimal strings: total_minor 1250 → total "12.50".

    `currency` is that of amounts that do not stand beside a `currency` of their own.
    """
    return amounts_as_text(content, currency)
