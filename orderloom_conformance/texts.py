"""The contract of what sends short texts: `activities.messages.texts.TextSender`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest

from activities.messages.texts import TextSender
from activities.provider_errors import DeclineCode
from orderloom_conformance.refusals import refusal

AT_ONCE = 5


@pytest.mark.asyncio
class TextsContract:
    """Derive from it, and give it the fixtures `texts` and `arrived`.

    `restarted` is the same as another worker has it. Keys are new in each test.
    """

    to: ClassVar[str] = "+491701234567"
    """A number that takes texts."""
    refused: ClassVar[str | None] = None
    """A number that takes none; None: there is none to try."""

    @pytest.fixture
    def texts(self) -> TextSender:
        """What sends texts."""
        raise NotImplementedError("give your class the fixture `texts`")

    @pytest.fixture
    def restarted(self, texts: TextSender) -> TextSender:
        """The same as another worker has it."""
        return texts

    @pytest.fixture
    def arrived(self) -> Callable[[], Sequence[str]]:
        """The texts that came to phones, by the company's test server."""
        raise NotImplementedError("give your class the fixture `arrived`")

    @pytest.fixture
    def key(self) -> str:
        """A key that was never used."""
        return uuid.uuid4().hex

    async def test_a_text_is_sent_once_however_often_and_from_wherever_it_comes(
        self,
        texts: TextSender,
        restarted: TextSender,
        arrived: Callable[[], Sequence[str]],
        key: str,
    ) -> None:
        """At the same time as well."""
        calls = [one.send(key=key, to=self.to, text="안녕") for one in (texts, restarted) * AT_ONCE]
        assert len(set(await asyncio.gather(*calls))) == 1
        assert [*arrived()] == ["안녕"]

    async def test_another_key_is_another_text(
        self, texts: TextSender, arrived: Callable[[], Sequence[str]], key: str
    ) -> None:
        """Also with the same words to the same number."""
        await texts.send(key=key, to=self.to, text="hello")
        await texts.send(key=f"{key}-2", to=self.to, text="hello")
        assert [*arrived()] == ["hello"] * 2

    async def test_a_key_that_comes_with_other_words_sends_nothing_more(
        self, texts: TextSender, arrived: Callable[[], Sequence[str]], key: str
    ) -> None:
        """The first words stand: a message that changed between two attempts is one message."""
        await texts.send(key=key, to=self.to, text="Monday")
        conflict = await refusal(texts.send(key=key, to=self.to, text="Tuesday"))
        assert conflict is DeclineCode.IDEMPOTENCY_CONFLICT
        assert [*arrived()] == ["Monday"]

    async def test_a_number_that_takes_none_is_refused_each_time(
        self,
        texts: TextSender,
        restarted: TextSender,
        arrived: Callable[[], Sequence[str]],
        key: str,
    ) -> None:
        """So that the message goes by mail."""
        if self.refused is None:
            pytest.skip("there is no number to try")
        for one in (texts, restarted):
            await refusal(one.send(key=key, to=self.refused, text="hello"))
        assert [*arrived()] == []
