"""Every duty of a worker's relay, put together: first those that somebody waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from activities.access.retention import RequestKeys, StaffSessions
from activities.aftersales.overdue_returns import OverdueReturns
from activities.aftersales.pickup_points import PickupPoints
from activities.aftersales.return_labels import ReturnLabelFiles, ReturnLabels
from activities.customers.memberships import Memberships
from activities.customers.retention import Persons
from activities.days.counting import DayCounting
from activities.days.longest_waits import LongestWaits
from activities.edi.asking import OrderAsking
from activities.edi.duties import edi_duties
from activities.edi.exchange import Authorization, EdiExchange
from activities.fulfilment import labels
from activities.fulfilment.carriers import Carriers
from activities.jobs.retention import OldJobs
from activities.jobs.starts import JobStarts
from activities.messages.planning import MessagePlan
from activities.messages.sending import MessagePost
from activities.messages.texts import Texts
from activities.notifications.duties import OldEvents, event_duties
from activities.notifications.sending import Sender
from activities.notifications.targets import Targets
from activities.orders.address import AddressCheck
from activities.orders.address_checks import AddressChecks
from activities.orders.hold_ends import HoldEnds
from activities.orders.requests import Requests
from activities.orders.retention import EndedOrders
from activities.orders.starts import OrderStarts
from activities.orders.stuck import StuckOrders
from activities.payments.ending_authorizations import EndingAuthorizations
from activities.payments.event_reader import EventReader
from activities.payments.exchange_ends import ExchangeEnds
from activities.payments.expiring_vouchers import ExpiringVouchers
from activities.payments.provider_events import ProviderEvents
from activities.payments.wakes import Wakes
from activities.purchasing.demand import StockDemand
from activities.purchasing.starts import PurchaseStarts
from activities.purchasing.stuck import StuckPurchases
from activities.relay import Duty
from activities.retention import AS_SHIPPED, Kept
from activities.shops.clients import ShopClients
from activities.shops.inbox import ShopMessages
from activities.shops.visits import ShopVisits
from activities.shops.web import Web
from activities.stock.late_stock import LateStock
from activities.wait_reports import WaitReports
from activities.warehouse.carrier_messages import CarrierMessages
from activities.warehouse.count_classes import CountClasses
from activities.warehouse.retention import OldRuns
from activities.warehouse.unannounced_parcels import UnannouncedParcels
from domain.days.figures import Wait
from domain.messages.kinds import told
from domain.orders.policy import Policy
from domain.purchasing.purchase_orders import PurchasingPolicy
from runtime.mail import post_of
from runtime.mail_settings import MailSettings
from runtime.order_starts import start_order
from runtime.task_queues import backlog_of
from store import waits
from store.database import Pool
from store.jobs import jobs
from store.notifications import sequence
from store.payments import provider_events
from store.purchasing import replenishment
from store.shops import messages
from store.warehouse import carrier_messages

_SWEEP_S: Final = 1.0
"""A duty that somebody waits for is done this often, in seconds, when nothing calls for it."""


_NOTICE_S: Final = 60.0
"""What time alone changes is looked for this often, in seconds."""


_BACKLOG_WITHIN_S: Final = 5.0
"""How long Temporal may take to answer how many tasks are waiting in its queues."""


_MEASURE_S: Final = 1800.0
"""What was sold is added up, and what lies there valued, this often, in seconds, for all stock."""


_FORGET_S: Final = 600.0  # What nobody needs any more is deleted this often.


def duties(
    client: Client,
    pool: Pool,
    *,
    task_queue: str,
    readers: Mapping[str, EventReader] | None = None,
    stranded_after: timedelta = timedelta(minutes=1),
    renewals_every_s: float = _NOTICE_S,
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
        labels_back = [Duty(see_to, _SWEEP_S, beside=True)]
    return [
        Duty(WaitReports(pool, client).deliver, _SWEEP_S, waits.CHANNEL),
        Duty(OrderStarts(pool, lambda x: start_order(client, task_queue, x)).start, _SWEEP_S),
        Duty(buying.start, _SWEEP_S, replenishment.CHANNEL),
        Duty(events.hear, _SWEEP_S, provider_events.CHANNEL),
        Duty(shops.work_through, _SWEEP_S, messages.CHANNEL),
        Duty(told.work_through, _SWEEP_S, carrier_messages.CHANNEL, beside=True),
        Duty(labels.Labels(pool, client, stranded_after).want, _SWEEP_S, labels.CHANNEL),
        Duty(EndingAuthorizations(pool).notice, renewals_every_s),
        Duty(LateStock(pool).notice, _NOTICE_S),
        Duty(OverdueReturns(pool).chase, _NOTICE_S),
        Duty(PickupPoints(pool).tell, _NOTICE_S),
        *labels_back,
        Duty(ExchangeEnds(pool).tell, renewals_every_s),
        Duty(at_the_dock.count, _SWEEP_S),
        Duty(Memberships(pool).look, _NOTICE_S, beside=True),
        Duty(days.count, _NOTICE_S, beside=True),
        Duty(days.add_up_books, _NOTICE_S, beside=True),
        Duty(longest.look, _NOTICE_S, beside=True),
        Duty(ExpiringVouchers(pool).expire, _NOTICE_S),
        Duty(HoldEnds(pool, asks).end, renewals_every_s),
        Duty(AddressChecks(pool, address_check).look, _SWEEP_S, beside=True),
        Duty(StuckOrders(pool, client, task_queue).look, _NOTICE_S),
        Duty(StuckPurchases(pool, client, task_queue).look, _NOTICE_S),
        Duty(StockDemand(pool, purchasing).measure, _MEASURE_S, beside=True),
        Duty(CountClasses(pool).measure, _MEASURE_S, beside=True),
        Duty(visits.visit_all, _SWEEP_S, beside=True),
        *edi_duties(pool, edi, policy or Policy(), OrderAsking(client).ask),
        *event_duties(pool, client, task_queue),
        Duty(JobStarts(pool, client, task_queue).start, _SWEEP_S, jobs.CHANNEL),
        *(Duty(one.forget, _FORGET_S) for one in old),
    ]


async def _backlog(client: Client, task_queue: str) -> dict[Wait, int]:
    """What waits in Temporal, for the figures of the hour; nothing where it does not answer."""
    try:
        told = await backlog_of(client, task_queue, timedelta(seconds=_BACKLOG_WITHIN_S))
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
        Duty(plan.plan, _SWEEP_S, sequence.CHANNEL),
        Duty(post.send_due, _SWEEP_S, beside=True),
    ]
