"""How an activity fails: with a stable type that the workflow can tell apart.

A refusal by a rule is final and is not retried. Every other failure (the database is away, a
provider does not answer) is retried until the step's time is over.
"""

from __future__ import annotations

from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from activities.provider_errors import DeclineCode, Declined, OutcomeUnknown
from domain.errors import OrderloomError, UnknownCurrency, Unreachable

DECLINED = "declined"
ACTION_REQUIRED = "action_required"
OUTCOME_UNKNOWN = "outcome_unknown"

# A firm no is part of business: the order's story tells it, and the log shows no fault.
BENIGN = ApplicationErrorCategory.BENIGN


class FailureTypes(Interceptor):
    """Turns the errors of Orderloom and its providers into application errors with stable types."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _FailureTypes(next)


class _FailureTypes(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await self.next.execute_activity(input)
        except Declined as error:
            # `action_required`: the customer can continue. The other codes: these means of payment
            # cannot.
            asks_customer = error.code == DeclineCode.ACTION_REQUIRED
            raise ApplicationError(
                error.message,
                {"code": error.code, "charged": error.charged},
                type=ACTION_REQUIRED if asks_customer else DECLINED,
                non_retryable=True,
                category=BENIGN,
            ) from error
        except OutcomeUnknown as error:
            raise ApplicationError(str(error), type=OUTCOME_UNKNOWN) from error
        except UnknownCurrency as error:
            # Another process has written in it. The next connection learns of it.
            raise ApplicationError(str(error), type=error.kind) from error
        except Unreachable as error:
            raise ApplicationError(str(error), type=error.kind) from error
        except OrderloomError as error:
            raise ApplicationError(
                str(error),
                {"reason": error.reason, "instead": list(error.instead)},
                type=error.kind,
                non_retryable=True,
                category=BENIGN,
            ) from error
