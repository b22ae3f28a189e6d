"""What must be true of what the sandbox companies have."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_OF: Final = (
    Check(
        "provider_has_our_payments",
        "provider",
        "{order_id}",
        "{payment_key}: {kind} of {amount_minor} here, but the provider has {provider_kind} of "
        "{provider_minor} under this key and reference",
    ),
    Check(
        "provider_has_no_others",
        "provider",
        "{order_id}",
        "the provider has {kind} of {amount_minor} under {payment_key}, which is {state} here: "
        "`orderloom reconcile --day {day}`",
        passing=True,
    ),
    Check(
        "label_is_at_carrier",
        "provider",
        "{fulfilment_id}",
        "{state} with label {tracking_number}, of which the carrier has {sold}, {voided} voided",
    ),
    Check(
        "no_label_too_many",
        "provider",
        "{fulfilment_id}",
        "the carrier has {labels} labels for it that are not voided: {tracking_numbers}",
    ),
    Check(
        "recalled_label_is_voided",
        "provider",
        "{fulfilment_id}",
        "it was not sent and its order is {decision}, but the carrier still has label "
        "{tracking_number}",
        passing=True,
    ),
    Check(
        "label_is_of_the_present_way",
        "provider",
        "{fulfilment_id}",
        "its label is of the service {service}, and its order goes by {wanted}",
    ),
)

CHECKS: Final = Checks(_sql, _OF)
