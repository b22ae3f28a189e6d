"""The worker: where everything is put together, and the program that runs orders.

`orderloom-worker`, in a checkout also `python worker.py`, connects to Temporal (TEMPORAL_* as
`temporalio.envconfig` reads them) and to PostgreSQL (DATABASE_URL), waits for both, works until
SIGTERM or SIGINT, and then finishes what it has begun. Any number of workers share the work.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Interceptor, Plugin, Worker

from activities.companies import Companies
from activities.duties import duties, mail_duties
from activities.extension import Tools
from activities.failures import FailureTypes
from activities.fulfilment.carriers import Carriers
from activities.notifications.sending import Sender
from activities.notifications.targets import Targets
from activities.relay import Relay
from activities.retention import Kept
from activities.schedules import keep_schedules
from activities.shops.clients import ShopClients
from activities.shops.web import Web
from activities.steps import steps
from domain.errors import InvalidInput, OrderloomError
from runtime.extensions import installed, usable
from runtime.logs import configure_logging
from runtime.program import end, settle, until_signal
from runtime.servers import database_address, temporal_connection, until_there
from runtime.settings import Settings, load_settings
from runtime.streams import prepare_streams
from runtime.worker_options import sandbox, tuning, versioning
from store.database import DatabaseFault
from store.schema_version import prepared_pool
from workflows.registry import WORKFLOWS

logger = logging.getLogger("orderloom.worker")

GRACE = timedelta(seconds=20)

AWAY = (*DatabaseFault, RPCError, RuntimeError)
"""How a server shows that it is not there yet."""


def build_worker(
    client: Client,
    activities: Sequence[Callable[..., Any]],
    *,
    task_queue: str,
    interceptors: Sequence[Interceptor] = (),
    plugins: Mapping[str, Plugin] | None = None,
    **options: Any,
) -> Worker:
    """A worker with every workflow, and these activities: those of `steps`.

    `plugins`: those of extensions, by name. `options` of `temporalio.worker.Worker` win. Raises
    InvalidInput where a plug-in does not fit, such as one with a workflow of a name that is taken.
    """
    usual: dict[str, Any] = {
        "workflows": WORKFLOWS,
        "activities": activities,
        "interceptors": [FailureTypes(), *interceptors],
        "workflow_runner": sandbox(),
        "graceful_shutdown_timeout": GRACE,
    }
    plugins = plugins or {}
    try:
        return Worker(
            client, task_queue=task_queue, plugins=list(plugins.values()), **usual | options
        )
    except ValueError as error:
        if not plugins:
            raise
        raise InvalidInput(f"{', '.join(plugins)}: {error}", where="extensions") from error


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Connect, waiting as long as it takes, and work until `stop` is set."""
    database_url = database_address(settings)
    found = installed()
    for one in found:
        if one.fault:
            logger.warning("extension %s (%s) is left out: %s", one.name, one.origin, one.fault)
    usable(found, settings.without_extensions)
    client = await until_there(temporal_connection(settings), "Temporal", stop, faults=AWAY)
    pool = await until_there(
        lambda: prepared_pool(database_url, settings.database_pool_size, settings.build_id),
        "PostgreSQL",
        stop,
        faults=AWAY,
    )
    if client is None or pool is None:
        return
    targets = Targets(settings.webhook_targets_allow, plain_http=settings.webhook_targets_http)
    sender, clients = Sender(targets), ShopClients(Web(targets))
    companies = Companies.of(found, settings.without_extensions, Tools(pool, clients))
    carriers = Carriers(companies.carrier, settings.carrier, settings.carriers)
    texts = companies.texts_chosen(settings.texts.by, settings.texts.kinds)
    activities = steps(
        client,
        pool,
        providers=companies.payment,
        carrier=carriers,
        supplier=companies.supplier_chosen(settings.supplier),
        reservations_together=settings.reservations_together,
        measures=companies.measure,
        purchasing=settings.purchasing,
        sender=sender,
        workshops=settings.workshops,
    )
    worker = build_worker(
        client,
        activities,
        task_queue=settings.task_queue,
        plugins=companies.temporal,
        **tuning(settings),
        **versioning(settings),
    )
    # Orders go on where nobody may make a schedule.
    scheduling = asyncio.create_task(
        until_there(
            lambda: keep_schedules(
                client,
                task_queue=settings.task_queue,
                review_every=settings.purchasing.review_every,
            ),
            "Temporal's scheduler",
            stop,
            faults=AWAY,
        )
    )
    kept = Kept(*settings.kept)
    work = duties(
        client,
        pool,
        task_queue=settings.task_queue,
        readers=companies.events,
        kept=kept,
        policy=settings.policy,
        carriers=carriers,
        clients=clients,
        address_check=companies.address.get(settings.address_check),
        purchasing=settings.purchasing,
        sender=sender,
        edi_authorization=settings.edi_authorization,
    )
    work += mail_duties(pool, settings.mail, settings.pages_url, texts)
    relay = asyncio.create_task(Relay(pool, work).run())
    # A worker without its relay only looks alive: end it, so that its supervisor starts another.
    relay.add_done_callback(lambda _: stop.set())
    settle()
    async with worker:
        logger.info("ready, task queue %s", settings.task_queue)
        await stop.wait()
        logger.info("stopping: finishing what has begun")
    for task in (relay, scheduling):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await companies.close()
    await sender.close()
    await clients.close()
    await pool.close()
    logger.info("stopped")


def main() -> int:
    """Run a worker. Exit codes: 0 stopped as asked, 2 bad settings or schema, 3 no server named."""
    try:
        settings = load_settings()
        configure_logging(settings)
        asyncio.run(until_signal(lambda stop: serve(settings, stop)))
    except OrderloomError as error:
        print(f"worker: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run() -> NoReturn:
    """`orderloom-worker`, or `python worker.py` in a checkout: work, and end with the exit code."""
    prepare_streams()
    end(main())


if __name__ == "__main__":
    run()
