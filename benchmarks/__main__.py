"""`python -m benchmarks`, which is `make bench`, and `python -m benchmarks tune`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from rich.console import Console

from benchmarks.contestants.registry import BY_NAME
from benchmarks.options import parse_options
from benchmarks.tune import tune


def main() -> int:
    args = _parser().parse_args()
    console = Console()
    found = asyncio.run(
        tune(
            console,
            BY_NAME[args.contestant],
            (parse_options(args.a), parse_options(args.b)),
            rounds=args.rounds,
            in_flight=args.in_flight,
            seconds=args.seconds,
        )
    )
    print(found)
    return 0


def _parser():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command")
    tuning = commands.add_parser("tune")
    tuning.add_argument("--contestant", choices=BY_NAME, default="orderloom")
    tuning.add_argument("-a", default="")
    tuning.add_argument("-b", default="")
    tuning.add_argument("--rounds", type=int, default=5)
    tuning.add_argument("--in-flight", type=int, default=96)
    tuning.add_argument("--seconds", type=float, default=15)
    return parser


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
