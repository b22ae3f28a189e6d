"""What an edit would do to a placed order. Nothing is locked and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping

from domain.errors import NotFound, Refused
from domain.money import Money
from domain.orders.edit_lines import EditedLines, as_units
from domain.orders.edit_messages import AddedUnits, EditPreview, Obstacle, OrderEdit
from domain.orders.edited import Edited, check_total, tax_of, total_of
from domain.orders.edits import edited
from store import clock
from store.database import Connection
from store.orders import versions
from store.stock import edit_money, promises
from store.stock.edit_standing import Standing, standing


async def preview(conn: Connection, order_id: str, edit: OrderEdit) -> EditPreview:
    """What would change, and what cannot. Raises NotFound, and InvalidInput for what is no edit.

    Raises Refused where the order is at another version than the edit names, or would come to
    another total.
    """
    found = await standing(conn, order_id)
    present = found.present
    if edit.version is not None:
        await versions.check_unchanged(conn, order_id, edit.version, present.version)
    done = edited(present, edit.as_met, edit.person)
    if not done.obstacles:
        check_total(present, done, edit.as_met)
    before, after = total_of(present.order), total_of(done.order)
    more = after.minor - before.minor
    obstacles = done.obstacles
    back = 0
    proposal = EditedLines(present, done, found.skus).proposal({})
    try:
        back = await edit_money.to_pay_back(conn, order_id, done, present.order, proposal)
    except Refused as no:
        what = "unit price"
        obstacles += (Obstacle(what=what, why=str(no), reason=no.reason, instead=no.instead),)

    def money(minor: int) -> Money:
        return Money(minor=max(0, minor), currency=before.currency)

    return EditPreview(
        order_id=order_id,
        version=present.version,
        changes=done.changes,
        obstacles=obstacles,
        total_before=before,
        total=after,
        tax_before=tax_of(present.order),
        tax=tax_of(done.order),
        to_authorize=money(more),
        released=money(-more),
        to_pay_back=money(back),
        added=as_units(done.added),
        taken_away=as_units(done.taken),
        promised=await _promised(conn, found, done),
    )


async def _promised(conn: Connection, found: Standing, done: Edited) -> tuple[AddedUnits, ...]:
    """When the added units would arrive; no supply is promised twice within a line."""
    skus: Mapping[str, str] = {line.line_id: line.sku for line in done.order.lines}
    told = []
    for line_id, units in done.added.items():
        try:
            days = await promises.available(
                conn,
                skus[line_id],
                units,
                done.order.shipping,
                now=clock.now(),
                rules=found.policy.sourcing,
            )
        except NotFound:
            continue  # There was never any of it: nothing can be promised.
        told += [
            AddedUnits(
                line_id=line_id,
                quantity=one.quantity,
                in_stock=one.source == "stock",
                arrives_on=None if one.promise is None else one.promise.arrives_on,
            )
            for one in days
        ]
    return tuple(told)
