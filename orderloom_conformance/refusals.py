"""How a contract looks at refusals."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from activities.provider_errors import DeclineCode, Declined


async def refusal(call: Awaitable[object]) -> DeclineCode:
    """The code with which the call is declined."""
    with pytest.raises(Declined) as refused:
        await call
    return refused.value.code
