"""`python -m starter.demo`: the program behind `make demo`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from domain.errors import InvalidInput, OrderloomError
from domain.orders.order import Order
from runtime.extensions import installed
from runtime.settings import load_settings
from runtime.streams import prepare_streams
from starter.cli.terminal.output import complain, console
from starter.demo import company, shop
from starter.demo.run import run

_ORDERS: Final = 400
_STOPPED: Final = 130  # Shells report a program that Ctrl-C ended with this code.


def main() -> int:
    """Run the demo. Exit codes: 0 all orders ended and the books are clean, 1 not, 2 bad usage."""
    parser = argparse.ArgumentParser(
        prog="python -m starter.demo",
        description="A day of a shop, from an empty folder to an audit, on real servers.",
    )
    parser.add_argument("--keep", action="store_true", help="leave the stack up until Ctrl-C")
    parser.add_argument(
        "--home",
        type=Path,
        metavar="DIR",
        help="where its state goes; emptied at the start (default: demo in ORDERLOOM_HOME)",
    )
    parser.add_argument("--orders", type=_count(_ORDERS), default=_ORDERS, metavar="N")
    parser.add_argument("--workers", type=_count(16), default=1, metavar="N")
    parser.add_argument(
        "--http",
        action="store_true",
        help="everybody outside asks and reports over HTTP, with a client of the OpenAPI document",
    )
    chosen = parser.parse_args()
    try:
        settings = load_settings()
        home = chosen.home or settings.home / "demo"
        paid = shop.paid_with(_stripe_key())
        northwind = shop.read_northwind_orders(chosen.orders, paid=paid)
        today = datetime.now(UTC).date()
        documents = company.shared_out(shop.of_these_days(northwind, today), paid=paid)
        return asyncio.run(
            _until_stopped(
                home, documents, workers=chosen.workers, keep=chosen.keep, http=chosen.http
            )
        )
    except OrderloomError as error:
        complain(f"demo: {error}")
        return error.exit_code


def _stripe_key() -> SecretStr | None:
    """The key that workers pay at Stripe with; None: orders are paid as their channel says."""
    stripe = next((one for one in installed() if one.name == "stripe"), None)
    if stripe is not None and stripe.fault:
        raise InvalidInput(stripe.fault)
    return getattr(stripe and stripe.settings, "api_key", None)


async def _until_stopped(
    home: Path, documents: Sequence[Order], *, workers: int, keep: bool, http: bool
) -> int:
    """The demo; Ctrl-C and SIGTERM stop its servers in order."""
    demo = asyncio.create_task(
        run(home, documents, workers=workers, keep=keep, console=console(), http=http)
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in signals:  # A second signal must not interrupt the orderly stop.
            loop.add_signal_handler(number, lambda: None)
        demo.cancel()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        return await demo
    except asyncio.CancelledError:
        complain("stopped")
        return _STOPPED


def _count(at_most: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= at_most:
            raise argparse.ArgumentTypeError(f"must be a number from 1 to {at_most}")
        return int(text)

    return count


if __name__ == "__main__":
    prepare_streams()
    code = main()
    # The client library can abort while the interpreter shuts down; the code must be right.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
