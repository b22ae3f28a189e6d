"""What must be true of customers."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_OF: Final = (
    Check("order_has_its_customer", "customers", "{order_id}", "{what}"),
    Check("customer_has_an_order", "customers", "{customer}", "is known, and has no order"),
    Check(
        "merge_is_on_record",
        "customers",
        "{customer}",
        "is merged into {kept}, but its merges say {said}",
    ),
    Check(
        "merged_into_one_who_stands_alone",
        "customers",
        "{customer}",
        "is merged into {other}, who is {what}",
    ),
    Check(
        "erased_customer_is_forgotten",
        "customers",
        "{customer}",
        "is erased, but has {rows} {what}",
    ),
    Check(
        "erased_person_has_no_answers",
        "customers",
        "{order_id}",
        "its person is erased, but {answers} answers of mail servers are kept",
    ),
)

CHECKS: Final = Checks(_sql, _OF)
