"""All doors of the engine, one for each capability.

Commands, HTTP and pages come in here, and so do shops that use Orderloom as a library. A method
takes and returns values; what it writes is one transaction or one request to one workflow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Unreachable
from domain.orders.messages import AttentionAnswer
from domain.orders.policy import Policy
from domain.orders.taxing import TaxRates
from domain.purchasing.purchase_orders import PurchasingPolicy
from starter.service.access import Access
from starter.service.accounting import Accounting
from starter.service.aftersales import Aftersales
from starter.service.answers import Answers
from starter.service.appointments import Appointments
from starter.service.attention import AttentionList
from starter.service.audit import PATIENCE, AuditReport, audit
from starter.service.baskets import Baskets
from starter.service.carrier_claims import CarrierClaims
from starter.service.carrier_webhooks import CarrierWebhooks
from starter.service.carriers import Carriers
from starter.service.catalogue import Catalogue
from starter.service.channels import Channels
from starter.service.claims import ClaimRecords
from starter.service.codes import Codes
from starter.service.counter_sales import CounterSales
from starter.service.credit import Credit
from starter.service.customer_care import CustomerCare
from starter.service.customer_changes import CustomerChanges
from starter.service.customer_pages import CustomerPages
from starter.service.customers import Customers
from starter.service.days import Days
from starter.service.edi import Edi
from starter.service.edits import EditRecords, Edits
from starter.service.event_subscriptions import EventSubscriptions
from starter.service.exchanges import ExchangeRecords, Exchanges
from starter.service.floor import Floor
from starter.service.floor_goods import FloorGoods
from starter.service.found_parcels import FoundParcels
from starter.service.hold_rules import HoldRules
from starter.service.holds import HoldRecords, Holds
from starter.service.interceptions import Interceptions
from starter.service.job_work import JobWork
from starter.service.jobs import Jobs
from starter.service.labels import Labels
from starter.service.locations import Locations
from starter.service.messages import Messages
from starter.service.order_records import OrderRecords
from starter.service.order_requests import OrderRequests
from starter.service.orders import Orders
from starter.service.payments import PaymentRecords, Payments
from starter.service.previews import Previews
from starter.service.purchase_records import PurchaseRecords
from starter.service.purchasing import Purchasing
from starter.service.queues import Queues
from starter.service.reconciliation import Reconciliation, ReconciliationRecords
from starter.service.requests import Requests
from starter.service.returns import Returns
from starter.service.saved_views import SavedViews
from starter.service.search import Search
from starter.service.segments import Segments
from starter.service.sellers import Sellers
from starter.service.shops import Shops
from starter.service.staff import StaffDoor
from starter.service.stock import Stock
from starter.service.tracking import Tracking
from starter.service.transfers import Transfers
from starter.service.unannounced import UnannouncedParcels, UnannouncedRecords
from starter.service.vouchers import Vouchers
from starter.service.warehouse import Warehouse
from starter.service.webhooks import Webhooks, WebhookSecrets, signature_checks
from store.client_pool import together
from store.database import Pool
from store.schema_version import check

TASK_QUEUE = "orderloom"


class Records:
    """The doors that need the database alone: reads, and reports of the world outside.

    They work while Temporal is away. The worker's relay takes reports to the workflows that wait.
    """

    holds: HoldRecords
    edits: EditRecords
    exchanges: ExchangeRecords
    orders: OrderRecords
    payments: PaymentRecords
    purchasing: PurchaseRecords
    reconciliation: ReconciliationRecords
    unannounced: UnannouncedRecords

    def __init__(  # noqa: PLR0915 - a line for each door
        self,
        pool: Pool,
        *,
        policy: Policy | None = None,
        purchasing: PurchasingPolicy | None = None,
        webhook_secrets: WebhookSecrets | None = None,
        carrier_secrets: WebhookSecrets | None = None,
        plain_http: bool = False,
        documents_years: int = 10,
        pages_url: str | None = None,
    ) -> None:
        """`webhook_secrets`, `carrier_secrets`: company → what it may sign its webhooks with.

        `plain_http`: events may be sent without TLS. `documents_years`: so long after the year of
        their issue an erased person's documents stay whole. `pages_url`: of customers' pages.
        """
        self._pool = pool
        self._policy = policy
        self._purchasing_policy = purchasing
        self._plain_http = plain_http
        self._documents_years = documents_years
        self._pages_url = pages_url
        self.hold_rules = HoldRules(pool)
        self.holds = HoldRecords(pool)
        self.orders = OrderRecords(pool)
        self.payments = PaymentRecords(pool)
        self.purchasing = PurchaseRecords(pool, purchasing)
        self.reconciliation = ReconciliationRecords(pool)
        self.access = Access(pool)
        self.accounting = Accounting(pool)
        self.needs_attention = AttentionList(pool)
        self.baskets = Baskets(pool)
        self.carriers = Carriers(pool)
        self.carrier_claims = CarrierClaims(pool)
        self.carrier_webhooks = CarrierWebhooks(pool, carrier_secrets or {})
        self.catalogue = Catalogue(pool)
        self.channels = Channels(pool, policy)
        self.claims = ClaimRecords(pool)
        self.appointments = Appointments(pool)
        self.codes = Codes(pool)
        self.credit = Credit(pool)
        self.customers = Customers(pool, documents_years=documents_years)
        self.customer_care = CustomerCare(pool)
        self.customer_changes = CustomerChanges(pool)
        self.customer_pages = CustomerPages(pool)
        self.days = Days(pool)
        self.floor = Floor(pool)
        self.floor_goods = FloorGoods(pool, self.floor)
        self.job_work = JobWork(pool)
        self.edi = Edi(pool)
        self.edits = EditRecords(pool)
        self.exchanges = ExchangeRecords(pool)
        self.jobs = Jobs(pool)
        self.labels = Labels(pool)
        self.locations = Locations(pool)
        self.messages = Messages(pool, pages_url)
        self.queues = Queues(pool, None, TASK_QUEUE)
        self.previews = Previews(pool)
        self.requests = Requests(pool)
        self.returns = Returns(pool)
        self.saved_views = SavedViews(pool)
        self.search = Search(pool)
        self.segments = Segments(pool)
        self.sellers = Sellers(pool)
        self.shops = Shops(pool)
        self.staff = StaffDoor(pool)
        self.stock = Stock(pool, None if policy is None else policy.sourcing)
        self.subscriptions = EventSubscriptions(pool, plain_http=plain_http)
        self.tracking = Tracking(pool)
        self.transfers = Transfers(pool)
        self.unannounced = UnannouncedRecords(pool)
        self.vouchers = Vouchers(pool)
        self.warehouse = Warehouse(pool)
        self.webhooks = Webhooks(pool, signature_checks(webhook_secrets or {}))

    async def check_schema(self) -> None:
        """Raises Unreachable where the database is away, InvalidInput for another schema."""
        async with self._pool.acquire() as conn:
            await check(conn)

    @asynccontextmanager
    async def in_one_transaction(self) -> AsyncIterator[Records]:
        """The same doors, whose changes are all made in the end; an error undoes them all."""
        async with together(self._pool) as pool:
            yield Records(
                pool,
                policy=self._policy,
                purchasing=self._purchasing_policy,
                plain_http=self._plain_http,
                documents_years=self._documents_years,
                pages_url=self._pages_url,
            )


class Service(Records):
    """All doors, with those that speak to workflows: placing, requests, decisions, the audit."""

    holds: Holds
    edits: Edits
    exchanges: Exchanges
    orders: Orders
    payments: Payments
    purchasing: Purchasing
    reconciliation: Reconciliation
    unannounced: UnannouncedParcels

    def __init__(
        self,
        pool: Pool,
        temporal: Client,
        *,
        task_queue: str = TASK_QUEUE,
        policy: Policy | None = None,
        purchasing: PurchasingPolicy | None = None,
        taxes: TaxRates | None = None,
        webhook_secrets: WebhookSecrets | None = None,
        carrier_secrets: WebhookSecrets | None = None,
        plain_http: bool = False,
        documents_years: int = 10,
        pages_url: str | None = None,
    ) -> None:
        """`taxes`: knows the rates for orders that come without."""
        super().__init__(
            pool,
            policy=policy,
            purchasing=purchasing,
            webhook_secrets=webhook_secrets,
            carrier_secrets=carrier_secrets,
            plain_http=plain_http,
            documents_years=documents_years,
            pages_url=pages_url,
        )
        self._temporal = temporal
        self._task_queue = task_queue
        self.queues = Queues(pool, temporal, task_queue)
        requests = OrderRequests(pool, temporal, task_queue=task_queue)
        self.orders = Orders(
            pool, temporal, requests, task_queue=task_queue, policy=policy, taxes=taxes
        )
        self.counter_sales = CounterSales(pool, self.orders)
        self.found_parcels = FoundParcels(pool, self.carriers, self.counter_sales)
        self.aftersales = Aftersales(requests)
        self.holds = Holds(pool, requests)
        self.edits = Edits(pool, requests)
        self.exchanges = Exchanges(pool, requests)
        self.unannounced = UnannouncedParcels(pool, requests)
        self.interceptions = Interceptions(pool, requests)
        self.payments = Payments(pool, requests)
        self.purchasing = Purchasing(pool, temporal, task_queue=task_queue, policy=purchasing)
        self.reconciliation = Reconciliation(pool, temporal, task_queue=task_queue)
        self._answers = Answers(
            self.orders, self.carriers, self.found_parcels, self.payments, self.returns
        )

    async def resolve(
        self, order_id: str, answer: AttentionAnswer, *, request_id: str | None = None
    ) -> None:
        """Tell what a person has decided about a step that needs attention.

        `request_id`: under which a run of the order takes it once. Raises NotFound, Refused, and
        IllegalTransition where the step does not take this answer.
        """
        await self._answers.resolve(order_id, answer, request_id=request_id)

    async def check_temporal(self) -> None:
        """Raises Unreachable where Temporal does not answer."""
        try:
            await self._temporal.service_client.check_health()
        except (RPCError, RuntimeError) as error:
            raise Unreachable(f"Temporal does not answer ({error})") from error

    async def audit(self, *, patience: timedelta = PATIENCE) -> AuditReport:
        """Compare stock, lines, money, books, companies and workflows with each other."""
        return await audit(
            self._pool, self._temporal, task_queue=self._task_queue, patience=patience
        )
