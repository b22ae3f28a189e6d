"""A contestant's worker as a program of its own, so that its CPU and memory can be told apart.

The generator starts it, and gives it one line of JSON: a `Post`.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.contestants.protocol import WorkerSide
from benchmarks.contestants.registry import BY_NAME
from benchmarks.options import WorkerOptions
from runtime.logs import configure_logging
from runtime.settings import load_settings
from runtime.telemetry import core_runtime


class Post(BaseModel):
    """Where a worker works, and how."""

    model_config = ConfigDict(frozen=True)

    contestant: str
    temporal_address: str
    database_url: str | None
    task_queue: str
    herald: Path
    options: WorkerOptions


async def work(post: Post) -> None:
    """Run the contestant's worker until the generator closes our standard input, or dies."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), stop.set)
    client = await Client.connect(
        post.temporal_address,
        data_converter=pydantic_data_converter,
        runtime=core_runtime(load_settings()),
    )
    side = WorkerSide(
        client=client,
        database_url=post.database_url,
        connections=post.options.connections,
        task_queue=post.task_queue,
        options=post.options.for_worker(),
        herald=post.herald,
    )
    async with BY_NAME[post.contestant].working(side):
        print("ready", flush=True)
        # Nobody reads this pipe after "ready": more output would fill it and block the worker.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        await stop.wait()
        loop.remove_reader(sys.stdin.fileno())  # it is at its end, and so always readable


def main() -> None:
    """Read the post, and work."""
    post = Post.model_validate_json(sys.argv[1])
    configure_logging(load_settings())
    if post.options.loop == "uvloop":
        importlib.import_module("uvloop").run(work(post))
    else:
        asyncio.run(work(post))


if __name__ == "__main__":
    main()
    # The client library can abort while the interpreter shuts down; the code must be right.
    os._exit(0)
