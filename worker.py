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

from activities.access.retention import RequestKeys, StaffSessions
from activities.aftersales.overdue_returns import OverdueReturns
from activities.aftersales.pickup_points import PickupPoints
from activities.aftersales.return_labels import ReturnLabelFiles, ReturnLabels
from activities.aftersales.returns import Returns
from activities.aftersales.sending_anew import SendingAnew
from activities.companies import Companies
from activities.customers.memberships import Memberships
from activities.customers.retention import Persons
from activities.days.counting import DayCounting
from activities.days.longest_waits import LongestWaits
from activities.edi.asking import OrderAsking
from activities.edi.duties import edi_duties
from activities.edi.exchange import Authorization, EdiExchange
from activities.edi.supplier import EdiSupplier
from activities.extension import Tools
from activities.failures import FailureTypes
from activities.fulfilment import labels
from activities.fulfilment.carrier import Carrier
from activities.fulfilment.carriers import Carriers
from activities.fulfilment.delivery import Delivery
from activities.fulfilment.fulfilments import Fulfilments
from activities.fulfilment.interceptions import Interceptions
from activities.jobs.retention import OldJobs
from activities.jobs.starts import JobStarts
from activities.messages.planning import MessagePlan
from activities.messages.sending import MessagePost
from activities.messages.texts import Texts
from activities.notifications.delivering import Deliveries
from activities.notifications.duties import OldEvents, event_duties
from activities.notifications.sending import Sender
from activities.notifications.targets import Targets
from activities.orders.address import AddressCheck
from activities.orders.address_checks import AddressChecks
from activities.orders.hold_ends import HoldEnds
from activities.orders.holds import Holds
from activities.orders.order_records import OrderRecords
from activities.orders.requests import Requests
from activities.orders.retention import EndedOrders
from activities.orders.starts import OrderStarts
from activities.orders.stuck import StuckOrders
from activities.payments.authorizations import Authorizations
from activities.payments.ending_authorizations import EndingAuthorizations
from activities.payments.event_reader import EventReader
from activities.payments.exchange_ends import ExchangeEnds
from activities.payments.exchange_provider import ExchangeMoney
from activities.payments.exchanges import Exchanges
from activities.payments.expiring_vouchers import ExpiringVouchers
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider
from activities.payments.provider_events import ProviderEvents
from activities.payments.reconciliation import Reconciliation
from activities.payments.wakes import Wakes
from activities.purchasing.demand import StockDemand
from activities.purchasing.order_purchases import OrderPurchases
from activities.purchasing.purchase_orders import Purchasing
from activities.purchasing.starts import PurchaseStarts
from activities.purchasing.stuck import StuckPurchases
from activities.purchasing.supplier import Supplier
from activities.relay import Duty, Relay
from activities.retention import AS_SHIPPED, Kept
from activities.schedules import keep_schedules
from activities.shops.clients import ShopClients
from activities.shops.inbox import ShopMessages
from activities.shops.visits import ShopVisits
from activities.shops.web import Web
from activities.stock.backorders import Backorders
from activities.stock.claims import Claims
from activities.stock.edits import Edits
from activities.stock.inventory import Inventory
from activities.stock.late_stock import LateStock
from activities.stock.removals import Removals
from activities.wait_reports import WaitReports
from activities.warehouse.carrier_messages import CarrierMessages
from activities.warehouse.outside_work import OutsideWork
from activities.warehouse.retention import OldRuns
from activities.warehouse.till import Till
from activities.warehouse.unannounced_parcels import UnannouncedParcels
from domain.days.figures import Wait
from domain.errors import InvalidInput, OrderloomError
from domain.fulfilment.outside_work import Workshop
from domain.messages.kinds import told
from domain.orders.policy import Policy
from domain.orders.providers import EXCHANGE
from domain.purchasing.purchase_orders import PurchasingPolicy
from domain.stock.location_ranking import Measure
from runtime.extensions import installed, usable
from runtime.logs import configure_logging
from runtime.mail import post_of
from runtime.mail_settings import MailSettings
from runtime.order_starts import start_order
from runtime.program import end, until_signal
from runtime.servers import database_address, temporal_connection, until_there
from runtime.settings import Settings, load_settings
from runtime.streams import prepare_streams
from runtime.task_queues import backlog_of
from runtime.worker_options import sandbox, tuning, versioning
from store import waits
from store.database import DatabaseFault, Pool
from store.jobs import jobs
from store.notifications import sequence
from store.payments import cover, provider_events
from store.purchasing import replenishment
from store.schema_version import prepared_pool
from store.shops import messages
from store.warehouse import carrier_messages
from workflows.registry import WORKFLOWS

logger = logging.getLogger("orderloom.worker")

GRACE = timedelta(seconds=20)

AWAY = (*DatabaseFault, RPCError, RuntimeError)
"""How a server shows that it is not there yet."""

