"""Every workflow, as a worker runs them."""

from __future__ import annotations

from typing import Final

from workflows.event_delivery import EventDeliveryWorkflow
from workflows.job import JobWorkflow
from workflows.order import OrderWorkflow
from workflows.outside_work import OutsideWorkWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.replenishment import ReplenishmentWorkflow

WORKFLOWS: Final = (
    OrderWorkflow,
    OutsideWorkWorkflow,
    PurchaseOrderWorkflow,
    ReplenishmentWorkflow,
    ReconciliationWorkflow,
    EventDeliveryWorkflow,
    JobWorkflow,
)
