"""What the demo's customers are told, as files: the mails of the day, in three languages."""

from __future__ import annotations

import asyncio
import email.policy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from rich.table import Table

from starter.cli.terminal.output import make_table
from starter.demo.customers import TookTooLong
from starter.service.messages import Messages
from store.messages.rows import MessageRow

FOLDER: Final = "mails"
LANGUAGES: Final = ("en", "de", "ko")
"""The demo's orders are shared out among them."""

_ALL: Final = 100_000
_SENT_WITHIN_S: Final = 120.0
_LOOK_S: Final = 0.5
_QUIET_LOOKS: Final = 6
"""So often in a row nothing is to be sent, before the last line of a story is taken for read."""


def settings(home: Path) -> dict[str, str]:
    """Mails become files. The orders are as old as they say; their customers hear all the same."""
    return {
        "ORDERLOOM_MAIL__URL": f"folder:{(home / FOLDER).resolve()}",
        "ORDERLOOM_MAIL__SENDER": "orders@northwind.example",
        "ORDERLOOM_MAIL__PER_MINUTE": "100000",
        "ORDERLOOM_MAIL__OLD_AFTER": "P36500D",
        "ORDERLOOM_PAGES_URL": "https://track.northwind.example",
    }


@dataclass(frozen=True)
class Mails:
    """The messages of the day, and the files that were found. `folder`: where these are."""

    messages: Sequence[MessageRow]
    mail_ids: Sequence[str]
    folder: Path

    @property
    def are_sent_once(self) -> bool:
        """Each message that was sent by mail is one file, and no file is of anything else."""
        sent = [one.mail_id for one in self.messages if (one.state, one.by) == ("sent", "mail")]
        return sorted(self.mail_ids) == sorted(str(mail_id) for mail_id in sent)

    @property
    def table(self) -> Table:
        """How many of each kind were sent, by language."""
        sent = Counter((each.kind, each.language) for each in self.messages if each.state == "sent")
        kinds = sorted({kind for kind, _ in sent})
        rows = [[kind, *(sent[kind, language] for language in LANGUAGES)] for kind in kinds]
        return make_table(["mail", *LANGUAGES], rows)


async def all_sent(messages: Messages, home: Path) -> Mails:
    """Wait until nothing is to be sent any more. Raises TookTooLong."""
    quiet = 0
    try:
        async with asyncio.timeout(_SENT_WITHIN_S):
            while quiet < _QUIET_LOOKS:
                waiting = await messages.list(states=("planned", "sending"), at_most=1)
                quiet = 0 if waiting else quiet + 1
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise TookTooLong(f"mails are not sent after {_SENT_WITHIN_S:.0f} s") from None
    folder = home / FOLDER
    mail_ids = await asyncio.to_thread(_mail_ids, folder)
    return Mails(await messages.list(at_most=_ALL), mail_ids, folder)


def _mail_ids(folder: Path) -> list[str]:
    parser = BytesParser(policy=email.policy.default)
    found = []
    for file in sorted(folder.glob("*.eml")):
        with file.open("rb") as mail:
            found.append(str(parser.parse(mail, headersonly=True)["Message-ID"]))
    return found
