"""`orderloom up` without its command line: runs a stack with two stand-ins for workers.

    python stack_program.py HOME WORKER_CODE

Prints one JSON line per event: {"ready": {…}} once, and {"report": "…"} for each message.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from domain.errors import OrderloomError
from starter.stack.supervisor import run_stack


def say(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


try:
    asyncio.run(
        run_stack(
            Path(sys.argv[1]),
            ready=lambda info, _: say(ready=info.model_dump(mode="json")),
            report=lambda text: say(report=text),
            workers=2,
            worker_command=(sys.executable, "-c", sys.argv[2]),
            http="WITH_HTTP" in os.environ,
        )
    )
except OrderloomError as error:
    say(error=str(error))
    sys.exit(error.exit_code)
