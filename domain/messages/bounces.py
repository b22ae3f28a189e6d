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
# The mail is at fault, or who sends it, or the mailbox is full: another mail may be taken.
_OF_THE_MAIL: Final = ("5.1.7", "5.1.8", "5.2.2", "5.2.3", "5.3.", "5.5.", "5.6.", "5.7.")
_STATUS: Final = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
# Replies to a recipient that say nothing of the mailbox: a full one, and commands out of place.
_OTHER_REPLIES: Final = (500, 501, 502, 503, 504, 521, 552, 554, 555)


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
    try:
        mail = message_from_bytes(content)
        fields = [one for part in _parts(mail, "message/delivery-status") for one in _blocks(part)]
    except RecursionError:
        raise InvalidInput("has parts in parts without end", where="mail") from None
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


def is_of_address(code: int, said: str) -> bool:
    """Whether a server's answer to a recipient means that no mail is delivered there.

    By its enhanced status (RFC 3463) where it has one. A server that takes no mails of ours, such
    as one that has us on a list, says nothing of the recipient.
    """
    status = _STATUS.search(said)
    if status is not None:
        return not status[0].startswith(_OF_THE_MAIL)
    return code not in _OTHER_REPLIES


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
