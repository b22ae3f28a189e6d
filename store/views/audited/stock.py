"""What must be true of stock, and of the goods behind it."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_AT: Final = "{sku} at {location}"
_LINE: Final = "{order_id} line {line_id}"

_OF: Final = (
    Check("stock_is_its_movements", "stock", _AT, "{kept} {what}, but its movements say {moved}"),
    Check(
        "allocated_is_reserved",
        "stock",
        _AT,
        "{allocated} allocated, but {reserved} are reserved",
    ),
    Check(
        "soft_reserved_is_there",
        "stock",
        _AT,
        "{quantity} soft-reserved of {unallocated} not allocated",
    ),
    Check(
        "soft_reserved_is_waited_for",
        "stock",
        _LINE,
        "{quantity} soft-reserved for it, but it waits for {waits}",
    ),
    Check(
        "transfer_is_its_movements",
        "stock",
        "transfer {transfer_id}, {sku}",
        "{kept} {what}, but its movements say {moved}",
    ),
    Check(
        "goods_are_their_movements",
        "stock",
        "{part_id}, {sku}",
        "{what} changes stock by {units}, but its movements say {moved}",
    ),
    Check("stock_not_oversold", "stock", _AT, "{allocated} allocated of {on_hand} on hand"),
    Check("codes_are_stock", "stock", _AT, "{on_hand} on hand, but there are {free} codes to sell"),
    Check(
        "codes_are_given",
        "stock",
        "{fulfilment_id}",
        "{units} units of it are digital, but {given} codes were given out for it",
    ),
    Check(
        "work_is_where_its_goods_are",
        "stock",
        "{fulfilment_id}",
        "its workshop's work is {work}, but it is {state} here",
    ),
)

CHECKS: Final = Checks(_sql, _OF)
