"""Who is meant by what somebody writes for a customer, where a channel's own id is kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.customers.ids import customer_id
from domain.errors import Refused
from store.customers import people
from store.customers.people import Called
from store.database import Connection


async def called(
    conn: Connection, customer: str, *, sellers: Collection[str] | None = None
) -> Sequence[Called]:
    """What channels call the customer whom an id, ours or theirs, or a mail address names.

    What was written is the first if a channel calls them so, then what they were called last.
    None: nobody with an order is known by it. `sellers`: by orders of these alone. Raises Refused
    (`several_customers`) where it names several.
    """
    found = await people.called(conn, customer, sellers=sellers)
    if not found:
        return ()
    known = await people.namesake(conn, customer)
    numbers = {one.customer_no for one in found}
    if found[0].customer_id == customer and known.namesake is None:
        numbers = {found[0].customer_no}
    if len(numbers) > 1:
        named = ", ".join(customer_id(number) for number in sorted(numbers))
        raise Refused(f"{customer!r} names several customers: {named}", reason="several_customers")
    return [one for one in found if one.customer_no in numbers]


async def kept_as(
    conn: Connection, customer: str, *, sellers: Collection[str] | None = None
) -> str:
    """The channel's id under which money is kept for a customer who is named in any way.

    An id that nobody is known by stays what it is: it may be of one who has not ordered yet, such
    as a customer of the shop's old system.
    """
    found = await called(conn, customer, sellers=sellers)
    return found[0].customer_id if found else customer
