"""The rules of returns, and what they need to know about a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.aftersales.return_rules import (
    Asked,
    AskedLine,
    Record,
    ReturnRule,
    ReturnTerms,
    terms_for,
    window_ends,
)
from domain.errors import InvalidInput, Refused
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.quantities import LineUnits
from domain.orders.return_messages import ReturnReason
from domain.stored import stored
from store.database import Connection, load_queries
from store.orders import hold_rules

_sql = load_queries(__file__)


async def find(conn: Connection) -> list[ReturnRule]:
    """All rules, the least exact ones first."""
    return [_rule(row) async for row in _sql.list_rules(conn)]


async def save(conn: Connection, rules: Sequence[ReturnRule]) -> None:
    """Let these be all rules. Raises InvalidInput for an unknown seller or channel, and for two
    rules of the same sales.
    """
    scopes = [rule.scope for rule in rules]
    for number, rule in enumerate(rules):
        if rule.scope in scopes[:number]:
            raise InvalidInput(
                "an earlier rule is for the same seller, channel and category",
                where=f"rules[{number}]",
            )
    async with conn.transaction():
        await _sql.begin_to_replace(conn)
        unknown = await _sql.unknown_scopes(
            conn,
            sellers=[rule.seller for rule in rules],
            channels=[rule.channel for rule in rules],
        )
        if unknown is not None:
            raise InvalidInput(
                f"there is no {unknown['kind']} {unknown['code']}",
                where=f"rules[{unknown['number'] - 1}].{unknown['kind']}",
            )
        await _sql.replace_rules(conn)
        await _sql.add_rules(
            conn,
            sellers=[rule.seller for rule in rules],
            channels=[rule.channel for rule in rules],
            categories=[rule.category for rule in rules],
            terms=[
                rule.model_dump(
                    mode="json", exclude={"seller", "channel", "category"}, exclude_none=True
                )
                for rule in rules
            ],
        )


async def asked(
    conn: Connection,
    order_id: str,
    units: LineUnits,
    reasons: Mapping[str, ReturnReason],
    *,
    late: bool,
    asked_at: datetime | None = None,
) -> Asked:
    """What is to be decided about a request to send these units back. `asked_at`: None: now.

    The caller holds the order's lock. Raises Refused where nothing was delivered.
    """
    row = await _sql.basis(conn, order_id=order_id)
    if row["delivered_at"] is None:
        raise Refused(
            "nothing has been delivered yet; cancel what is not wanted",
            reason="not_delivered",
            instead=("cancel_order",),
        )
    terms = {line_id: _terms(row, line_id) for line_id in units}
    record = Record(delivered=0, returned=0)
    if any(each.review_share_percent is not None for each in terms.values()):
        found = await _sql.record_of(conn, order_id=order_id)
        record = Record(delivered=found["delivered"], returned=found["returned"])
    lists: frozenset[str] = frozenset()
    if any(each.review_listed or each.trusted_list for each in terms.values()):
        document = await _sql.document(conn, order_id=order_id)
        lists = await hold_rules.lists_of(conn, stored(Order, document))
    return Asked(
        lines=[
            AskedLine(
                line_id=line_id,
                quantity=count,
                reason=reasons.get(line_id, "other"),
                worth_minor=_worth(row["lines"][line_id], count),
                terms=terms[line_id],
            )
            for line_id, count in units.items()
        ],
        currency=row["currency"],
        asked_at=asked_at or row["now"],
        delivered_at=row["delivered_at"],
        usual_window=Policy.model_validate(row["policy"]).return_window,
        record=record,
        late=late,
        lists=lists,
    )


async def terms_of(conn: Connection, order_id: str) -> dict[str, ReturnTerms]:
    """Line id → its terms by now. The order is on record."""
    row = await _sql.basis(conn, order_id=order_id)
    return {line_id: _terms(row, line_id) for line_id in row["lines"]}


class Windows(NamedTuple):
    """When no more units of an order can be sent back, and no more claims be made, but late ones.

    None: nothing was delivered, or nothing that could be sent back is with the customer.
    """

    returns: datetime | None = None
    claims: datetime | None = None


async def windows_of(conn: Connection, order_id: str) -> Windows:
    """Both of an order."""
    row = await _sql.basis(conn, order_id=order_id)
    if row is None or row["delivered_at"] is None:
        return Windows()
    policy, delivered_at = Policy.model_validate(row["policy"]), row["delivered_at"]
    terms = [_terms(row, k) for k, line in row["lines"].items() if line["returnable"] > 0]
    return Windows(
        window_ends(terms, delivered_at, policy.return_window) if terms else None,
        delivered_at + policy.claims.within,
    )


async def window_of(conn: Connection, order_id: str) -> datetime | None:
    """When nothing of an order can be sent back any more; None where nothing is with the customer
    that could be.
    """
    return (await windows_of(conn, order_id)).returns


def _terms(row: Mapping[str, Any], line_id: str) -> ReturnTerms:
    return terms_for(
        [_rule(rule) for rule in row["rules"]],
        seller=row["seller"],
        channel=row["channel"],
        category=row["lines"][line_id]["category"],
    )


def _rule(row: Mapping[str, Any]) -> ReturnRule:
    scope = {name: row[name] for name in ("seller", "channel", "category")}
    return ReturnRule.model_validate({**row["terms"], **scope})


def _worth(line: Mapping[str, int], units: int) -> int:
    return line["worth"] * units // line["ordered"]
