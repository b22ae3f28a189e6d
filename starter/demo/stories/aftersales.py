"""Stories of what changes, or goes wrong, once an order is placed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.money import Money, to_decimal
from domain.orders.claim_messages import ClaimRequest, DecideClaimRequest
from domain.orders.edit_messages import EditPreview, OrderEdit
from domain.orders.hold_messages import ExtendRequest, ReleaseRequest
from domain.orders.messages import CancelRequest, RefundRequest
from domain.orders.price_match_messages import PriceMatchRequest
from domain.payments.vouchers import ToIssue
from starter.demo import company
from starter.demo.stories.goods import BOWL, CURRENCY, MUG, PLATE, line
from starter.demo.stories.stage import WHO, Stage, dollars, expect

_ELSEWHERE = {
    "name": "Robin Castle",
    "line1": "88 Spring Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
}


async def held(stage: Stage) -> str:
    """A rule holds an order; the desk asks for time, and lets it go."""
    order_id = await stage.place("held", line(MUG, 1, "20.00"), note="A surprise: do not ring.")
    await stage.told(order_id, "confirmed")
    holds = await stage.service.holds.standing(order_id)
    expect([one.rule for one in holds] == ["asks-first"], f"{order_id} is held by {holds}")
    tasks = await stage.service.warehouse.tasks(order_id=order_id)
    expect(not tasks, f"{order_id} is held, and there is work for it: {tasks}")
    until = datetime.now(UTC) + timedelta(days=1)
    longer = ExtendRequest(note="the customer was asked", until=until, by=WHO)
    await stage.service.holds.extend(order_id, longer)
    release = ReleaseRequest(note="the customer has answered", by=WHO)
    await stage.service.holds.release(order_id, release)
    await stage.deliver(order_id, await stage.send(order_id))
    await stage.ended(order_id)
    return "held by the rule asks-first, extended, released, and sent only then"


async def another_address(stage: Stage) -> str:
    """The parcel goes where the customer has moved."""
    order_id = await stage.place("address", line(MUG, 1, "20.00"))
    edit = {"reason": "the customer has moved", "by": WHO, "address": _ELSEWHERE}
    done = await stage.service.edits.edit(order_id, OrderEdit.model_validate(edit))
    part_id = await stage.send(order_id)
    versions = await stage.service.edits.versions(order_id)
    expect(len(versions) == done.version == 2, f"{order_id} has {len(versions)} versions")
    await stage.deliver(order_id, part_id)
    await stage.ended(order_id)
    return f"version {done.version} of the order, before it was picked"


async def up_and_down(stage: Stage) -> str:
    """More is wanted, and authorized first; then less, which is never charged."""
    order_id = await stage.place("edit", line(MUG, 2, "20.00"), line(PLATE, 2, "9.00"))
    more = OrderEdit.model_validate(
        {
            "reason": "one more, and a bowl",
            "by": WHO,
            "lines": [{"line_id": "1", "quantity": 3}],
            "add": [{"sku": BOWL, "quantity": 1, "unit_price": "14.00", "tax_rate": "8"}],
        }
    )
    seen = await stage.service.edits.preview(order_id, more)
    expect(not seen.obstacles, f"{order_id}: {seen.obstacles}")
    await stage.service.edits.edit(order_id, as_seen(more, seen))
    less = {"reason": "no plates after all", "lines": [{"line_id": "2", "quantity": 0}], "by": WHO}
    down = OrderEdit.model_validate(less)
    lower = await stage.service.edits.preview(order_id, down)
    await stage.service.edits.edit(order_id, as_seen(down, lower))
    parts = [await stage.send(order_id)]
    detail = await stage.service.orders.get(order_id)
    parts += [
        await stage.send(order_id)
        for _ in range(sum(part.state == "picking" for part in detail.fulfilments))
    ]
    for part_id in parts:
        await stage.scan(order_id, part_id, "delivered")
    ended = await stage.ended(order_id)
    expect(ended.captured_minor == lower.total.minor, f"{order_id}: {ended.captured_minor}")
    return f"{seen.total_before} → {seen.total} → {lower.total}, which was charged"


def as_seen(edit: OrderEdit, seen: EditPreview) -> OrderEdit:
    """The edit, by what its preview told."""
    total = to_decimal(seen.total.minor, seen.total.currency)
    return edit.model_copy(update={"version": seen.version, "total": total})


async def taken_out(stage: Stage) -> str:
    """One unit of a picked parcel is not wanted: it goes back to the shelf."""
    order_id = await stage.place("put-back", line(MUG, 3, "20.00"))
    part_id = await stage.pick(order_id)
    one = {"reason": "two are enough", "lines": [{"line_id": "1", "quantity": 1}], "by": WHO}
    answer = await stage.service.aftersales.cancel(order_id, CancelRequest.model_validate(one))
    expect([units.quantity for units in answer.cancelled] == [1], f"{order_id}: {answer}")
    task = await stage.task(order_id, "put-back")
    await stage.service.warehouse.put_back(task.part_id, who=WHO)
    await stage.pack(part_id)
    await stage.hand_over(part_id)
    await stage.deliver(order_id, part_id)
    ended = await stage.ended(order_id)
    return f"1 of 3 picked units was put back; {part_id} went on: {dollars(ended.captured_minor)}"


async def returned(stage: Stage) -> str:
    """Half of it comes back, and its share is paid back."""
    order_id = await stage.place("return", line(MUG, 2, "20.00"))
    await stage.deliver(order_id, await stage.send(order_id))
    one = [{"line_id": "1", "quantity": 1}]
    await stage.send_back(order_id, reason="too small", reason_code="did_not_fit", lines=one)
    await stage.receive(order_id)
    ended = await stage.ended(order_id)
    return f"1 of 2 came back: {dollars(ended.refunded_minor)} of {dollars(ended.captured_minor)}"


async def claimed(stage: Stage) -> str:
    """Broken on the way: another one is sent, and nothing is charged for it."""
    order_id = await stage.place("claim", line(BOWL, 1, "14.00"))
    await stage.deliver(order_id, await stage.send(order_id))
    claim = await stage.service.aftersales.claim(
        order_id,
        ClaimRequest(kind="damaged", reason="a crack", evidence=("photo 7731",), by="customer"),
    )
    decided = await stage.service.aftersales.decide_claim(
        order_id,
        DecideClaimRequest(
            claim_id=claim.claim_id, decision="reship", note="seen on the photo", by=WHO
        ),
    )
    again = await stage.send(order_id)
    expect(again in decided.fulfilments, f"{again} was sent, not {decided.fulfilments}")
    await stage.scan(order_id, again, "delivered")
    ended = await stage.ended(order_id)
    return f"a bowl came broken: {again} was sent, and {dollars(ended.captured_minor)} stays"


async def lost_and_found(stage: Stage) -> str:
    """A parcel is lost, others are sent, the carrier pays; then it turns up."""
    order_id = await stage.place("lost", line(PLATE, 2, "9.00"))
    first = await stage.send(order_id)
    await stage.scan(order_id, first, "failure")
    await stage.told(order_id, "lost")
    again = await stage.send(order_id)
    claims, owed = stage.service.carrier_claims, Money(minor=1000, currency=CURRENCY)
    await claims.file(first, owed, reference="CL-77", who=WHO)
    await claims.answer(first, "paid", paid=owed, note="their letter", who=WHO)
    await stage.scan(order_id, again, "delivered")
    await stage.scan(order_id, first, "return_to_sender")
    await stage.receive(order_id)
    await claims.turned_up(first, "given_back", "set off", who=WHO)
    ended = await stage.ended(order_id)
    expect(ended.refunded_minor == 0, f"{order_id}: {ended.refunded_minor} was paid back")
    return f"{first} was lost, {again} sent; then {first} came back, and its {owed} were given back"


async def paid_with_a_gift_card(stage: Stage) -> str:
    """A gift card pays a part; what was paid last is paid back first, and the card after that."""
    card = ToIssue(kind="gift_card", amount=Money(minor=1000, currency=CURRENCY), seller=company.US)
    issued = await stage.service.vouchers.issue("desk-card", card, who=WHO, why="sold at the till")
    tender = {"provider": "gift_card", "token": issued.code, "amount": "10.00"}
    order_id = await stage.place("gift-card", line(MUG, 2, "20.00"), tenders=[tender])
    await stage.deliver(order_id, await stage.send(order_id))
    await stage.send_back(order_id, reason="it was a gift")
    await stage.receive(order_id)
    ended = await stage.ended(order_id)
    left = await stage.service.vouchers.get(issued.voucher.voucher_id)
    back = dollars(ended.refunded_minor)
    return (
        f"a card paid {card.amount}; {back} went back, {dollars(left.balance_minor)} onto the card"
    )


async def appeased(stage: Stage) -> str:
    """A lower price elsewhere is met, and something is given on top."""
    order_id = await stage.place("goodwill", line(MUG, 2, "20.00"))
    await stage.deliver(order_id, await stage.send(order_id))
    lower = {"line_id": "1", "unit_price": "18.00", "evidence": "their leaflet", "by": WHO}
    match = await stage.service.aftersales.match_price(
        order_id, PriceMatchRequest.model_validate(lower)
    )
    given = {"reason": "came late", "amount": "3.00", "to": "voucher", "by": WHO}
    more = await stage.service.aftersales.refund(order_id, RefundRequest.model_validate(given))
    await stage.ended(order_id)
    return f"price match: {match.amount}; goodwill: a voucher of {more.amount}"
