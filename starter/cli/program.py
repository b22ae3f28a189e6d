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
from typing import Annotated, Any, Final, NamedTuple, NoReturn

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from domain.errors import InvalidInput, OrderloomError
from domain.faults import faults
from runtime.streams import prepare_streams
from starter.cli.terminal.output import OutputLost, complain, complain_document, shortened

_DEFECT: Final = 70  # EX_SOFTWARE: none of the documented ends, but a fault of the program itself
# As a shell says it of `orderloom orders | head`: nothing went wrong, nobody reads on.
_READER_LEFT: Final = 128 + signal.SIGPIPE


class _Entry(NamedTuple):
    """A command: the module that holds its `app`, and its line in `orderloom --help`."""

    module: str
    summary: str
    panel: str


_ORDERS: Final = "Orders"
_GOODS: Final = "Goods"
_MONEY: Final = "Money"
_RUNNING: Final = "Running"

_COMMANDS: Final = {
    "place": _Entry("orders.place", "Place orders from a file or standard input.", _ORDERS),
    "watch-folder": _Entry(
        "orders.watch_folder", "Place orders from files that come into a folder.", _ORDERS
    ),
    "show": _Entry("orders.show", "All there is about one order.", _ORDERS),
    "counter": _Entry("orders.counter", "Sell what customers have in the hand.", _ORDERS),
    "orders": _Entry("orders.orders", "List orders, newest first.", _ORDERS),
    "watch": _Entry("orders.watch", "Follow one order, or all of them, live.", _ORDERS),
    "explain": _Entry("orders.explain", "Why an order ships from where it does.", _ORDERS),
    "events": _Entry("orders.events", "What happened to an order, and why.", _ORDERS),
    "cancel": _Entry("aftersales.cancel", "Cancel an order, or some of its units.", _ORDERS),
    "hold": _Entry("orders.hold", "Keep an order's goods here until somebody has looked.", _ORDERS),
    "release": _Entry("orders.release", "End the holds of an order.", _ORDERS),
    "extend": _Entry("orders.extend", "Give the holds of an order another deadline.", _ORDERS),
    "reject": _Entry("orders.reject", "Cancel an order that is held.", _ORDERS),
    "edit": _Entry("aftersales.edit", "Change a placed order, or see what it would do.", _ORDERS),
    "versions": _Entry("orders.versions", "What an order was before it was changed.", _ORDERS),
    "holds": _Entry("orders.holds", "What holds an order, and rules that hold orders.", _ORDERS),
    "return": _Entry("aftersales.returns", "Ask to send units back.", _ORDERS),
    "claim": _Entry("aftersales.claim", "Say what is wrong with what was delivered.", _ORDERS),
    "claims": _Entry("aftersales.claims", "Claims: list, show and decide them.", _ORDERS),
    "pay": _Entry("payments.pay", "A new token for an order that is held for payment.", _MONEY),
    "charge": _Entry(
        "payments.charge", "Charge an order that waits for somebody to say so.", _MONEY
    ),
    "refund": _Entry("aftersales.refund", "Pay back what comes with no return.", _MONEY),
    "payments": _Entry("payments.payments", "Money calls: unknown outcomes, refunds owed.", _MONEY),
    "credit": _Entry(
        "payments.credit", "Store credit: give it, and see what became of it.", _MONEY
    ),
    "vouchers": _Entry(
        "payments.vouchers", "Vouchers and gift cards: issue, look at, extend, block.", _MONEY
    ),
    "disputes": _Entry("payments.disputes", "Payments that customers' banks took back.", _MONEY),
    "provider-events": _Entry("payments.provider_events", "What payment companies told.", _MONEY),
    "customers": _Entry(
        "customers.customers", "Who ordered: show, hand out and erase a person.", _ORDERS
    ),
    "resolve": _Entry("orders.resolve", "Decide about a step that needs attention.", _ORDERS),
    "invoices": _Entry("accounting.invoices", "List invoices and credit notes.", _ORDERS),
    "invoice": _Entry("accounting.invoice", "One invoice or credit note, as PDF or JSON.", _ORDERS),
    "stock": _Entry("stock.stock", "List, import, receive and adjust stock.", _GOODS),
    "baskets": _Entry("stock.baskets", "Units held for customers at checkout.", _GOODS),
    "items": _Entry(
        "stock.items", "What is said of SKUs: backorder, from when on, or no more.", _GOODS
    ),
    "kits": _Entry("stock.kits", "SKUs that are sold as one and kept as their parts.", _GOODS),
    "codes": _Entry("stock.codes", "Codes that are sold, and those that customers have.", _GOODS),
    "locations": _Entry(
        "stock.locations", "Where stock lies, and what sending from there takes.", _GOODS
    ),
    "suppliers": _Entry("purchasing.suppliers", "From whom is bought, and on which terms.", _GOODS),
    "purchase-orders": _Entry(
        "purchasing.purchase_orders", "What is on order with suppliers.", _GOODS
    ),
    "replenish": _Entry(
        "purchasing.replenish", "Look at the levels now, and buy what is low.", _GOODS
    ),
    "promise": _Entry("stock.promise", "When so many units of a SKU could be there.", _GOODS),
    "returns": _Entry("aftersales.return_list", "What comes back, by which rules.", _GOODS),
    "warehouse": _Entry("warehouse.warehouse", "What is to do, and what was done.", _GOODS),
    "carrier": _Entry("warehouse.carrier", "What carriers say about parcels.", _GOODS),
    "ledger": _Entry(
        "accounting.ledger", "The books: balance, entries, taxes, export, closing.", _RUNNING
    ),
    "channels": _Entry("orders.channels", "Where orders come from.", _RUNNING),
    "shops": _Entry("shops.shops", "Shops elsewhere that send their orders here.", _RUNNING),
    "sellers": _Entry("accounting.sellers", "Who sells, as documents name it.", _RUNNING),
    "up": _Entry("operations.up", "Run the whole stack in the foreground.", _RUNNING),
    "simulate": _Entry("operations.simulate", "Play warehouse, carriers and suppliers.", _RUNNING),
    "webhooks": _Entry(
        "notifications.webhooks", "Tell other systems what happens: where events go.", _RUNNING
    ),
    "attention": _Entry(
        "operations.attention", "All that waits for a person, and what to do about it.", _RUNNING
    ),
    "audit": _Entry("operations.audit", "Check that the books are right.", _RUNNING),
    "resume": _Entry("orders.resume", "Take up orders that Temporal has lost.", _RUNNING),
    "reconcile": _Entry(
        "payments.reconcile", "Compare a day of payment companies with what is recorded.", _RUNNING
    ),
    "extensions": _Entry("operations.extensions", "What is installed beside the engine.", _RUNNING),
    "codec-keys": _Entry(
        "operations.codec_keys", "The keys that encrypt what enters Temporal.", _RUNNING
    ),
    "jobs": _Entry(
        "jobs.jobs",
        "Long work: imports, exports, many orders at once, and how far it is.",
        _RUNNING,
    ),
    "api-keys": _Entry(
        "access.api_keys", "Keys of other programs, and what each may do.", _RUNNING
    ),
    "serve": _Entry("operations.serve", "Answer HTTP: the door for other programs.", _RUNNING),
    "codec-server": _Entry("operations.codec_server", "Decrypt for the Temporal UI.", _RUNNING),
    "schema": _Entry("operations.schema", "Print a document's JSON Schema.", _RUNNING),
    "setup": _Entry("operations.setup", "Prepare a Temporal and a PostgreSQL.", _RUNNING),
}


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
            for name, entry in _COMMANDS.items()
        }
        super().__init__(**{**attributes, "commands": stubs})
        self._listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = _COMMANDS.get(cmd_name)
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
