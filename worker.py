"""The worker: where everything is put together, and the program that runs orders.

`python worker.py` connects to Temporal (TEMPORAL_* as `temporalio.envconfig` reads them) and to
PostgreSQL (DATABASE_URL), waits for both, works until SIGTERM or SIGINT, and then finishes what it
has begun. Any number of workers share the work.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import structlog
from temporalio import activity, runtime, workflow
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError
from temporalio.worker import (
    Interceptor,
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.aftersales.returns import Returns
from activities.failures import FailureTypes
from activities.fulfilment.carrier import Carrier
from activities.fulfilment.delivery import Delivery
from activities.fulfilment.fulfilments import Fulfilments
from activities.fulfilment.stranded_labels import StrandedLabels
from activities.orders.order_records import OrderRecords
from activities.orders.stuck import StuckOrders
from activities.payments.authorizations import Authorizations
from activities.payments.event_reader import EventReader
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider
from activities.payments.provider_events import ProviderEvents
from activities.payments.reconciliation import Reconciliation
from activities.payments.wakes import Wakes
from activities.providers.sandbox import webhooks as sandbox_webhooks
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.sandbox.supplier import SandboxSupplier
from activities.providers.store_credit import StoreCredit
from activities.providers.stripe import events as stripe_events
from activities.providers.stripe.payment import StripePayment
from activities.purchasing.purchase_orders import Purchasing
from activities.purchasing.starts import PurchaseStarts
from activities.purchasing.supplier import Supplier
from activities.relay import Duty, Relay
from activities.schedules import keep_schedules
from activities.stock.backorders import Backorders
from activities.stock.inventory import Inventory
from activities.stock.late_stock import LateStock
from activities.wait_reports import WaitReports
from domain.accounting.documents import Seller
from domain.errors import InvalidInput, OrderloomError, Unreachable
from domain.ids import WORKFLOW_PREFIX
from domain.purchasing.purchase_orders import PurchasingPolicy
from runtime.settings import Settings, load_settings
from store import waits
from store.database import DatabaseFault, Pool, open_pool
from store.payments import provider_events
from store.payments.payments import STORE_CREDIT
from store.purchasing import replenishment
from workflows.order import OrderWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.replenishment import ReplenishmentWorkflow

T = TypeVar("T")

logger = logging.getLogger("orderloom.worker")

WAIT_FOR_SERVERS_S = 2.0
GRACE = timedelta(seconds=20)

WORKFLOW_TASKS_AT_ONCE = 20

SWEEP_S = 1.0
"""A duty that somebody waits for is done this often, in seconds, when nothing calls for it."""

NOTICE_S = 60.0
"""What time alone changes is looked for this often, in seconds."""

READERS: Final[Mapping[str, EventReader]] = {
    "sandbox": sandbox_webhooks.read_event,
    "stripe": stripe_events.read_event,
}
"""What the webhooks of each payment company are read with."""

# What the client library has to say goes where our own log goes.
CORE_LOG = runtime.LoggingConfig(
    runtime.TelemetryFilter(core_level="WARN", other_level="ERROR"),
    forwarding=runtime.LogForwardingConfig(logging.getLogger("temporalio")),
)

# They tell of every request; and below that level of what is in it, customers included.
TALKATIVE = ("stripe", "httpx", "httpcore")

# Pure, or only ever used from activities: loaded once instead of once per workflow.
PASSED_THROUGH = (
    "activities",
    "annotated_types",
    "asyncpg",
    "dns",
    "domain",
    "email_validator",
    "idna",
    "iso4217",
    "pycountry",
    "pydantic",
    "pydantic_core",
    "store",
    "typing_extensions",
)


def build_worker(
    client: Client,
    pool: Pool,
    *,
    task_queue: str,
    providers: Mapping[str, PaymentProvider],
    carrier: Carrier,
    supplier: Supplier | None = None,
    purchasing: PurchasingPolicy | None = None,
    reservations_together: int = 100,
    seller: Seller | None = None,
    interceptors: Sequence[Interceptor] = (),
    **options: Any,
) -> Worker:
    """A worker with every workflow and activity; `options` of `temporalio.worker.Worker` win.

    `supplier` left out: the sandbox ones. Store credit is a provider of every worker.
    """
    inventory = Inventory(pool, together_max=reservations_together)
    backorders = Backorders(pool)
    providers = {STORE_CREDIT: StoreCredit(pool), **providers}
    authorizations = Authorizations(pool, providers)
    payments = Payments(pool, providers, seller)
    fulfilment = Fulfilments(pool, carrier)
    delivery = Delivery(pool)
    returns = Returns(pool)
    reconciling = Reconciliation(pool, providers, client)
    records = OrderRecords(pool)
    buying = Purchasing(
        pool,
        supplier or SandboxSupplier(pool, random=random.SystemRandom()),
        purchasing or PurchasingPolicy(),
    )
    usual: dict[str, Any] = {
        "workflows": [
            OrderWorkflow,
            PurchaseOrderWorkflow,
            ReplenishmentWorkflow,
            ReconciliationWorkflow,
        ],
        "activities": [
            inventory.reserve_stock,
            inventory.release_stock,
            inventory.reserve_again,
            inventory.reassign,
            backorders.await_stock,
            backorders.join_backorders,
            backorders.fill_backorder,
            authorizations.authorize_payment,
            authorizations.reauthorize_payment,
            authorizations.void_payment,
            payments.capture_payment,
            payments.invoice_shipment,
            payments.may_refund,
            payments.refund_payment,
            fulfilment.pick,
            fulfilment.pack,
            fulfilment.ship,
            fulfilment.recall,
            fulfilment.put_back,
            fulfilment.void_label,
            delivery.await_delivery,
            delivery.last_scan,
            returns.approve_return,
            returns.receive_return,
            records.close_order,
            records.keep_answers,
            records.tell,
            records.note_attention,
            records.note_hold,
            buying.replenish,
            buying.approve_purchase,
            buying.send_purchase,
            buying.await_acknowledgement,
            buying.await_goods,
            buying.chase_supplier,
            buying.cancel_purchase,
            buying.close_purchase,
            buying.note_purchase,
            reconciling.days_due,
            reconciling.reconcile_day,
            reconciling.mend_day,
        ],
        "interceptors": [FailureTypes(), *interceptors],
        "workflow_runner": sandbox(),
        "graceful_shutdown_timeout": GRACE,
    }
    return Worker(client, task_queue=task_queue, **usual | options)


def duties(
    client: Client,
    pool: Pool,
    *,
    task_queue: str,
    readers: Mapping[str, EventReader] = READERS,
    stranded_after: timedelta = timedelta(minutes=1),
) -> list[Duty]:
    """What a worker's relay does, in this sequence: first what somebody waits for.

    `stranded_after`: how long an attempt to buy a label may take.
    """
    reports = WaitReports(pool, client)
    purchases = PurchaseStarts(pool, client, task_queue)
    events = ProviderEvents(pool, Wakes(client).send, readers)
    labels = StrandedLabels(pool, client, stranded_after)
    stuck = StuckOrders(pool, client, task_queue)
    return [
        Duty(reports.deliver, SWEEP_S, waits.CHANNEL),
        Duty(purchases.start, SWEEP_S, replenishment.CHANNEL),
        Duty(events.hear, SWEEP_S, provider_events.CHANNEL),
        Duty(labels.revive, SWEEP_S),
        Duty(LateStock(pool).notice, NOTICE_S),
        Duty(stuck.look, NOTICE_S),
    ]


def sandbox() -> SandboxedWorkflowRunner:
    """Runs workflows so that what would not replay is noticed, as their tests do."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )


