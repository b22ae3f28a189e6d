"""The `orderloom` program: its commands, and their exit codes.

A command's module is loaded when the command is called, so that no command loads the modules of
others. Exit codes: 0 done, 1 refused by a rule, 2 bad input or usage, 3 something cannot be
reached.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Final, NoReturn

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from domain.errors import InvalidInput, OrderloomError
from domain.faults import faults
from runtime.streams import prepare_streams
from starter.cli.commands import COMMANDS
from starter.cli.terminal.output import OutputLost, complain, complain_document, shortened

_DEFECT: Final = 70  # EX_SOFTWARE: none of the documented ends, but a fault of the program itself
# As a shell says it of `orderloom orders | head`: nothing went wrong, nobody reads on.
_READER_LEFT: Final = 128 + signal.SIGPIPE


class _Commands(TyperGroup):
    """The commands by name, each loaded when it is called; a list of them needs no loading."""

    def __init__(self, **attributes: Any) -> None:
        stubs = {
            name: TyperCommand(
                name,
                callback=None,
                params=[],
                help=entry.summary,
                rich_help_panel=entry.panel,
            )
            for name, entry in COMMANDS.items()
        }
        super().__init__(**{**attributes, "commands": stubs})
        self._listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        if entry is None or self._listing:
            return super().get_command(ctx, cmd_name)
        command = typer.main.get_command(import_module(f"starter.cli.{entry.module}").app)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        super().format_help(ctx, formatter)


app = typer.Typer(
    cls=_Commands,
    name="orderloom",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    epilog="Exit codes: 0 done, 1 refused by a rule, 2 bad input or usage, "
    "3 something cannot be reached. Commands find the stack that `orderloom up` runs through the "
    "folder that ORDERLOOM_HOME names (.orderloom), or the servers that TEMPORAL_ADDRESS and "
    "DATABASE_URL name.",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        try:
            number = version("orderloom")
        except PackageNotFoundError:  # run from a checkout that was never installed
            number = "of this checkout"
        typer.echo(f"orderloom {number}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    """Order management and fulfilment: every order is one durable workflow."""


def main() -> NoReturn:
    """Run the command that this process was called for, and end the process with its exit code."""
    code = _DEFECT
    try:
        prepare_streams()
        code = run(sys.argv[1:])
    finally:
        defect = sys.exception()
        if defect is not None:
            sys.excepthook(type(defect), defect, defect.__traceback__)
        # Temporal's client library can abort while the interpreter shuts down, and the exit code
        # would be lost: end here. All that the command did is done and written.
        os._exit(_flushed(code))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    # Known before the arguments are understood, for the errors in them.
    as_json = "--json" in arguments
    command = typer.main.get_command(app)
    try:
        _check_text(arguments)
        return _called(command, arguments)
    except typer.TyperException as error:
        return _misused(error, as_json)
    except OrderloomError as error:
        if isinstance(error, OutputLost) and error.reader_left:
            return _READER_LEFT
        return _failed(error, as_json)
    except SystemExit:
        return _READER_LEFT  # that is how Rich and Typer end when they cannot write
    except typer.Abort:
        return 128 + signal.SIGINT


def _called(command: Any, arguments: Sequence[str]) -> int:
    try:
        return int(command.main(arguments, prog_name="orderloom", standalone_mode=False) or 0)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        raise OutputLost(error) from error  # the help, which Rich writes


def _check_text(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if not argument.isascii() and any("\ud800" <= letter <= "\udfff" for letter in argument):
            encoding = sys.getfilesystemencoding().upper()
            raise InvalidInput(
                f"{argument!r} is not valid {encoding}, the encoding of this locale; set LC_ALL to "
                "the locale of your terminal, such as C.UTF-8",
                where="argument",
            )


def _failed(error: OrderloomError, as_json: bool) -> int:
    message = shortened(str(error))
    if as_json:
        document: dict[str, Any] = {"error": error.kind, "message": message}
        if error.reason:
            document |= {"reason": error.reason, "instead": list(error.instead)}
        complain_document(document)
    else:
        complain(f"orderloom: {message}")
    return error.exit_code


def _misused(error: typer.TyperException, as_json: bool) -> int:
    """Report bad usage in one sentence. Says nothing if the help was shown instead."""
    if isinstance(error.__cause__, ValidationError) and "should" in error.message:
        error.message = faults(error.__cause__)[0][2]
    message = error.format_message().strip()
    if message:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "orderloom"
        message = message.replace("Value error, ", "").rstrip(".")
        message = f"{message}{'' if message.endswith('?') else '.'} Try '{command} --help'."
        if as_json:
            complain_document({"error": "usage", "message": shortened(message)})
        else:
            complain(f"{command}: {message}")
    return error.exit_code


def _flushed(code: int) -> int:
    """The exit code after all output is written: another one if that fails."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            return code or OutputLost(error).exit_code
    return code
