"""A shop in which every page for staff has something to show, and the addresses of these pages."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Final

from activities.aftersales.returns import ApproveReturn
from domain.access.api_keys import KeyRequest
from domain.aftersales.return_counts import FoundGoods
from domain.aftersales.return_rules import ReturnRule
from domain.money import Money
from domain.notifications.subscriptions import NewSubscription
from domain.orders.hold_rules import HoldRule
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.purchasing.purchase_orders import OnOrder, SupplierItem
from domain.stock.items import Item
from domain.stock.stock_levels import StockLevels
from starter.service.days import Days
from store.aftersales import return_rules
from store.orders import events, holds
from tests.http.test_money_pages import differing
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.desk import Desk
from tests.support.scanner import begun

CUSTOMER: Final = "kim@example.com"
_PAPERS: Final = "select min(number) from document where order_no = order_no_of($1)"
_ACTS: Final = {
    "packed": ("cancel", "edit", "hold", "charge", "reject", "resolve", "intercept", "pay"),
    "held": ("release", "extend"),
    "sent": (
        *("return", "decide-return", "cancel-return", "exchange", "claim", "decide-claim"),
        *("refund", "goodwill", "approve", "price-match", "send-anew", "appointment", "codes"),
    ),
}
_RUNS: Final = (
    *(("begin", {"kind": kind}) for kind in ("pick", "pack", "hand-over")),
    ("incoming", {"kind": "arrive", "part": "T-1"}),
    *(("incoming", {"kind": kind}) for kind in ("returns", "count", "move")),
    ("incoming", {"kind": "send", "part": "shop"}),
)
"""Where runs begin, and what the form there says."""


async def whole_shop(bench: Bench, desk: Desk, planted: str = "") -> tuple[str, ...]:
    """Make it, and answer the address of each page, without the slash that it begins with.

    `desk`: of an admin. `planted`: stands in every text that a customer or a company can write.
    """
    orders = await _orders(bench, planted)
    await _bought(bench, planted)
    names = {name: order.order_id for name, order in orders.items()}
    names["difference"] = str(await differing(bench, orders["sent"]))
    names["aside"] = str(await _aside(desk, orders["sent"], planted))
    names |= await _money(bench, desk, orders["sent"], planted)
    names |= await _set_up(desk) | {"job": await _job(desk, names["packed"])}
    runs = await _runs(desk)
    (today,) = {one.today for one in await Days(bench.pool).todays()}
    await Days(bench.pool).count(today, today)
    acts = [f"app/orders/{names[name]}/{act}" for name, each in _ACTS.items() for act in each]
    paths = [one.format_map(names) for one in (*_DESK, *_GOODS, *_MONEY, *_SET_UP)]
    tasks = (await desk.get("/app/tasks")).text
    task = re.search(r'href="(?:\.\./)*(app/tasks/one\?[^"]*)"', tasks)
    assert task, "there is a task"
    return (*paths, html.unescape(task[1]), *acts, *runs)


_DESK: Final = (
    *("app", "app/me", "app/nowhere", "app/find?q=kim@example.com", "app/find?q=nobody"),
    *("app/day", "app/day/report", "app/day/losses"),
    *("app/day/parcels?what=shipped", "app/day/payments?what=authorized"),
    *("app/orders", "app/orders?state=odd", "app/orders?state=rejected", "app/orders/views"),
    "app/orders?sku=TEA&columns=customer&columns=skus&columns=total",
    "app/orders/bulk?act=hold&order={packed}",
    "app/orders/bulk?act=cancel&all=1&sku=TEA",
    *("app/jobs", "app/jobs/{job}"),
    *("app/orders/{packed}", "app/orders/{sent}", "app/orders/{held}"),
    *("app/orders/{sent}/story", "app/orders/{sent}/messages/{event}"),
    *("app/customers", "app/customers?q=kim@example.com", "app/customers/C1"),
    *("app/customers?which=open", "app/customers?which=owed_back"),
    *("app/customers/C1/orders", "app/customers/C1/erase"),
    *("app/tasks", "app/tasks?snoozed=1"),
)
_GOODS: Final = (
    *("app/floor", "app/floor?change=1", "app/floor/incoming", "app/floor/counts"),
    *("app/floor/aside", "app/floor/aside/{aside}"),
    *("app/stock", "app/stock/TEA?n=5&country=DE", "app/transfers", "app/transfers/T-1"),
    *("app/kits", "app/codes", "app/baskets", "app/purchases", "app/purchases/PO-1"),
    *("app/purchases/proposals", "app/purchases/together?of=shop/assam"),
    *("app/purchases/new?supplier=assam", "app/suppliers"),
    "app/suppliers/assam?sku=TEA",
)
_MONEY: Final = (
    *("app/money", "app/money/documents", "app/money/documents/one?number={invoice}"),
    *("app/money/ledger", "app/money/balance?first=2026-01-01", "app/money/closing"),
    *("app/money/taxes", "app/money/differences", "app/money/differences/{difference}"),
    *("app/money/disputes", "app/money/open", "app/money/open/refunds", "app/money/open/events"),
    *("app/money/vouchers", "app/money/vouchers/new", "app/money/vouchers/{voucher}"),
    *("app/money/credit?customer=C-1", "app/money/claims"),
)
_SET_UP: Final = (
    *("app/setup", "app/setup/sellers", "app/setup/sellers/main", "app/setup/sellers/new"),
    *("app/setup/channels", "app/setup/channels/web", "app/setup/channels/new"),
    "app/setup/channels/web/policy",
    *("app/setup/shops/web", "app/setup/locations", "app/setup/locations/main"),
    *("app/setup/locations/new", "app/setup/rules", "app/setup/rules/new", "app/setup/policy"),
    *("app/setup/rules/{rule}", "app/setup/roles", "app/setup/templates"),
    *("app/setup/templates/main/shipped/en", "app/setup/events", "app/setup/events/new"),
    *("app/setup/events/{events}", "app/setup/events/{events}/attempts"),
    *("app/setup/keys", "app/setup/keys/new", "app/setup/keys/{key}", "app/setup/extensions"),
    *("app/staff", "app/staff/new", "app/staff/{login}", "app/staff/none"),
)


async def _orders(bench: Bench, planted: str) -> dict[str, Order]:
    """By what they are good for: one that is packed, one that is held, one that has come home."""
    made = {}
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 40)
    await bench.catalogue.set_items([Item(sku="TEA", name=f"Green tea{planted}")])
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(label="free", window_days=30)])
    person = {"id": "C-1", "name": f"Kim Minji{planted}", "company": f"Kim{planted}"}
    address = dict.fromkeys(("name", "company", "line1", "line2", "city", "region"), f"1{planted}")
    sent_to = {**shipping("5.00"), "address": {**address, "postal_code": "04524", "country": "KR"}}
    for name in ("packed", "held", "sent"):
        made[name] = an_order(
            *(("TEA", 3, "10.00"), ("POT", 1, "30.00")),
            channel_order_id=f"seen-{name}",
            customer={**person, "email": CUSTOMER, "phone": "+82 2 1234 5678"},
            shipping=sent_to,
            note=f"ring twice{planted}",
        )
    lasting = Policy(return_window=timedelta(days=30))
    await bench.take_in(made["sent"], lasting)
    await bench.at(made["packed"], "packed")
    await bench.at(made["held"], "confirmed")
    for stage in ("picked", "confirmed", "labelled"):
        await bench.at(an_order(("TEA", 2, "10.00"), note=planted), stage)
    home = made["sent"].order_id
    await bench.charged(await bench.at(made["sent"], "delivered"))
    await bench.refunded(made["sent"], amount="5.00")
    await bench.returns.approve_return(
        ApproveReturn(
            order_id=home,
            request_id="r1",
            units={"1": 1},
            reason=f"too small{planted}",
            reason_codes={"1": "other"},
            who="customer",
        )
    )
    async with bench.pool.acquire() as conn:
        await holds.place(
            *(conn, made["held"].order_id),
            reason="fraud_review",
            note=f"two names{planted}",
            owner="risk",
            who="anna",
        )
        packed = made["packed"].order_id
        await events.raise_attention(conn, packed, "pick_pack_ship", f"?{planted}", ("retry",))
    await bench.pool.execute(
        "insert into claim (order_no, claim_id, kind, reason, who) "
        "values (order_no_of($1), $1 || ':C1', 'late', $2, 'kim')",
        *(home, f"it came late{planted}"),
    )
    return made


async def _bought(bench: Bench, planted: str) -> None:
    """Something to show a buyer: a proposal, an order that is late, goods on their way."""
    terms = {"supplier": "assam", "name": f"Assam Gardens{planted}", "currency": "EUR"}
    sold = [{"sku": "TEA", "unit_price": "2.50"}, {"sku": "POT", "unit_price": "900"}]
    await bench.purchasing.set_terms(
        [SupplierItem.model_validate(terms | one | {"lead_time_days": 7}) for one in sold]
    )
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 5, "shop")
    level = StockLevels(sku="TEA", location="main", reorder_point=42, order_up_to=60)
    await bench.stock.set_levels([level])
    late = {"supplier": "assam", "sku": "TEA", "location": "shop", "quantity": 20}
    on_order = OnOrder.model_validate({**late, "due_on": "2026-01-05"})
    await bench.purchasing.enter([on_order], who="anna", why="ordered before")
    await bench.purchasing.propose(
        "assam", "shop", {"POT": 2}, po_id="PO-1", who="anna", why=f"for Christmas{planted}"
    )
    await bench.transfers.send("T-1", "shop", "main", {"TEA": 2}, who="anna", why="sold out")
    await bench.purchasing.measure_demand()


async def _aside(desk: Desk, order: Order, planted: str) -> int:
    """A parcel that nobody announced, of an order that was sent."""
    goods = [FoundGoods(sku="POT", quantity=1, condition="used", photo=f"1{planted}")]
    parcel = await desk.here.unannounced.receive(
        "aside", goods, location="main", order_id=order.order_id, who="ben"
    )
    return parcel.parcel_no


async def _money(bench: Bench, desk: Desk, order: Order, planted: str) -> dict[str, str]:
    """A voucher, a claim at a carrier, a refund that is owed, and a message."""
    here = desk.here
    await here.carrier_claims.file(
        *(f"{order.order_id}:1", Money(minor=10_00, currency="USD")), reference="CL-1", who="anna"
    )
    await bench.grant(order, request_id="owed", amount="1.00")
    first, *_ = await here.orders.events(order.order_id)
    await bench.pool.execute(
        "insert into message (order_no, event_id, kind, state, why, sent_at) "
        "values (order_no_of($1), $2, 'received', 'bounced', $3, now())",
        *(order.order_id, first.event_id, f"no such box{planted}"),
    )
    page = (await desk.get("/app/money/vouchers/new")).text
    fields = {"kind": "voucher", "amount": "25.00", "currency": "EUR", "reason": "it was late"}
    await desk.send_form("app/money/vouchers/new", **_hidden(page), **fields)
    (voucher,) = await here.vouchers.list()
    return {
        "event": str(first.event_id),
        "voucher": voucher.voucher_id,
        "invoice": await bench.pool.fetchval(_PAPERS, order.order_id),
    }


async def _set_up(desk: Desk) -> dict[str, str]:
    """A hold rule, a subscription and a key."""
    here = desk.here
    rule = {"rule": "dear", "reason": "fraud_review", "when": {"first_order": True}}
    await here.hold_rules.save([HoldRule.model_validate(rule)], who="anna")
    wanted = NewSubscription(url="https://shop.example/x", description="the books' program")
    made = await here.subscriptions.make(wanted, by="anna")
    await here.subscriptions.test(made.subscription.subscription_id)
    asked = KeyRequest.model_validate({"name": "books", "scopes": ["orders:read"]})
    key = (await here.access.make(asked, who="anna")).key
    (person,) = await here.staff.list()
    return {
        "events": made.subscription.subscription_id,
        "rule": "dear",
        "key": key.key_id,
        "login": person.login,
    }


async def _job(desk: Desk, order_id: str) -> str:
    page = (await desk.get(f"/app/orders/bulk?act=hold&order={order_id}")).text
    fields = {"reason": "stock", "note": "a recall"}
    made = await desk.send_form("app/orders/bulk", **_hidden(page), **fields)
    return made.url.path.rpartition("/")[2]


async def _runs(desk: Desk) -> list[str]:
    """A run of each kind of work, in which a code was scanned that says nothing."""
    await desk.send_form("app/floor/location", location="main")
    found = []
    for path, said in _RUNS:
        run = await begun(desk, f"app/floor/{path}", **said)
        await run.scan("TEA" if path == "incoming" else "nobody knows")
        found.append(f"app/floor/runs/{run.run_no}")
    return found


def _hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields}
