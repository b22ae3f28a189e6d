"""The story of an order by EDI: files in folders, and nobody retypes anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from domain.edi.acknowledgements import acknowledgement, judge
from domain.edi.partners import Folders, Partner, Partners
from domain.edi.rules import GROUPS, Agreed
from domain.edi.wire import read
from domain.edi.written import interchange
from domain.orders.providers import ON_ACCOUNT
from starter.demo.stories.goods import EDI
from starter.demo.stories.stage import Stage, expect

_EXAMPLES: Final = Path(__file__).parents[3] / "examples"
_ORDER: Final = "4500000042"
"""The number of the order in `examples/order.edi`."""

_RECEIPT: Final = "997"
_DUE: Final = ("855", "856", "810")
_CONTROL: Final = 100
"""The customer's own numbers go on from here."""


async def by_edi(stage: Stage) -> str:
    """A wholesaler's order is put into a folder; what is due to it lies in another one."""
    partner, folders = await _agreed(stage)
    incoming, outgoing = Path(folders.incoming), Path(folders.outgoing)
    order = await asyncio.to_thread((_EXAMPLES / "order.edi").read_bytes)
    await asyncio.to_thread(_put, incoming, "order.edi", order)
    order_id = f"{EDI}-{_ORDER}"
    await stage.deliver(order_id, await stage.send(order_id))

    async def all_told() -> Mapping[str, bytes] | None:
        found = await asyncio.to_thread(_documents, outgoing)
        return found if {*_DUE, _RECEIPT} <= found.keys() else None

    told = await stage.until(all_told, f"997, {', '.join(_DUE)} in {outgoing}")
    for code, raw in told.items():
        faults = await stage.service.edi.check(raw)
        expect(not faults, f"{code}: {'; '.join(str(one) for one in faults)}")
    receipts = [_receipt(partner, told[code], _CONTROL + n) for n, code in enumerate(_DUE)]
    for number, receipt in enumerate(receipts):
        await asyncio.to_thread(_put, incoming, f"receipt-{number}.edi", receipt)

    async def acknowledged() -> Sequence[str] | None:
        documents = await stage.service.edi.of_order(order_id=order_id)
        done = [one.code for one in documents if one.state == "accepted"]
        return done if set(_DUE) <= set(done) else None

    await stage.until(acknowledged, f"{order_id}: {', '.join(_DUE)} are acknowledged")
    await stage.ended(order_id)
    return (
        f"850 {_ORDER} came into {_shown(incoming)}; 997, 855, 856 and 810 lie in "
        f"{_shown(outgoing)}, and are acknowledged"
    )


async def _agreed(stage: Stage) -> tuple[Partner, Folders]:
    """The example's partner, with folders of this demo, paying by invoice."""
    text = await asyncio.to_thread((_EXAMPLES / "edi-partners.json").read_text, "utf-8")
    (partner,) = Partners.model_validate(json.loads(text)).partners
    home = stage.home / "edi" / partner.partner
    folders = Folders(incoming=str(home / "in"), outgoing=str(home / "out"))
    expect(partner.provider == ON_ACCOUNT, f"{partner.partner} pays by {partner.provider}")
    partner = partner.model_copy(update={"channel": EDI, "folders": folders})
    await stage.service.edi.save([partner], by="demo")
    return partner, folders


def _put(folder: Path, name: str, content: bytes) -> None:
    """As a customer's program does it: under another name first, so that nobody reads half."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.part"
    unfinished.write_bytes(content)
    unfinished.rename(folder / name)


def _documents(folder: Path) -> dict[str, bytes]:
    """What lies in the folder, by the code of its document."""
    found = {}
    for path in sorted(folder.glob("*.edi")):
        raw = path.read_bytes()
        ((document,),) = (group.sets for group in read(raw).groups)
        found[document.code] = raw
    return found


def _receipt(partner: Partner, raw: bytes, control: int) -> bytes:
    """The customer's 997 of a document of ours."""
    them = partner.model_copy(update={"ours": partner.theirs, "theirs": partner.ours})
    (judged,) = judge(read(raw), Agreed(frozenset(GROUPS)))
    return interchange(them, _RECEIPT, control, acknowledgement(judged), at=datetime.now(UTC))


def _shown(path: Path) -> str:
    """As a person types it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
