"""Rules hold orders in the transaction that takes them in, and a plain order pays nothing."""

from __future__ import annotations

from typing import Any

from activities.orders.address_checks import AddressChecks
from domain.orders.hold_rules import HoldRule, ListEntries
from domain.orders.order import Order
from domain.orders.people import Address
from domain.orders.policy import Policy
from starter.service.taking_in import Asked, TakingIn
from store.database import Pool
from store.orders import hold_rules, holds
from tests.support.builders import an_order


def rule(name: str, when: dict[str, Any], **fields: Any) -> HoldRule:
    return HoldRule.model_validate(
        {"rule": name, "when": when, "reason": "fraud_review", "owner": "risk", **fields}
    )


async def save(pool: Pool, *rules: HoldRule) -> None:
    async with pool.acquire() as conn:
        await hold_rules.save(conn, rules, who="test")


async def held(pool: Pool, order: Order) -> list[tuple[str, str | None, str]]:
    async with pool.acquire() as conn:
        found = await holds.standing(conn, order.order_id)
    return [(one.hold_id, one.rule, one.note) for one in found]


def by(customer: str, **fields: Any) -> Order:
    return an_order(("TEA", 1), customer={"id": customer, "name": "Kim", **fields})


async def test_a_rule_holds_from_when_it_is_set_until_it_is_taken_away(pool: Pool) -> None:
    intake = TakingIn(pool, Policy())
    before, after, later = (an_order(("TEA", 1, "90.00")) for _ in range(3))
    await intake.take_in(Asked(before))
    large = rule("large", {"amount_over": {"amount": "50.00", "currency": "USD"}}, ends_after="P1D")
    await save(pool, large)
    await intake.take_in(Asked(after))
    assert await held(pool, before) == []
    assert await held(pool, after) == [("H1", "large", "more than 50.00 USD")]
    ask = "select state from customer_order where order_id = $1"
    assert await pool.fetchval(ask, after.order_id) == "held"
    assert (await intake.take_in(Asked(after))).new is False
    assert len(await held(pool, after)) == 1, "a repeat holds nothing anew"
    async with pool.acquire() as conn:
        await hold_rules.remove(conn, "large")
    await intake.take_in(Asked(later))
    assert await held(pool, later) == []


async def test_orders_of_one_customer_are_counted_by_id_or_mail_address(pool: Pool) -> None:
    await save(pool, rule("many", {"orders_within": {"more_than": 2, "within": "PT1H"}}))
    intake = TakingIn(pool, Policy())
    mine = [by(f"C-{n}", email="Kim@example.com") for n in range(4)]
    for order in mine:
        await intake.take_in(Asked(order))
    await intake.take_in(Asked(by("C-9")))
    assert [bool(await held(pool, order)) for order in mine] == [False, False, True, True]


async def test_who_is_on_a_list_is_held_by_every_rule_that_names_it(pool: Pool) -> None:
    entries = ListEntries(kind="email", values=("Mallory@Example.com",))
    async with pool.acquire() as conn:
        assert await hold_rules.list_add(conn, "blocked", entries, who="test") == 1
        assert await hold_rules.list_add(conn, "blocked", entries, who="test") == 0
    first = rule("first", {"first_order": True})
    await save(pool, first, rule("blocked", {"listed": "blocked"}), rule("vip", {"listed": "vip"}))
    intake = TakingIn(pool, Policy())
    mallory = by("C-1", email="mallory@example.com")
    await intake.take_in(Asked(mallory))
    assert [(x, name) for x, name, _ in await held(pool, mallory)] == [
        ("H1", "blocked"),
        ("H2", "first"),
    ]
    kept = await pool.fetchval("select string_agg(l::text, '') from hold_listing l")
    assert "mallory" not in kept.lower()
    async with pool.acquire() as conn:
        assert await hold_rules.list_remove(conn, "blocked", entries) == 1
    again = by("C-1", email="mallory@example.com")
    await intake.take_in(Asked(again))
    assert await held(pool, again) == []


async def test_a_rule_that_cannot_be_read_holds_orders_for_a_person(pool: Pool) -> None:
    await pool.execute(
        """insert into hold_rule (rule, document, changed_by) values ('newer', '{"mood": 1}', '')"""
    )
    order = an_order(("TEA", 1))
    assert (await TakingIn(pool, Policy()).take_in(Asked(order))).new
    ((_, name, note),) = await held(pool, order)
    assert (name, "cannot be read" in note) == ("newer", True)


class SlowCheck:
    """Finds fault with one city. While it looks at the first address, somebody changes it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.looked: list[str] = []

    async def check(self, address: Address) -> str | None:
        self.looked.append(address.city)
        await self._pool.execute(
            """update order_person set person = jsonb_set(person, '{address,city}', '"Nowhere"')"""
        )
        return "there is no such city" if address.city == "Nowhere" else None


async def test_an_address_that_is_changed_while_it_is_checked_is_checked_anew(pool: Pool) -> None:
    await save(pool, rule("address", {"address_refused": True}))
    order = an_order(("TEA", 1))
    await TakingIn(pool, Policy()).take_in(Asked(order))
    check = SlowCheck(pool)
    duty = AddressChecks(pool, check)
    await duty.look()
    assert len(await held(pool, order)) == 1, "what was found is about an address that is gone"
    await duty.look()
    ((_, _, note),) = await held(pool, order)
    assert note == "there is no such city"
    assert len(check.looked) == 2
