"""A message as a mail: its bytes, and the addresses on it.

A line break in a name or a subject could begin a header of somebody else's, and a text with a comma
could name further recipients: neither gets into a mail.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, NamedTuple

from domain.errors import InvalidInput
from domain.looks import Picture
from domain.messages.rendering import LOGO, Rendered

_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_HOST: Final = re.compile(r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+")
_ID_DIGITS: Final = 32
_WIRE: Final = SMTP.clone(cte_type="7bit")
"""Letters of other alphabets are encoded: not every server on the way takes them as they are."""


def address_of(text: str, name: str = "") -> Address:
    """One mailbox, with its domain as the net writes it (bücher.example is xn--bcher-kva.example).

    Raises InvalidInput for anything else, a list of addresses among it.
    """
    local, at, domain = text.strip().partition("@")
    try:
        host = domain.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local) or not _HOST.fullmatch(host):
        raise InvalidInput("is not the address of one mailbox", where="mail address")
    return Address(one_line(name), local, host)


def one_line(text: str) -> str:
    """The text without line breaks and other signs that nobody sees."""
    return " ".join("".join(x if x.isprintable() else " " for x in text).split())


def message_key(secret: bytes, order_no: int, event_id: int, round_: int) -> str:
    """What a message is known by: the same whenever it is made, and nobody can guess it.

    `round_`: how often somebody has asked to send it once more. That is another one.
    """
    about = f"{order_no}:{event_id}:{round_}".encode()
    return hmac.digest(secret, about, "sha256").hex()[:_ID_DIGITS]


def message_id(secret: bytes, order_no: int, event_id: int, round_: int, sender: Address) -> str:
    """The Message-ID of a mail, with the message's key."""
    return f"<{message_key(secret, order_no, event_id, round_)}@{sender.domain}>"


class Attachment(NamedTuple):
    """A PDF that a mail brings."""

    name: str
    content: bytes


def attachment(number: str, content: bytes) -> Attachment:
    """A document's PDF, under a name that every machine can keep."""
    return Attachment(f"{re.sub(r'[^A-Za-z0-9._-]+', '-', number).strip('.-')}.pdf", content)


def mail_of(
    rendered: Rendered,
    *,
    sender: Address,
    to: Address,
    mail_id: str,
    at: datetime,
    reply_to: Address | None = None,
    logo: Picture | None = None,
    attached: Attachment | None = None,
) -> bytes:
    """The whole mail. Programs that answer mails by themselves are asked not to."""
    mail = EmailMessage(policy=_WIRE)
    mail["From"] = sender
    mail["To"] = to
    if reply_to is not None:
        mail["Reply-To"] = reply_to
    mail["Subject"] = one_line(rendered.subject)
    mail["Date"] = at
    mail["Message-ID"] = mail_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    html = mail.get_body(("html",))
    if logo is not None and html is not None:
        main, _, sub = logo.media_type.partition("/")
        cid = f"<{LOGO.removeprefix('cid:')}>"
        html.add_related(logo.content, maintype=main, subtype=sub, cid=cid, disposition="inline")
    if attached is not None:
        mail.add_attachment(
            attached.content, maintype="application", subtype="pdf", filename=attached.name
        )
    return mail.as_bytes()


def without_address(said: str, address: str) -> str:
    """What a server answered, without the recipient: answers are kept longer than addresses."""
    local = re.escape(address.partition("@")[0])
    hidden = re.sub(r"[^\s<>\"']+@[^\s<>\"']+", "(address)", said)
    hidden = re.sub(rf"\b{local}\b", "(address)", hidden, flags=re.IGNORECASE) if local else hidden
    return one_line(hidden)[:300]
