"""Every activity of a worker, put together with its pool and its companies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from temporalio.client import Client

from activities.aftersales.returns import Returns
from activities.aftersales.sending_anew import SendingAnew
from activities.edi.supplier import EdiSupplier
from activities.fulfilment.carrier import Carrier
from activities.fulfilment.carriers import Carriers
from activities.fulfilment.delivery import Delivery
from activities.fulfilment.fulfilments import Fulfilments
from activities.fulfilment.interceptions import Interceptions
from activities.notifications.delivering import Deliveries
from activities.notifications.sending import Sender
from activities.orders.holds import Holds
from activities.orders.order_records import OrderRecords
from activities.payments.authorizations import Authorizations
from activities.payments.exchange_provider import ExchangeMoney
from activities.payments.exchanges import Exchanges
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider
from activities.payments.reconciliation import Reconciliation
from activities.purchasing.order_purchases import OrderPurchases
from activities.purchasing.purchase_orders import Purchasing
from activities.purchasing.supplier import Supplier
from activities.stock.backorders import Backorders
from activities.stock.claims import Claims
from activities.stock.edits import Edits
from activities.stock.inventory import Inventory
from activities.stock.removals import Removals
from activities.warehouse.outside_work import OutsideWork
from activities.warehouse.till import Till
from domain.fulfilment.outside_work import Workshop
from domain.orders.providers import EXCHANGE
from domain.purchasing.purchase_orders import PurchasingPolicy
from domain.stock.location_ranking import Measure
from store.database import Pool
from store.payments import cover


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
        *(backorders.before_giving_up, backorders.wait_longer),
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
