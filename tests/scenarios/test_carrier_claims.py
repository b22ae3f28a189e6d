"""Parcels that carriers pay for: due by themselves, booked when paid, given back when found."""

from __future__ import annotations

import pytest

from domain.errors import Conflict, InvalidInput, Refused
from domain.money import Money
from tests.scenarios.test_lost_then_back import books, costed, lose, lost, placed, two
from tests.support.shop import Shop


def euros(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


async def test_a_lost_parcel_is_claimed_paid_and_given_back_when_it_turns_up(shop: Shop) -> None:
    await costed(shop, 2)
    order = two()
    parcel = await lost(shop, order)
    await shop.result(order.order_id)
    (due,) = await shop.carrier_claims.list(state="due")
    assert due.fulfilment_id == parcel
    assert due.file_by is not None
    assert round((due.file_by - due.since).total_seconds() / 86400) == 30
    await shop.carrier_claims.set_term("sandbox", 60)
    (task,) = await shop.needs_attention.tasks()
    assert (task.kind, task.name) == ("carrier_claim", parcel)
    assert task.due is not None
    assert task.due > due.file_by
    with pytest.raises(Refused) as early:
        await shop.carrier_claims.answer(parcel, "paid", who="ann")
    assert early.value.reason == "not_filed"
    with pytest.raises(InvalidInput, match="EUR"):
        await shop.carrier_claims.file(parcel, Money(minor=9, currency="USD"), who="ann")
    for _ in range(2):  # a repeat changes nothing
        await shop.carrier_claims.file(parcel, euros(2000), reference="CL-7", who="ann")
    with pytest.raises(Conflict):
        await shop.carrier_claims.file(parcel, euros(1000), reference="CL-7", who="ann")
    assert await books(shop, "carrier_claims") == 0
    with pytest.raises(Refused, match="from nothing to"):
        await shop.carrier_claims.answer(parcel, "paid", paid=euros(2001), who="ann")
    for _ in range(2):
        await shop.carrier_claims.answer(parcel, "paid", paid=euros(1500), note="x", who="ann")
    assert await books(shop, "carrier_claims") == 1500
    assert await books(shop, "carrier_compensation") == -1500
    assert not await shop.needs_attention.tasks()
    await shop.scan(parcel, "return_to_sender")
    await shop.warehouse.receive_return(f"{order.order_id}:R1", who="kim")
    assert [each.kind for each in await shop.needs_attention.tasks()] == ["carrier_claim"]
    for _ in range(2):
        await shop.carrier_claims.turned_up(parcel, "given_back", "set off", who="ann")
    assert await books(shop, "carrier_claims") == 0
    assert (await books(shop, "inventory"), await books(shop, "cost_of_goods_sold")) == (800, 0)
    assert not await shop.needs_attention.tasks()
    await shop.settled()


async def test_what_is_refused_or_dropped_books_nothing(shop: Shop) -> None:
    await costed(shop, 4)
    parcels = [await placed(shop, two()) for _ in range(2)]  # or a replacement takes the last ones
    for parcel in parcels:
        await lose(shop, parcel)
    await shop.carrier_claims.file(parcels[0], euros(2000), who="ann")
    answer = await shop.carrier_claims.answer(parcels[0], "refused", note="badly packed", who="ann")
    assert (answer.state, answer.paid_minor) == ("refused", 0)
    assert (await shop.carrier_claims.drop(parcels[1], "too little", who="ann")).state == "dropped"
    assert await books(shop, "carrier_claims") == 0
    assert not await shop.carrier_claims.list(state="due")
    with pytest.raises(Refused) as none:
        await shop.carrier_claims.turned_up(parcels[0], "kept", "x", who="ann")
    assert none.value.reason == "not_paid"
    await shop.settled()
