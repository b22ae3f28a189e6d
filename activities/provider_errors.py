"""The errors of outside companies, in two branches that callers must never mix up.

    ProviderError
    ├── Declined              a firm no: this call changed nothing, and never will
    └── OutcomeUnknown        it may have happened, or not: look the key up, do not guess
        ├── Unavailable       5xx, connection refused or lost
        └── TimedOut          no answer in time

After `OutcomeUnknown` there are two right moves, both with the *same* key: look the key up, or send
the same call again. A second key for the same intent could charge twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class DeclineCode(StrEnum):
    """Why a company says no. Adapters map the company's own codes to these."""

    # The customer's bank, at authorization.
    CARD_DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    ACTION_REQUIRED = "action_required"
    # Later money calls.
    CAPTURE_REFUSED = "capture_refused"
    REFUND_REFUSED = "refund_refused"
    AMOUNT_TOO_LARGE = "amount_too_large"
    CURRENCY_MISMATCH = "currency_mismatch"
    # Carriers.
    NOT_SERVICEABLE = "not_serviceable"
    # Suppliers.
    ORDER_REFUSED = "order_refused"
    TOO_LATE = "too_late"
    # Any company.
    ALREADY_VOIDED = "already_voided"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"
    INVALID_AMOUNT = "invalid_amount"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"


class ProviderError(Exception):
    """Base of every error that a provider's adapter raises."""

    outcome_known: ClassVar[bool]


class Declined(ProviderError):
    """A firm no: the call changed nothing at the provider, and the same key gets the same answer.

    With `IDEMPOTENCY_CONFLICT` the first call with the key stands as it was; only this call, whose
    content differs, changed nothing.
    """

    outcome_known = True

    def __init__(self, code: DeclineCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.charged = 0
        """Minor units that other tenders had paid for the step before this refusal."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class OutcomeUnknown(ProviderError):
    """The call may or may not have taken effect; only the provider can tell, by its key."""

    outcome_known = False


class Unavailable(OutcomeUnknown):
    """The provider answered 5xx, or the connection was refused or lost."""


class TimedOut(OutcomeUnknown):
    """The provider did not answer in time."""
