"""Messages that carriers send by themselves: how they are signed, and which scans they tell.

Two shapes. A company that is called `easypost` is read as EasyPost; every other one sends the
generic shape, which docs/carriers.md describes. A name may be followed by an account: `dhl:uk`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from domain import standard_webhooks
from domain.errors import InvalidInput
from domain.fields import Document, Instant, Note, Printable
from domain.fulfilment import easypost
from domain.fulfilment.tracking import SCANS_MAX, CarrierStatus

_LOCAL: Final = timedelta(hours=13)
"""So far local times are behind UTC in the west, and an hour for two clocks."""

_ID: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


class Scan(Document):
    """One scan of a parcel, in the generic shape.

    `carrier`: as the labels name it; left out: the one that sent the message. `event_id`: the
    carrier's own id of the scan. `detail`: in the carrier's words.
    """

    carrier: Printable | None = None
    tracking_number: Printable
    event_id: Printable
    status: CarrierStatus
    happened_at: Instant
    detail: Note = ""


class Scans(Document):
    """A message in the generic shape. Each of its scans is read by itself."""

    scans: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=SCANS_MAX)]


@dataclass(frozen=True)
class Told:
    """What a message tells. `faults`: what of it cannot be read, one sentence each.

    `may_be_local`: its times may be local ones that are written as UTC.
    """

    scans: Sequence[Scan] = ()
    faults: Sequence[str] = ()
    may_be_local: bool = False

    def happened_at(self, scan: Scan, labelled_at: datetime) -> datetime:
        """When a scan was, of a parcel that got its number then.

        A local time in the west seems to be from before the label, as that of an earlier parcel is.
        """
        if self.may_be_local and labelled_at - _LOCAL <= scan.happened_at < labelled_at:
            return labelled_at
        return scan.happened_at


def company_of(sender: str) -> str:
    """`dhl` of `dhl:uk`."""
    return sender.partition(":")[0]


def is_easypost(sender: str) -> bool:
    """Whether it sends messages as EasyPost does."""
    return company_of(sender) == easypost.NAME


def verify(
    sender: str,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: datetime,
) -> str:
    """The message's id, by which it is known when it comes again.

    `headers`: their names in small letters. Raises InvalidInput unless it was signed with one of
    the secrets.
    """
    if is_easypost(sender):
        easypost.verify(headers, body, secrets, now=now)
        return _own_id(body)
    return standard_webhooks.verify(headers, body, secrets, now=now).message_id


def read(sender: str, body: bytes) -> Told:
    """What a message tells; no scans: nothing is read of this kind. Raises InvalidInput."""
    content = _content(body)
    told: Sequence[Mapping[str, Any]]
    if is_easypost(sender):
        told = easypost.scans_of(content)
    else:
        try:
            told = Scans.model_validate(content).scans
        except ValidationError as error:
            raise InvalidInput("; ".join(_reasons("", error)), where="body") from None
    scans, faults = [], list[str]()
    for number, one in enumerate(told):
        try:
            scans.append(Scan.model_validate(one))
        except ValidationError as error:
            faults += _reasons(f"scans[{number}].", error)
    # In the sequence in which they happened: a status only moves forward.
    scans.sort(key=lambda scan: scan.happened_at)
    return Told(scans, faults, may_be_local=is_easypost(sender))


def _reasons(place: str, error: ValidationError) -> list[str]:
    """What is wrong, by its field. The content is not repeated."""
    return [
        f"{place}{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors()
    ]


def _own_id(body: bytes) -> str:
    """The event's id, which all of its repeats have; of what has none, its digest."""
    try:
        content = _content(body)
    except InvalidInput:
        content = {}
    match content:
        case {"id": str() as given} if _ID.fullmatch(given):
            return given
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise InvalidInput("is not JSON, or was cut off on its way", where="body") from None
    if not isinstance(content, dict):
        raise InvalidInput("must be a JSON object", where="body")
    return content
