"""All that can be done with an order on a page of its own."""

from __future__ import annotations

from typing import Final

from starter.web.desk.acts.acting import Act
from starter.web.desk.acts.cancelling import CANCEL
from starter.web.desk.acts.holding import EXTEND, HOLD, REJECT, RELEASE
from starter.web.desk.acts.steps import RESOLVE

ACTS: Final[tuple[Act, ...]] = (CANCEL, HOLD, RELEASE, EXTEND, REJECT, RESOLVE)
