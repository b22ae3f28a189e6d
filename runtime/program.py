"""How a program that runs for long begins its work, is stopped, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn


async def until_signal(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Do the work. SIGTERM and SIGINT set the event that it is given, and it comes to its end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await work(stop)


def settle() -> None:
    """Everything is loaded that stays for good: the garbage collector looks past it from here on.

    Else it goes through hundreds of thousands of functions, classes and models now and then, for a
    third of a second in which nobody is answered.
    """
    gc.collect()
    gc.freeze()


def end(code: int) -> NoReturn:
    """End with this exit code, whatever happens in the threads of Temporal's client library.

    The library can abort while the interpreter shuts down; the code would then be lost.
    """
    sys.stderr.flush()
    os._exit(code)
