"""Short texts to phones, in the place of mails: what an extension brings that sends them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from activities.provider_errors import DeclineCode, Declined, OutcomeUnknown, TimedOut
from domain.messages.kinds import MessageKind
from domain.messages.texts import without_number

TEXT_SECONDS_MAX: Final = 30.0


class TextSender(Protocol):
    """A company that sends texts, or chat messages that go to a phone number."""

    async def send(self, *, key: str, to: str, text: str) -> str:
        """Send a text once, however often it is asked with this key; what the company calls it.

        `to`: such as +491701234567. `key`: the same whenever the message is sent, after a crash as
        well; send it along, or look it up. `text`: one line, 320 characters at most.

        Raises Declined where the company takes no text for this number: then it goes by mail. With
        `IDEMPOTENCY_CONFLICT` the key was used for other words, and these were sent. Raises
        OutcomeUnknown for all else, 429 and a wrong login among it: it is asked again later, with
        the same key.
        """
        ...


@dataclass(frozen=True)
class Texts:
    """By which extension texts are sent, and of which kinds of messages."""

    by: str
    sender: TextSender
    kinds: Collection[MessageKind]


class TextRefused(Exception):
    """No text goes to this number. It says why, and repeats no number."""


async def hand_over(texts: Texts, key: str, to: str, text: str) -> str:
    """Have a text sent; what the company answered. Raises TextRefused and OutcomeUnknown."""
    try:
        async with asyncio.timeout(TEXT_SECONDS_MAX):
            return without_number(await texts.sender.send(key=key, to=to, text=text))
    except Declined as refusal:
        if refusal.code is DeclineCode.IDEMPOTENCY_CONFLICT:
            return "it was sent before, in the words of then"
        raise TextRefused(without_number(refusal.message)) from None
    except TimeoutError:
        raise TimedOut(f"no answer within {TEXT_SECONDS_MAX:g} s") from None
    except OutcomeUnknown as unknown:
        raise OutcomeUnknown(without_number(str(unknown))) from None
    except Exception as error:
        # Anybody's code may raise anything: nobody knows whether it was sent.
        raise OutcomeUnknown(type(error).__name__) from error
