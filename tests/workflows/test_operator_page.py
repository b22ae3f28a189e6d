"""What an operator reads in the Temporal UI: what is awaited, since when, and what to do."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import pytest
from temporalio.client import Client

from domain.orders.messages import PayRequest
from domain.orders.policy import Policy
from domain.orders.return_messages import ReturnRequest
from domain.stock.items import Item
from store.database import Pool
from tests.support.builders import a_policy, address_of, an_order
from tests.support.runs import restless, runs_of
from tests.support.shop import Shop
from tests.workflows.lives import a_two_parcel_order, three_teas

TIME = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"

# Every setting is said, so that none is the test shop's.
UNHURRIED = Policy.model_validate(Policy().model_dump())


async def the_page(shop: Shop, order_id: str) -> str:
    """The page as the UI asks for it."""
    metadata = await shop.workflow(order_id).query("__temporal_workflow_metadata")
    page: str = metadata.current_details
    return page


async def shown(shop: Shop, order_id: str, *parts: str) -> str:
    """The page, once it says these, which have TIME for a moment."""
    patterns = [re.escape(part).replace("TIME", TIME) for part in parts]

    page = ""

    async def find() -> str | None:
        nonlocal page
        page = await the_page(shop, order_id)
        return page if all(re.search(pattern, page) for pattern in patterns) else None

    try:
        return await shop.until(find, "the page says so")
    except AssertionError:
        left = [part for part, p in zip(parts, patterns, strict=True) if not re.search(p, page)]
        raise AssertionError(f"the page does not say {left}:\n{page}") from None


async def test_a_plain_order_tells_whose_turn_it_is_until_it_closes(shop: Shop) -> None:
    order = await three_teas(shop)
    parcel = await shop.placed(order, UNHURRIED)
    page = await shown(
        shop,
        order.order_id,
        f"**{order.order_id}** · in fulfilment · 42.50 USD",
        f"the warehouse at main has picked, packed and handed over `{parcel}` (3 × TEA), since"
        " TIME; which of these comes next: `orderloom warehouse tasks`",
        "It will need attention if picking takes longer than 2 days, or packing longer than 1 day,"
        " or the hand-over longer than 2 days.",
        "line 1, TEA: 3 ordered; 3 allocated",
        f"To stop what has not left: `orderloom cancel {order.order_id} --reason '…'`",
    )
    assert "Kim" not in page  # nothing personal
    await shop.drive(parcel, "shipped")
    page = await shown(
        shop,
        order.order_id,
        f"the carrier has delivered `{parcel}` (3 × TEA), since TIME; tracking number, and what the"
        f" carrier says: `orderloom show {order.order_id}`",
        "It will need attention if there is no scan for 5 days.",
        "3 shipped",
    )
    assert "To stop" not in page
    await shop.scan(parcel, "delivered")
    await shown(
        shop,
        order.order_id,
        "the return window is over, on TIME; then it closes by itself",
        f"`{parcel}` from main (3 × TEA): delivered",
    )


async def test_a_parcel_is_on_its_way_since_its_hand_over(shop: Shop) -> None:
    order = await three_teas(shop)
    parcel = await shop.placed(order, UNHURRIED)
    await asyncio.sleep(1.1)  # the page tells whole seconds
    await shop.drive(parcel, "shipped")
    page = await shown(shop, order.order_id, "the carrier has delivered")
    (shipped,) = [
        event.at for event in await shop.orders.events(order.order_id) if event.what == "shipped"
    ]
    assert re.findall(TIME, page)[0] >= f"{shipped:%Y-%m-%d %H:%M:%S} UTC"


async def test_a_split_order_tells_of_each_parcel_as_it_stands(shop: Shop) -> None:
    order = await a_two_parcel_order(shop)
    first = await shop.placed(order, UNHURRIED)
    second = f"{order.order_id}:2"
    await shop.drive(first, "delivered")
    page = await shown(
        shop,
        order.order_id,
        f"`{first}` from main (3 × TEA): delivered",
        f"the warehouse at second has picked, packed and handed over `{second}` (2 × CUP), since",
        "line 1, TEA: 3 ordered; 3 delivered",
        "line 2, CUP: 2 ordered; 2 allocated",
    )
    assert "the carrier has" not in page


async def test_a_backorder_tells_what_it_waits_for_and_until_when(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    await shop.catalogue.set_items([Item(sku="TEA", backorder=True)])
    order = an_order(("TEA", 3))
    await shop.placed(order, UNHURRIED)
    page = await shown(
        shop,
        order.order_id,
        "stock comes for 2 × TEA, since TIME; what is on order: `orderloom purchase-orders list`;"
        " what has not come by TIME is cancelled",
        "line 1, TEA: 3 ordered; 2 backordered, 1 allocated",
    )
    since, by = re.findall(TIME, page[page.index("stock comes") :])[:2]
    assert since < by


async def test_an_order_that_is_held_tells_who_has_to_pay_until_when_and_how(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3), token="tok_action_required")
    await shop.orders.place(order, policy=UNHURRIED)
    page = await shown(
        shop,
        order.order_id,
        f"**{order.order_id}** · received, held · ",
        "the customer has paid (the bank wants the customer to confirm the payment first), since"
        f" TIME: `orderloom pay {order.order_id} TOKEN`. If that is not done by TIME, it is"
        " rejected",
        f"`{order.order_id}:1` from main (3 × TEA): reserved",
    )
    assert "the warehouse" not in page
    await shop.payments.pay(order.order_id, PayRequest(token="tok_decline"))
    await shown(shop, order.order_id, "the customer has paid (the bank declined the card; ")
    await shop.payments.pay(order.order_id, PayRequest(token="tok_confirmed"))
    page = await shown(shop, order.order_id, "the warehouse at main")
    assert "has paid" not in page


async def test_an_order_that_waits_to_be_charged_is_not_shown_with_the_warehouse(
    shop: Shop,
) -> None:
    order = await three_teas(shop)
    policy = UNHURRIED.model_copy(update={"charge": "manual"})
    parcel = await shop.placed(order, policy)
    await shop.drive(parcel, "packed")
    page = await shown(
        shop,
        order.order_id,
        "somebody here says that it is to be charged, since TIME:"
        f" `orderloom charge {order.order_id} --note '…'`",
        f"`{parcel}` from main (3 × TEA): not handed over before it is paid",
    )
    assert "the warehouse at" not in page


async def test_a_return_tells_how_its_parcel_is_counted(shop: Shop) -> None:
    order = await three_teas(shop)
    parcel = await shop.placed(order, UNHURRIED)
    await shop.drive(parcel, "delivered")
    await shop.told(order.order_id, "delivered")
    await shown(shop, order.order_id, "return window")
    some = ReturnRequest.model_validate(
        {"reason": "too strong", "lines": [{"line_id": "1", "quantity": 2}]}
    )
    await shop.aftersales.request_return(order.order_id, some)
    back = f"{order.order_id}:R1"
    await shown(
        shop,
        order.order_id,
        f"the parcel of return `{back}` has come and is counted, since TIME:"
        f" `orderloom warehouse receive-return {back}`",
        "It will need attention if a return has not come within 44 days.",
    )
    await shop.do(await shop.task("receive-return", back))
    await shown(shop, order.order_id, "3 ordered; 3 delivered (2 of them came back)")


async def test_what_needs_attention_tells_each_answer_as_a_command_and_what_follows(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3), token="tok_capture_refused")
    parcel = await shop.placed(order, UNHURRIED)
    await shop.drive(parcel, "shipped")
    answer = f"--step 'charge_payment {parcel}' --note '…'`"
    await shown(
        shop,
        order.order_id,
        "⚠ **Needs attention** since TIME: the bank refused the capture; the authorization stays as"
        f" it was (`charge_payment {parcel}`). Decide with one of these:",
        f"- `orderloom resolve {order.order_id} retry {answer}: it is tried again",
        f"- `orderloom resolve {order.order_id} done {answer}: you did it by hand, and the note"
        " says how",
    )


async def test_what_is_overdue_tells_how_it_ends(shop: Shop) -> None:
    order = await three_teas(shop)
    parcel = await shop.placed(order, a_policy(scan_within=0.5, return_window=60))
    await shop.drive(parcel, "shipped")
    page = await shown(
        shop,
        order.order_id,
        f"TIME: the carrier has not scanned {parcel} for 0.5 seconds; lost?"
        f" (`await_delivery {parcel}`). Nothing is to be decided: it ends with the carrier's next"
        " scan; if the carrier has lost the parcel: `orderloom carrier event TRACKING failure`.",
        "the carrier has delivered",  # it is waited for all the same
    )
    assert "It will need attention" not in page  # it does


async def test_a_step_that_fails_is_shown_while_it_is_tried_again(shop: Shop) -> None:
    order = await three_teas(shop)
    shop.faults.hold("authorize_payment")
    placing = asyncio.create_task(shop.orders.place(order, policy=UNHURRIED))
    await shop.faults.reached["authorize_payment"].wait()
    await shown(
        shop,
        order.order_id,
        f"Authorize 42.50 USD (`authorize_payment {order.order_id}`), since TIME; where it fails,"
        " it is tried again, and needs attention after 10 minutes",
    )
    shop.faults.release("authorize_payment")
    assert (await placing).outcome == "confirmed"
    page = await shown(shop, order.order_id, "the warehouse at main")
    assert "Under way" not in page


async def test_an_order_that_has_ended_tells_why(shop: Shop) -> None:
    order = await three_teas(shop)
    address = address_of(order).model_copy(update={"postal_code": "NOWHERE"})
    nowhere = order.model_copy(
        update={"shipping": order.shipping.model_copy(update={"address": address})}
    )
    parcel = await shop.placed(nowhere, UNHURRIED)
    await shop.drive(parcel, "packed")
    await shop.result(order.order_id)
    why = "the carrier does not deliver there with this service"
    page = await shown(shop, order.order_id, f"Reason: {why}", f"`{parcel}` from main (3 × TEA): ")
    assert "It waits until" not in page


async def test_a_wait_is_told_since_its_beginning_in_whatever_run_that_was(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, restless(temporal_client), a_policy(return_window=60))
    async with shop.working():
        order = await three_teas(shop)
        await shop.drive(await shop.placed(order), "delivered")
        await shown(shop, order.order_id, "return window")

        async def asked(number: int) -> datetime:
            one = ReturnRequest.model_validate(
                {"reason": "too strong", "lines": [{"line_id": "1", "quantity": 1}]}
            )
            await shop.aftersales.request_return(order.order_id, one)
            return since(
                await shown(shop, order.order_id, f"the parcel of return `{number_of(number)}`")
            )

        def since(page: str) -> datetime:
            """Since when the first one is awaited."""
            counted = f"`{number_of(1)}` has come and is counted"
            (told,) = re.findall(rf"{counted}, since ({TIME})", page)
            return datetime.strptime(told, "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC)

        def number_of(number: int) -> str:
            return f"{order.order_id}:R{number}"

        began = await asked(1)
        await asyncio.sleep(3)
        runs = len(await runs_of(shop, order.order_id))
        # The workflow tells it, and later its row: each in whole seconds.
        as_before = pytest.approx(began.timestamp(), abs=1)
        assert (await asked(2)).timestamp() == as_before

        async def ran_again() -> bool:
            return len(await runs_of(shop, order.order_id)) > runs

        await shop.until(ran_again, "the order continues as new")
        page = await shown(shop, order.order_id, f"`{number_of(1)}` has come and is counted")
        assert since(page).timestamp() == as_before
