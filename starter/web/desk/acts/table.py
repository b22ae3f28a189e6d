"""All that can be done with an order on a page of its own."""

from __future__ import annotations

from typing import Final

from starter.web.desk.acts.acting import Act
from starter.web.desk.acts.cancelling import CANCEL
from starter.web.desk.acts.claiming import CLAIM, DECIDE_CLAIM
from starter.web.desk.acts.editing import EDIT
from starter.web.desk.acts.exchanging import EXCHANGE
from starter.web.desk.acts.holding import EXTEND, HOLD, REJECT, RELEASE
from starter.web.desk.acts.meeting import APPOINTMENT
from starter.web.desk.acts.paying import CHARGE, PAY
from starter.web.desk.acts.refunding import APPROVE, GOODWILL, PRICE_MATCH, REFUND
from starter.web.desk.acts.returning import CANCEL_RETURN, DECIDE_RETURN, RETURN
from starter.web.desk.acts.steps import RESOLVE
from starter.web.desk.acts.stopping import INTERCEPT, SEND_ANEW

ACTS: Final[tuple[Act, ...]] = (
    *(CANCEL, EDIT, HOLD, RELEASE, EXTEND, REJECT, PAY, CHARGE, INTERCEPT, SEND_ANEW),
    *(RETURN, DECIDE_RETURN, CANCEL_RETURN, EXCHANGE, CLAIM, DECIDE_CLAIM),
    *(REFUND, GOODWILL, APPROVE, PRICE_MATCH, APPOINTMENT, RESOLVE),
)
