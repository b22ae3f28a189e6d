"""The conformance kit, run against the example at a stand-in that can misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest
import pytest_asyncio
from orderloom_texts.sender import HttpTexts
from orderloom_texts.stand_in import REFUSED, Company, Misbehaviour, stand_in

from activities.provider_errors import TimedOut, Unavailable
from orderloom_conformance import TextsContract


@pytest_asyncio.fixture
async def company() -> AsyncIterator[Company]:
    async with stand_in() as found:
        yield found


@pytest_asyncio.fixture
async def sender(company: Company) -> AsyncIterator[HttpTexts]:
    made = HttpTexts(company.url, "secret", "TeaShop", timeout_seconds=0.3)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def another(company: Company) -> AsyncIterator[HttpTexts]:
    made = HttpTexts(company.url, "secret", "TeaShop")
    yield made
    await made.close()


class TestHttpTexts(TextsContract):
    refused = REFUSED

    @pytest.fixture
    def texts(self, sender: HttpTexts) -> HttpTexts:
        return sender

    @pytest.fixture
    def restarted(self, another: HttpTexts) -> HttpTexts:
        return another

    @pytest.fixture
    def arrived(self, company: Company) -> Callable[[], Sequence[str]]:
        return lambda: [one["text"] for one in company.sent]


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["429", "500", "401", "lost", "half", "silent"])
async def test_what_is_not_known_is_asked_again_and_sent_once(
    company: Company, sender: HttpTexts, how: Misbehaviour
) -> None:
    company.next = [how]
    with pytest.raises((Unavailable, TimedOut)):
        await sender.send(key="k", to="+491701234567", text="hello")
    assert await sender.send(key="k", to="+491701234567", text="hello") == "sent as T1"
    assert len(company.sent) == 1
    assert company.calls == ["k", "k"]
