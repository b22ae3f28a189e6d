"""The commands of the `orderloom` program, in the sequence of its help."""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A command: the module that holds its `app`, and its line in `orderloom --help`."""

    module: str
    summary: str
    panel: str


_ORDERS: Final = "Orders"
_GOODS: Final = "Goods"
_MONEY: Final = "Money"
_RUNNING: Final = "Running"

COMMANDS: Final = {
    "place": Entry("orders.place", "Place orders from a file or standard input.", _ORDERS),
    "watch-folder": Entry(
        "orders.watch_folder", "Place orders from files that come into a folder.", _ORDERS
    ),
    "show": Entry("orders.show", "All there is about one order.", _ORDERS),
    "tracking": Entry("orders.tracking", "The page where a customer sees an order.", _ORDERS),
    "counter": Entry("orders.counter", "Sell what customers have in the hand.", _ORDERS),
    "orders": Entry("orders.orders", "List orders, newest first.", _ORDERS),
    "watch": Entry("orders.watch", "Follow one order, or all of them, live.", _ORDERS),
    "explain": Entry("orders.explain", "Why an order ships from where it does.", _ORDERS),
    "events": Entry("orders.events", "What happened to an order, and why.", _ORDERS),
    "cancel": Entry("aftersales.cancel", "Cancel an order, or some of its units.", _ORDERS),
    "hold": Entry("orders.hold", "Keep an order's goods here until somebody has looked.", _ORDERS),
    "release": Entry("orders.release", "End the holds of an order.", _ORDERS),
    "extend": Entry("orders.extend", "Give the holds of an order another deadline.", _ORDERS),
    "reject": Entry("orders.reject", "Cancel an order that is held.", _ORDERS),
    "edit": Entry("aftersales.edit", "Change a placed order, or see what it would do.", _ORDERS),
    "versions": Entry("orders.versions", "What an order was before it was changed.", _ORDERS),
    "holds": Entry("orders.holds", "What holds an order, and rules that hold orders.", _ORDERS),
    "exchange": Entry("aftersales.exchange", "Send units back, and get others for them.", _ORDERS),
    "return": Entry("aftersales.returns", "Ask to send units back.", _ORDERS),
    "claim": Entry("aftersales.claim", "Say what is wrong with what was delivered.", _ORDERS),
    "claims": Entry("aftersales.claims", "Claims: list, show and decide them.", _ORDERS),
    "intercept": Entry(
        "aftersales.intercept", "Have a parcel redirected or returned on its way.", _ORDERS
    ),
    "send-anew": Entry(
        "aftersales.send_anew", "Have a parcel sent once more that comes back.", _ORDERS
    ),
    "pay": Entry("payments.pay", "A new token for an order that is held for payment.", _MONEY),
    "charge": Entry(
        "payments.charge", "Charge an order that waits for somebody to say so.", _MONEY
    ),
    "refund": Entry("aftersales.refund", "Pay back what comes with no return.", _MONEY),
    "price-match": Entry(
        "aftersales.price_match", "Meet a lower price, and pay back the difference.", _MONEY
    ),
    "payments": Entry("payments.payments", "Money calls: unknown outcomes, refunds owed.", _MONEY),
    "credit": Entry("payments.credit", "Store credit: give it, and see what became of it.", _MONEY),
    "vouchers": Entry(
        "payments.vouchers", "Vouchers and gift cards: issue, look at, extend, block.", _MONEY
    ),
    "disputes": Entry("payments.disputes", "Payments that customers' banks took back.", _MONEY),
    "provider-events": Entry("payments.provider_events", "What payment companies told.", _MONEY),
    "customers": Entry(
        "customers.customers", "Who ordered: show, hand out and erase a person.", _ORDERS
    ),
    "note": Entry("orders.note", "Notes on an order, for whoever works with it next.", _ORDERS),
    "resolve": Entry("orders.resolve", "Decide about a step that needs attention.", _ORDERS),
    "invoices": Entry("accounting.invoices", "List invoices and credit notes.", _ORDERS),
    "invoice": Entry("accounting.invoice", "One invoice or credit note, as PDF or JSON.", _ORDERS),
    "stock": Entry("stock.stock", "List, import, receive and adjust stock.", _GOODS),
    "baskets": Entry("stock.baskets", "Units held for customers at checkout.", _GOODS),
    "items": Entry(
        "stock.items", "What is said of SKUs: backorder, from when on, or no more.", _GOODS
    ),
    "kits": Entry("stock.kits", "SKUs that are sold as one and kept as their parts.", _GOODS),
    "codes": Entry("stock.codes", "Codes that are sold, and those that customers have.", _GOODS),
    "appointments": Entry(
        "stock.appointments", "When services are given: agreed, done, or missed.", _GOODS
    ),
    "locations": Entry(
        "stock.locations", "Where stock lies, and what sending from there takes.", _GOODS
    ),
    "suppliers": Entry("purchasing.suppliers", "From whom is bought, and on which terms.", _GOODS),
    "purchase-orders": Entry(
        "purchasing.purchase_orders", "What is on order with suppliers.", _GOODS
    ),
    "replenish": Entry(
        "purchasing.replenish", "Look at the levels now, and buy what is low.", _GOODS
    ),
    "promise": Entry("stock.promise", "When so many units of a SKU could be there.", _GOODS),
    "returns": Entry("aftersales.return_list", "What comes back, by which rules.", _GOODS),
    "warehouse": Entry("warehouse.warehouse", "What is to do, and what was done.", _GOODS),
    "carrier-claims": Entry(
        "warehouse.carrier_claims", "What carriers owe for parcels that they lost or broke.", _MONEY
    ),
    "carrier": Entry("warehouse.carrier", "What carriers say about parcels.", _GOODS),
    "ledger": Entry(
        "accounting.ledger", "The books: balance, entries, taxes, export, closing.", _RUNNING
    ),
    "channels": Entry("orders.channels", "Where orders come from.", _RUNNING),
    "shops": Entry("shops.shops", "Shops elsewhere that send their orders here.", _RUNNING),
    "edi": Entry("edi.edi", "Documents with trading partners, in X12.", _RUNNING),
    "sellers": Entry("accounting.sellers", "Who sells, as documents name it.", _RUNNING),
    "up": Entry("operations.up", "Run the whole stack in the foreground.", _RUNNING),
    "simulate": Entry("operations.simulate", "Play warehouse, carriers and suppliers.", _RUNNING),
    "messages": Entry("messages.messages", "What customers are told by mail.", _RUNNING),
    "webhooks": Entry(
        "notifications.webhooks", "Tell other systems what happens: where events go.", _RUNNING
    ),
    "attention": Entry(
        "operations.attention", "All that waits for a person, and what to do about it.", _RUNNING
    ),
    "report": Entry("operations.report", "What a day came to, and what lost money.", _RUNNING),
    "audit": Entry("operations.audit", "Check that the books are right.", _RUNNING),
    "resume": Entry("orders.resume", "Take up orders that Temporal has lost.", _RUNNING),
    "reconcile": Entry(
        "payments.reconcile", "Compare a day of payment companies with what is recorded.", _RUNNING
    ),
    "extensions": Entry("operations.extensions", "What is installed beside the engine.", _RUNNING),
    "codec-keys": Entry(
        "operations.codec_keys", "The keys that encrypt what enters Temporal.", _RUNNING
    ),
    "jobs": Entry(
        "jobs.jobs",
        "Long work: imports, exports, many orders at once, and how far it is.",
        _RUNNING,
    ),
    "staff": Entry("staff.staff", "People who work with the screens.", _RUNNING),
    "api-keys": Entry("access.api_keys", "Keys of other programs, and what each may do.", _RUNNING),
    "serve": Entry("operations.serve", "Answer HTTP: the door for other programs.", _RUNNING),
    "codec-server": Entry("operations.codec_server", "Decrypt for the Temporal UI.", _RUNNING),
    "schema": Entry("operations.schema", "Print a document's JSON Schema.", _RUNNING),
    "setup": Entry("operations.setup", "Prepare a Temporal and a PostgreSQL.", _RUNNING),
}