SWEEP_S = 1.0
"""A duty that somebody waits for is done this often, in seconds, when nothing calls for it."""

NOTICE_S = 60.0
"""What time alone changes is looked for this often, in seconds."""

BACKLOG_WITHIN_S = 5.0
"""So long Temporal may take to say what waits there."""

MEASURE_S = 1800.0
"""What was sold is added up this often, in seconds, for all stock at once."""

FORGET_S = 600.0  # What nobody needs any more is deleted this often.


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


def steps(
    client: Client,
    pool: Pool,
    providers: Mapping[str, PaymentProvider],
    carrier: Carrier | Carriers,
    supplier: Supplier | None = None,
    purchasing: PurchasingPolicy | None = None,
    reservations_together: int = 100,
    measures: Mapping[str, Measure] | None = None,
    sender: Sender | None = None,
    workshops: Mapping[str, Workshop] | None = None,
) -> list[Callable[..., Any]]:
    """Every activity, with its pool and its companies.

    `carrier`: one that takes all parcels, or several. `supplier`: left out, nothing is bought.
    `sender`: left out, events go to the world outside alone. `workshops`: by name, those that work
    on goods before they leave.
    """
    carriers = carrier if isinstance(carrier, Carriers) else Carriers.only(carrier)
    inventory = Inventory(pool, together_max=reservations_together, measures=measures)
    backorders = Backorders(pool)
    edits = Edits(pool, measures=measures)
    providers = {**providers, EXCHANGE: ExchangeMoney(pool, providers)}
    authorizations = Authorizations(pool, providers)
    payments = Payments(pool, providers)
    exchanges = Exchanges(pool, providers)
    work = OutsideWork(pool, client, workshops)
    fulfilment = Fulfilments(pool, carriers, cover.cover_of, Till(pool), work)
    delivery = Delivery(pool)
    returns = Returns(pool)
    claims = Claims(pool, measures)
    reconciling = Reconciliation(pool, providers, client)
    records = OrderRecords(pool)
    policy = purchasing or PurchasingPolicy()
    buying = [] if supplier is None else Purchasing(pool, EdiSupplier(pool, supplier), policy).steps
    return [
        *(inventory.reserve_stock, inventory.release_stock, inventory.reserve_again),
        *(inventory.reassign, edits.apply_edit),
        Removals(pool).take_out,
        Interceptions(pool, carriers).intercept_parcel,
        SendingAnew(pool).send_anew,
        *(backorders.await_stock, backorders.join_backorders, backorders.fill_backorder),
        *(backorders.first_days, backorders.wait_longer),
        *(authorizations.authorize_payment, authorizations.void_payment),
        *(payments.charge_payment, payments.grant_refund, payments.refund_payment),
        *(fulfilment.pick_pack_ship, fulfilment.stages, fulfilment.recall),
        *(fulfilment.put_back, fulfilment.void_label),
        *(delivery.await_delivery, delivery.last_scan),
        *(work.work_begun, work.work_goes_on, work.work_ended),
        *(work.stop_work, work.work_wanted_again),
        *(returns.approve_return, returns.decide_return, returns.receive_return),
        returns.receive_paid_return,
        *(exchanges.agree_exchange, exchanges.await_exchange),
        *(claims.make_claim, claims.decide_claim),
        *(records.read_state, records.close_order, records.keep_answer, records.tell),
        *(records.note_attention, records.note_hold, Holds(pool).change_holds),
        *(records.reopen_order, records.close_again),
        OrderPurchases(pool).open_purchases,
        *buying,
        *(reconciling.days_due, reconciling.reconcile_day, reconciling.mend_day),
        Deliveries(pool, sender).deliver_events,
    ]


