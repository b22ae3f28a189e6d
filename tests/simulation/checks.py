"""What must hold when an order's life is over, by what the world has, not by what anybody says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store.orders.states import begun
from tests.simulation.driver import Broken, Life
from tests.simulation.order_life import OrderLife

OUTCOMES = ("closed", "cancelled", "rejected")


def check(lived: OrderLife) -> None:
    """Raises Broken with everything that does not hold."""
    found = [
        *lived.memory.broken,
        *_ended(lived),
        *_money(lived),
        *_stock(lived),
        *_shipments(lived),
        *answers_faults(lived.life),
        *cancelled_faults(lived),
        *repeats_faults(lived),
    ]
    if found:
        raise Broken("; ".join(found))


def _ended(lived: OrderLife) -> Iterator[str]:
    life = lived.life
    if life.failure:
        yield f"the workflow failed: {life.failure}"
        return
    outcome = life.result["outcome"]
    if lived.memory.decision != outcome:
        yield f"the workflow ended {outcome}, and the order's row says {lived.memory.decision!r}"
    if life.left_open:
        yield f"left open: {life.left_open}"
    if lived.records.attention:
        yield f"still needs attention: {sorted(lived.records.attention)}"
    if any(lived.records.holds.values()):
        yield "is still held"


def _money(lived: OrderLife) -> Iterator[str]:
    money, life = lived.money, lived.life
    if life.failure:
        return
    for each in money.authorizations:
        if not 0 <= each.refunded <= each.captured <= each.amount:
            yield f"refunded ≤ captured ≤ authorized does not hold: {each}"
    by_hand = lived.records.by_hand
    held = [x.number for x in money.authorizations if x.room]
    if held and not any(step.startswith("void_payment") for step in by_hand):
        yield f"authorizations {held} are neither charged nor released"
    tallies = money.tallies
    owed = {refund: granted.unissued for refund, granted in tallies.granted.items()}
    if any(owed.values()):
        yield f"refunds are owed still: {owed}"
    due = {part: money.left_to_pay(part) for part in tallies.due}
    if any(due.values()):
        yield f"parts are not charged: {due}"
    net, charges = money.total_captured - money.total_refunded, tallies.charges
    if net != charges.charged.total - charges.refunded.total:
        yield f"decided: {charges.charged.total} − {charges.refunded.total}, paid: {net}"
    # Where its rows had ended, nobody was to learn of the last step, and nobody decides any more.
    counted = tallies.lines if life.ended_in_rows else life.workflow.book.lines
    if lived.memory.decision != "rejected" and counted != tallies.lines:
        yield f"the workflow counts {counted}, and the rows {tallies.lines}"
    on_way = {k: each.on_way for k, each in charges.money.items() if each.on_way}
    if on_way:
        yield f"paid back on their way, and never counted: {on_way}"
    if _only_units_were_paid_back(lived):
        worths = charges.worth.values()
        # Of returns that were paid back on their way, what did not come.
        given = {k: each.conceded for k, each in charges.money.items()}
        worth = sum(
            line.first(_kept(lived, line.line_id) - given[line.line_id]).total for line in worths
        )
        if abs(net - worth) > _slack(lived):
            yield f"the customer paid {net} in the end for units worth {worth}"


def _only_units_were_paid_back(lived: OrderLife) -> bool:
    granted = lived.money.tallies.granted.items()
    return not any(":G" in x or ":C" in x or each.kind == "price_match" for x, each in granted)


def _slack(lived: OrderLife) -> int:
    """Minor units that a charge after a refund may move: one for each part of a line's worth."""
    tallies = lived.money.tallies
    return 4 * len(tallies.lines) if tallies.granted else 0


def _kept(lived: OrderLife, line_id: str) -> int:
    """Units of a line that the customer has in the end."""
    units = -lived.claims.sent_again[line_id]
    for shipment in lived.warehouse.shipments.values():
        if shipment.ended_as == "delivered":
            units += shipment.units.get(line_id, 0)
    for each in lived.warehouse.returns.values():
        if each.kind == "customer" and each.received is not None:
            units -= each.received.get(line_id, 0)
    return units


def _stock(lived: OrderLife) -> Iterator[str]:
    stock = lived.stock
    for (location, sku), shelf in stock.shelves.items():
        if shelf.allocated:
            yield f"{shelf.allocated} {sku} at {location} are still claimed"
        if shelf.on_hand < 0:
            yield f"{shelf.on_hand} {sku} are on hand at {location}"
    waiting = {line: each.quantity for line, each in stock.backorders.items() if each.quantity}
    if waiting:
        yield f"still waited for: {waiting}"
    began, now = sum(stock.began_with.values()), sum(x.on_hand for x in stock.shelves.values())
    came, went = stock.arrived + stock.came_back, stock.shipped + stock.corrected
    if began + came - went != now:
        yield f"stock is not conserved: {began} + {came} − {went} is not {now}"


def _shipments(lived: OrderLife) -> Iterator[str]:
    for part_id, shipment in lived.warehouse.shipments.items():
        by_hand = f"void_label {part_id}" in lived.records.by_hand
        if shipment.label == "bought" and not shipment.handed_over and not by_hand:
            yield f"the label of {part_id} was neither used nor voided"
        if shipment.handed_over and not shipment.ended_as:
            yield f"nobody waited for what became of {part_id}"
    for part_id in lived.warehouse.unused_labels:
        if f"void_label {part_id}" not in lived.records.by_hand:
            yield f"an old label of {part_id} was not given back"
    for return_id, each in lived.warehouse.returns.items():
        if each.received is None and each.kind != "claimed":
            yield f"nobody waited for {return_id}"


def answers_faults(life: Life) -> Iterator[str]:
    """Every request is answered once, but for those that Temporal lost with their run."""
    for update_id, answers in life.answers.items():
        final = [each for each in answers if not each.accepted]
        if len(final) > 1:
            yield f"{update_id} was answered {len(final)} times"
        if update_id in life.unanswered:
            if final:
                yield f"{update_id} was answered, and its caller got no answer"
        elif not final and any(each.accepted for each in answers):
            yield f"{update_id} was accepted and never answered"


def cancelled_faults(lived: OrderLife) -> Iterator[str]:
    """What a request was told is cancelled is what was cancelled for it, in however many runs."""
    done = begun(lived.order.order_id, lived.memory.done)
    for answers in lived.life.answers.values():
        for answer in (x.answer for x in answers if not x.accepted and x.error is None):
            told = answer if isinstance(answer, dict) else {}
            mine = done.get(told.get("request_id", ""))
            if mine is not None and "cancelled" in told:
                units = {each["line_id"]: each["quantity"] for each in told["cancelled"]}
                if units != mine.cancelled:
                    yield f"{told['request_id']} was told {units}, and {mine.cancelled} were"


def repeats_faults(lived: OrderLife) -> Iterator[str]:
    """Who asks again with the same id gets the same answer, from whichever run."""
    first: dict[str, Any] = {}
    for update_id, request in lived.sent.items():
        asked = f"{request.request_id}: {request.model_dump_json()}"
        for each in lived.life.answers.get(update_id, ()):
            if not each.accepted and each.error is None:
                known = first.setdefault(asked, each.answer)
                if known != each.answer:
                    yield f"{update_id} was answered {each.answer}, and before that {known}"
