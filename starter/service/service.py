"""All doors of the engine, one for each capability.

Commands, HTTP and pages come in here, and so do shops that use Orderloom as a library. A method
takes and returns values; what it writes is one transaction or one request to one workflow.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client

from domain.orders.policy import Policy
from domain.orders.taxing import TaxRates
from domain.purchasing.purchase_orders import PurchasingPolicy
from starter.service.access import Access
from starter.service.accounting import Accounting
from starter.service.aftersales import Aftersales
from starter.service.attention import AttentionList
from starter.service.audit import PATIENCE, AuditReport, audit
from starter.service.baskets import Baskets
from starter.service.carriers import Carriers
from starter.service.catalogue import Catalogue
from starter.service.channels import Channels
from starter.service.credit import Credit
from starter.service.customers import Customers
from starter.service.labels import Labels
from starter.service.locations import Locations
from starter.service.orders import OrderRecords, Orders
from starter.service.payments import PaymentRecords, Payments
from starter.service.purchasing import PurchaseRecords, Purchasing
from starter.service.reconciliation import Reconciliation, ReconciliationRecords
from starter.service.sellers import Sellers
from starter.service.stock import Stock
from starter.service.transfers import Transfers
from starter.service.updates import OrderRequests
from starter.service.warehouse import Warehouse
from store.database import Pool

TASK_QUEUE = "orderloom"


class Records:
    """The doors that need the database alone: reads, and reports of the world outside.

    They work while Temporal is away. The worker's relay takes reports to the workflows that wait.
    """

    orders: OrderRecords
    payments: PaymentRecords
    purchasing: PurchaseRecords
    reconciliation: ReconciliationRecords

    def __init__(
        self,
        pool: Pool,
        *,
        purchasing: PurchasingPolicy | None = None,
    ) -> None:
        self.orders = OrderRecords(pool)
        self.payments = PaymentRecords(pool)
        self.purchasing = PurchaseRecords(pool, purchasing)
        self.reconciliation = ReconciliationRecords(pool)
        self.access = Access(pool)
        self.accounting = Accounting(pool)
        self.needs_attention = AttentionList(pool)
        self.baskets = Baskets(pool)
        self.carriers = Carriers(pool)
        self.catalogue = Catalogue(pool)
        self.channels = Channels(pool)
        self.credit = Credit(pool)
        self.customers = Customers(pool)
        self.labels = Labels(pool)
        self.locations = Locations(pool)
        self.sellers = Sellers(pool)
        self.stock = Stock(pool)
        self.transfers = Transfers(pool)
        self.warehouse = Warehouse(pool)


class Service(Records):
    """All doors, with those that speak to workflows: placing, requests, decisions, the audit."""

    orders: Orders
    payments: Payments
    purchasing: Purchasing
    reconciliation: Reconciliation

    def __init__(
        self,
        pool: Pool,
        temporal: Client,
        *,
        task_queue: str = TASK_QUEUE,
        policy: Policy | None = None,
        purchasing: PurchasingPolicy | None = None,
        taxes: TaxRates | None = None,
    ) -> None:
        """`taxes`: knows the rates for orders that come without."""
        super().__init__(pool, purchasing=purchasing)
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue
        requests = OrderRequests(pool, temporal, task_queue=task_queue)
        self.orders = Orders(
            pool,
            temporal,
            requests,
            task_queue=task_queue,
            policy=policy,
            taxes=taxes,
        )
        self.aftersales = Aftersales(requests)
        self.payments = Payments(pool, requests)
        self.purchasing = Purchasing(pool, temporal, task_queue=task_queue, policy=purchasing)
        self.reconciliation = Reconciliation(pool, temporal, task_queue=task_queue)

    async def audit(self, *, patience: timedelta = PATIENCE) -> AuditReport:
        """Compare stock, lines, money, books, companies and workflows with each other."""
        return await audit(
            self._pool, self._temporal, task_queue=self._task_queue, patience=patience
        )