def duties(
    client: Client,
    pool: Pool,
    *,
    task_queue: str,
    readers: Mapping[str, EventReader] | None = None,
    stranded_after: timedelta = timedelta(minutes=1),
    renewals_every_s: float = NOTICE_S,
    kept: Kept = AS_SHIPPED,
    policy: Policy | None = None,
    carriers: Carriers | None = None,
    clients: ShopClients | None = None,
    address_check: AddressCheck | None = None,
    purchasing: PurchasingPolicy | None = None,
    sender: Sender | None = None,
    edi_authorization: Authorization | None = None,
) -> list[Duty]:
    """The duties of a worker's relay, in sequence: first those that somebody waits for.

    `readers`: of each payment company's webhooks. `stranded_after`: how long buying a label may
    take. `renewals_every_s`: the period of that duty, and of those that end holds and exchanges.
    `kept`: what is forgotten, and when. `policy`: the usual one, of orders that shops send.
    `carriers`: sell the labels of returns; left out, none is bought. `clients`: left out, shops in
    the world outside alone are spoken with. `address_check`: left out, what it would be asked is
    put before a person. `purchasing`: how is bought for orders. `sender`: left out, interchanges go
    to partners in the world outside alone. `edi_authorization`: what some of them ask for.
    """
    buying = PurchaseStarts(pool, client, task_queue, purchasing)
    wakes, asks = Wakes(client).send, Requests(client).send
    events = ProviderEvents(pool, wakes, readers or {}, kept.provider_events)
    told = CarrierMessages(pool, kept.provider_events)
    shops = ShopMessages(pool, asks, wakes, policy or Policy(), kept.provider_events)
    visits = ShopVisits(pool, clients or ShopClients(Web(Targets())), kept.provider_events)
    at_the_dock = UnannouncedParcels(pool, kept.provider_events)
    edi = EdiExchange(
        pool,
        sender or Sender(Targets()),
        authorization=edi_authorization,
        kept=kept.provider_events,
    )
    days = DayCounting(pool)
    longest = LongestWaits(pool, lambda: _backlog(client, task_queue))
    old = (
        *(EndedOrders(pool, kept.effects), events, labels.LabelFiles(pool, kept.label_files)),
        *(RequestKeys(pool, kept.request_keys), OldEvents(pool, kept.events)),
        *(Persons(pool, kept.persons, kept.documents_years, kept.events), shops, told),
        *(OldJobs(pool, kept.jobs), visits, ReturnLabelFiles(pool, kept.label_files)),
        *(at_the_dock, edi, StaffSessions(pool, kept.staff_sessions), days),
        OldRuns(pool, kept.scan_runs),
    )
    labels_back: list[Duty] = []
    if carriers is not None:
        see_to = ReturnLabels(pool, carriers).see_to
        labels_back = [Duty(see_to, SWEEP_S, beside=True)]
    return [
        Duty(WaitReports(pool, client).deliver, SWEEP_S, waits.CHANNEL),
        Duty(OrderStarts(pool, lambda x: start_order(client, task_queue, x)).start, SWEEP_S),
        Duty(buying.start, SWEEP_S, replenishment.CHANNEL),
        Duty(events.hear, SWEEP_S, provider_events.CHANNEL),
        Duty(shops.work_through, SWEEP_S, messages.CHANNEL),
        Duty(told.work_through, SWEEP_S, carrier_messages.CHANNEL, beside=True),
        Duty(labels.Labels(pool, client, stranded_after).want, SWEEP_S, labels.CHANNEL),
        Duty(EndingAuthorizations(pool).notice, renewals_every_s),
        Duty(LateStock(pool).notice, NOTICE_S),
        Duty(OverdueReturns(pool).chase, NOTICE_S),
        Duty(PickupPoints(pool).tell, NOTICE_S),
        *labels_back,
        Duty(ExchangeEnds(pool).tell, renewals_every_s),
        Duty(at_the_dock.count, SWEEP_S),
        Duty(Memberships(pool).look, NOTICE_S, beside=True),
        Duty(days.count, NOTICE_S, beside=True),
        Duty(longest.look, NOTICE_S, beside=True),
        Duty(ExpiringVouchers(pool).expire, NOTICE_S),
        Duty(HoldEnds(pool, asks).end, renewals_every_s),
        Duty(AddressChecks(pool, address_check).look, SWEEP_S, beside=True),
        Duty(StuckOrders(pool, client, task_queue).look, NOTICE_S),
        Duty(StuckPurchases(pool, client, task_queue).look, NOTICE_S),
        Duty(StockDemand(pool, purchasing).measure, MEASURE_S, beside=True),
        Duty(visits.visit_all, SWEEP_S, beside=True),
        *edi_duties(pool, edi, policy or Policy(), OrderAsking(client).ask),
        *event_duties(pool, client, task_queue),
        Duty(JobStarts(pool, client, task_queue).start, SWEEP_S, jobs.CHANNEL),
        *(Duty(one.forget, FORGET_S) for one in old),
    ]


async def _backlog(client: Client, task_queue: str) -> dict[Wait, int]:
    """What waits in Temporal, for the figures of the hour; nothing where it does not answer."""
    try:
        told = await backlog_of(client, task_queue, timedelta(seconds=BACKLOG_WITHIN_S))
    except (RPCError, RuntimeError):
        return {}
    return {"backlog": told.tasks, "backlog_wait": told.wait_s}


def mail_duties(
    pool: Pool, mail: MailSettings, pages_url: str | None, texts: Texts | None = None
) -> list[Duty]:
    """Customers are told what happens; nobody is where no mail server is set."""
    if mail.url is None:
        return []
    plan = MessagePlan(
        pool, told(mail.kinds), tell_within=mail.tell_within, old_after=mail.old_after
    )
    post = MessagePost(
        pool,
        lambda: post_of(mail),
        sender_for=mail.sender_for,
        pages_url=pages_url,
        per_minute=mail.per_minute,
        texts=texts,
    )
    return [
        Duty(plan.plan, SWEEP_S, sequence.CHANNEL),
        Duty(post.send_due, SWEEP_S, beside=True),
    ]


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
