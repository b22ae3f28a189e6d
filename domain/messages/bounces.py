"""Reads a mail that says what became of another one: a delivery status notification, RFC 3464."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Final

from domain.errors import InvalidInput
from domain.messages.mail import one_line, without_address

BYTES_MAX: Final = 10_000_000

_ID: Final = re.compile(r"<[^<>\s]{1,200}>")
# The mail is at fault, or the mailbox is full: another mail may be taken.
_OF_THE_MAIL: Final = ("5.2.2", "5.2.3", "5.3.4", "5.5.", "5.6.", "5.7.")


@dataclass(frozen=True)
class BounceReport:
    """What became of a mail. `mail_ids`: ids that it names, the likeliest first.

    `final`: it will not be delivered. `of_address`: no mail will be.
    """

    mail_ids: tuple[str, ...]
    final: bool
    of_address: bool
    status: str
    said: str


def read_bounce(content: bytes) -> BounceReport:
    """Read a mail that came back. Raises InvalidInput for any other mail."""
    if len(content) > BYTES_MAX:
        raise InvalidInput(f"is longer than {BYTES_MAX:,} bytes", where="mail")
    mail = message_from_bytes(content)
    fields = [one for part in _parts(mail, "message/delivery-status") for one in _blocks(part)]
    recipients = [one for one in fields if one.get("Action")]
    if not recipients:
        raise InvalidInput(
            "is no delivery status (RFC 3464): it has no part message/delivery-status with an "
            "Action",
            where="mail",
        )
    ids = tuple(dict.fromkeys(_ids(mail)))
    if not ids:
        raise InvalidInput("does not name the mail that it is about", where="mail")
    one = next((x for x in recipients if _text(x, "Action").lower() == "failed"), recipients[0])
    status = _text(one, "Status").split(" ")[0][:20]
    address = _text(one, "Final-Recipient").rpartition(";")[2].strip()
    final = _text(one, "Action").lower() == "failed"
    said = _text(one, "Diagnostic-Code").partition(";")[2] or _text(one, "Action")
    return BounceReport(
        mail_ids=ids,
        final=final,
        of_address=final and status.startswith("5.") and not status.startswith(_OF_THE_MAIL),
        status=status,
        said=f"{status} {without_address(said.strip(), address)}".strip(),
    )


def _parts(mail: Message, kind: str) -> Iterator[Message]:
    return (part for part in mail.walk() if part.get_content_type() == kind)


def _blocks(part: Message) -> list[Message]:
    found = part.get_payload()
    return [one for one in found if isinstance(one, Message)] if isinstance(found, list) else []


def _ids(mail: Message) -> Iterator[str]:
    for part in mail.walk():
        if part is not mail and part["Message-ID"]:
            yield from _ID.findall(_text(part, "Message-ID"))
        elif part.get_content_type() == "text/rfc822-headers":
            told = part.get_payload(decode=True)
            text = told.decode("utf-8", errors="replace") if isinstance(told, bytes) else ""
            yield from re.findall(r"(?im)^message-id:\s*(<[^<>\s]{1,200}>)", text)
    for name in ("In-Reply-To", "References"):
        yield from _ID.findall(_text(mail, name))


def _text(part: Message, name: str) -> str:
    return one_line(str(part.get(name, "")))