def tuning(settings: Settings) -> dict[str, Any]:
    """Options for a worker in production; docs/performance.md tells what each of them gives."""
    return {
        "workflow_runner": sandbox() if settings.workflow_sandbox else UnsandboxedWorkflowRunner(),
        "max_cached_workflows": settings.orders_in_memory,
        # More at once would only share the one interpreter, and in the end miss their deadlines.
        "max_concurrent_workflow_tasks": WORKFLOW_TASKS_AT_ONCE,
        # As many polls wait at the server as there is work for.
        "workflow_task_poller_behavior": PollerBehaviorAutoscaling(),
        "activity_task_poller_behavior": PollerBehaviorAutoscaling(),
    }


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Connect, waiting as long as it takes, and work until `stop` is set."""
    database_url = settings.database_url
    if database_url is None:
        raise Unreachable("DATABASE_URL is not set: postgresql://user:password@host:port/database")
    _check_database_url(database_url)
    connect = _temporal(settings)
    client = await _until_there(connect, "Temporal", stop)
    pool = await _until_there(
        lambda: open_pool(database_url, size_max=settings.database_pool_size), "PostgreSQL", stop
    )
    if client is None or pool is None:
        return
    stripe = stripe_provider(settings)
    worker = build_worker(
        client,
        pool,
        task_queue=settings.task_queue,
        providers={
            "sandbox": SandboxPayment(pool, random=random.SystemRandom()),
            **({} if stripe is None else {"stripe": stripe}),
        },
        carrier=SandboxCarrier(pool, random=random.SystemRandom()),
        reservations_together=settings.reservations_together,
        purchasing=settings.purchasing,
        seller=settings.seller,
        **tuning(settings),
        **_versioning(settings),
    )
    # Orders go on where nobody may make a schedule.
    scheduling = asyncio.create_task(
        _until_there(
            lambda: keep_schedules(
                client,
                task_queue=settings.task_queue,
                review_every=settings.purchasing.review_every,
            ),
            "Temporal's scheduler",
            stop,
        )
    )
    relay = asyncio.create_task(
        Relay(pool, duties(client, pool, task_queue=settings.task_queue)).run()
    )
    # A worker without its relay only looks alive: it ends, and whoever runs it starts another.
    relay.add_done_callback(lambda _: stop.set())
    async with worker:
        logger.info("ready, task queue %s", settings.task_queue)
        await stop.wait()
        logger.info("stopping: finishing what has begun")
    for task in (relay, scheduling):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    if stripe is not None:
        await stripe.close()
    await pool.close()
    logger.info("stopped")


def stripe_provider(settings: Settings) -> StripePayment | None:
    """Stripe, where there is a key for it."""
    key = settings.stripe.api_key
    if key is None:
        return None
    return StripePayment(
        key, api_base=settings.stripe.api_base, multicapture=settings.stripe.multicapture
    )


def main() -> int:
    """Run a worker. Exit codes: 0 stopped as asked, 2 bad settings, 3 a server is not named."""
    try:
        settings = load_settings()
        configure_logging(settings)
        asyncio.run(_serve_until_signal(settings))
    except OrderloomError as error:
        print(f"worker: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _hold_streams() -> None:
    """Where the caller closed a stream, keep its number from the next connection."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for good


