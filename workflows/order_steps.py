"""The steps of an order: each beside its undo, or the reason why it has none.

The executor runs from this table. What can be undone is undone by what it says, last state first.
"""

from __future__ import annotations

from temporalio import workflow

from workflows.engine.step_table import State, Step, StepTable

with workflow.unsafe.imports_passed_through():
    from activities.aftersales.returns import Returns
    from activities.aftersales.sending_anew import SendingAnew
    from activities.fulfilment.delivery import Delivery
    from activities.fulfilment.fulfilments import Fulfilments
    from activities.fulfilment.interceptions import Interceptions
    from activities.orders.holds import Holds
    from activities.orders.order_records import OrderRecords
    from activities.payments.authorizations import Authorizations
    from activities.payments.exchanges import Exchanges
    from activities.payments.payments import Payments
    from activities.purchasing.order_purchases import OrderPurchases
    from activities.purchasing.purchase_orders import Purchasing
    from activities.stock.backorders import Backorders
    from activities.stock.claims import Claims
    from activities.stock.edits import Edits
    from activities.stock.inventory import Inventory
    from activities.stock.removals import Removals
    from activities.warehouse.outside_work import OutsideWork

FULFILMENT = (
    State("picked", undo=Fulfilments.put_back),
    State("packed", undo=Fulfilments.put_back),
    State("labelled", undo=Fulfilments.void_label, by_hand=True),  # until the hand-over
)

STEPS = StepTable(
    # Placing the order. When all of it is authorized, the same step confirms the order. It runs
    # again before a parcel is sent whose authorization would end too soon.
    Step(Inventory.reserve_stock, undo=Inventory.release_stock),
    Step(Authorizations.authorize_payment, undo=Authorizations.void_payment, by_hand=True),
    # Each fulfilment, side by side. Its row says which state it had come to when it was recalled.
    Step(Fulfilments.pick_pack_ship, states=FULFILMENT),
    Step(Payments.charge_payment, undo=Payments.refund_payment, by_hand=True),
    Step(
        Delivery.await_delivery,
        because="a parcel on its way cannot be called back; undeliverable, the carrier returns it",
    ),
    Step(
        Interceptions.intercept_parcel,
        because="scans tell what comes of it; another one can be asked for",
    ),
    # Units that are not there, not found, lost, or wanted in another fulfilment.
    Step(Backorders.await_stock, because="waiting changes nothing"),
    Step(Backorders.wait_longer, because="waiting changes nothing"),
    Step(Backorders.join_backorders, undo=Inventory.release_stock),
    Step(Backorders.fill_backorder, undo=Inventory.release_stock),
    Step(Inventory.reserve_again, undo=Inventory.release_stock),
    Step(Inventory.reassign, undo=Inventory.release_stock),
    Step(
        Removals.take_out, because="what is taken out is cancelled, and the rest goes on as it was"
    ),
    Step(OutsideWork.stop_work, because="the fulfilment is recalled with it"),
    Step(OutsideWork.work_wanted_again, because="the workshop is asked to stop"),
    Step(Fulfilments.recall, because="it is the beginning of an undo; a new fulfilment carries on"),
    Step(Edits.apply_edit, because="it is whole or not done, and another edit changes it back"),
    # What is bought for it.
    Step(OrderPurchases.open_purchases, because="it reads only"),
    Step(Purchasing.cancel_purchase, because="what is wanted after all is bought anew"),
    # Returns, and what is paid back without one.
    Step(Returns.approve_return, because="the customer may have sent it; a late one asks a person"),
    Step(Returns.decide_return, because="who was told of a decision goes by it"),
    Step(Returns.receive_return, because="what was counted is there, and is paid back"),
    Step(Returns.receive_paid_return, because="what was counted is there"),
    Step(Exchanges.agree_exchange, because="its order can be cancelled, and its return given up"),
    Step(Exchanges.await_exchange, because="waiting changes nothing"),
    Step(SendingAnew.send_anew, because="the order can be cancelled when it is back"),
    Step(Payments.grant_refund, because="what is owed stays owed until it is paid back"),
    Step(Claims.make_claim, because="what the customer said is on record"),
    Step(Claims.decide_claim, because="what was decided is decided; another claim can be made"),
    # Records, and reads.
    Step(OrderRecords.note_hold, because="its end is recorded beside it"),
    Step(Holds.change_holds, because="one that was placed is released"),
    Step(OrderRecords.tell, because="the order's story is only added to"),
    Step(OrderRecords.keep_answer, because="an answer that was given stays given"),
    Step(OrderRecords.close_order, because="it comes last, when there is nothing left to undo"),
    Step(OrderRecords.reopen_order, because="what was done before it stays done"),
    Step(OrderRecords.close_again, because="it comes last, as closing does"),
    Step(OrderRecords.read_state, because="it reads only"),
    Step(Fulfilments.stages, because="it reads only"),
    Step(Backorders.before_giving_up, because="what it keeps for the order goes with its wait"),
    Step(Delivery.last_scan, because="it reads only"),
)
