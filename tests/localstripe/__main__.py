"""`python -m tests.localstripe COMMAND …`: run a command that pays at the stand-in for Stripe.

`make demo STRIPE=1` is that for the demo. Without a command it stays up until Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from tests.localstripe.stand_in import stand_in

KEY = "sk_test_stand_in"


async def main(command: Sequence[str]) -> int:
    """Returns the exit code of the command."""
    async with stand_in() as here:
        settings = {"ORDERLOOM_STRIPE__API_KEY": KEY, "ORDERLOOM_STRIPE__API_BASE": here.url}
        if not command:
            print(*(f"{name}={value}" for name, value in settings.items()), flush=True)
            await asyncio.Event().wait()
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **settings})
        # Ctrl-C is the command's, which ends this in turn.
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
        return await process.wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(main(sys.argv[1:])))