def configure_logging(settings: Settings) -> None:
    """One structured line per event on standard error, with the order's id where there is one."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _order_id,
        structlog.processors.format_exc_info,
    ]
    as_json = settings.log_format == "json"
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # The order's id is in the line's fields; the SDK need not repeat it in the text.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _order_id(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Lift the order's id out of what the Temporal SDK says about its task."""
    for key in ("temporal_workflow", "temporal_activity", "temporal_log"):
        task = event.pop(key, None)
        if isinstance(task, dict):
            event["order_id"] = str(task.get("workflow_id", "")).removeprefix(WORKFLOW_PREFIX)
            event["step"] = task.get("activity_type", task.get("workflow_type"))
            event["attempt"] = task.get("attempt")
    return event


async def _serve_until_signal(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


def _temporal(settings: Settings) -> Callable[[], Awaitable[Client]]:
    """How to connect to Temporal. What cannot be mended by waiting is refused here."""
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, OSError, ValueError) as error:
        raise InvalidInput(str(error), where="Temporal's configuration") from error
    if not config.get("target_host"):
        raise Unreachable("TEMPORAL_ADDRESS is not set: host:port of a Temporal server")
    core = core_runtime(settings)
    return lambda: Client.connect(**config, data_converter=pydantic_data_converter, runtime=core)


def core_runtime(settings: Settings) -> runtime.Runtime:
    """What the client library's own threads run in. Left alone, it would log to standard output."""
    address = settings.metrics_address
    metrics = runtime.PrometheusConfig(bind_address=address) if address else None
    try:
        return runtime.Runtime(telemetry=runtime.TelemetryConfig(logging=CORE_LOG, metrics=metrics))
    except (RuntimeError, ValueError) as error:
        raise InvalidInput(str(error), where="ORDERLOOM_METRICS_ADDRESS") from error


def _check_database_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("postgres", "postgresql") and parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # it may hold a password: not repeated here
        raise InvalidInput(
            "must be postgresql://user:password@host:port/name", where="DATABASE_URL"
        )


async def _until_there(
    connect: Callable[[], Awaitable[T]], server: str, stop: asyncio.Event
) -> T | None:
    """Connect, however long the server takes to be there. None when told to stop meanwhile."""
    while not stop.is_set():
        try:
            return await connect()
        except (*DatabaseFault, RPCError, RuntimeError) as fault:
            logger.warning("%s does not answer yet: %s", server, fault)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), WAIT_FOR_SERVERS_S)
    return None


def _versioning(settings: Settings) -> dict[str, Any]:
    """With a build id, Temporal keeps track of which orders run on which deployed version."""
    if settings.build_id is None:
        return {}
    version = WorkerDeploymentVersion("orderloom", settings.build_id)
    return {
        "deployment_config": WorkerDeploymentConfig(
            version=version,
            use_worker_versioning=True,
            # Orders live for weeks: they move on to the new code, which replays their histories.
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        )
    }


if __name__ == "__main__":
    _hold_streams()
    code = main()
    # The client library can abort while the interpreter shuts down; the code must be right.
    sys.stderr.flush()
    os._exit(code)
