"""A label's files are kept with it, can be printed again, and go some time after the parcel."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from activities.fulfilment.carrier import Carrier, Label
from activities.fulfilment.carriers import Carriers
from activities.fulfilment.fulfilments import Fulfilments
from activities.fulfilment.labels import LabelFiles
from activities.provider_errors import Unavailable
from activities.warehouse.till import Till
from domain.errors import InvalidInput, NotFound, Refused
from domain.fulfilment.label_files import FILE_BYTES_MAX, LabelFile
from starter.service.labels import Labels
from store.database import Pool
from store.payments import cover
from tests.support.bench import Bench, NoWorkshops, a_part
from tests.support.builders import an_order, shipping
from tests.support.printed import pages

PDF = LabelFile(media_type="application/pdf", content=b"%PDF-1.4 a label")
ZPL = LabelFile(media_type="application/zpl", content=b"^XA^XZ")


class Printer:
    """A carrier whose labels have these files. It forgets nothing, and counts what it sells."""

    def __init__(self, *files: LabelFile) -> None:
        self.files = files
        self.sold: dict[str, Label] = {}
        self.voided: list[str] = []

    async def buy_label(self, *, key: str, service: str, **_: Any) -> Label:
        number = f"P{len(self.sold) + 1}"
        made = Label(
            carrier="printer",
            tracking_number=number,
            service=service,
            voided=False,
            files=self.files,
        )
        return self.sold.setdefault(key, made)

    async def void_label(self, *, key: str, tracking_number: str) -> None:
        self.voided.append(tracking_number)

    async def lookup(self, *, key: str) -> Label | None:
        return self.sold.get(key)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


def with_carriers(
    bench: Bench, carriers: Mapping[str, Carrier], usual: str, **by_service: str
) -> None:
    chosen = Carriers(carriers, usual, by_service)
    bench.fulfilment = Fulfilments(
        *(bench.pool, chosen, cover.cover_of, Till(bench.pool), NoWorkshops())
    )


async def test_a_label_of_the_sandbox_is_kept_as_a_pdf_with_its_digest(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 1)), "labelled")
    label = await Labels(bench.pool).of(part)
    (file,) = label.files
    assert file.media_type == "application/pdf"
    assert file.digest == hashlib.sha256(file.content).hexdigest()
    (page,) = pages(file.content)
    assert label.tracking_number is not None
    assert label.tracking_number in page
    assert part in page


async def test_every_format_is_kept_and_what_is_too_large_is_told_and_costs_no_label(
    bench: Bench,
) -> None:
    large = LabelFile(media_type="image/png", content=b"x" * (FILE_BYTES_MAX + 1))
    printer = Printer(ZPL, PDF, large)
    with_carriers(bench, {"printer": printer}, "printer")
    order = an_order(("TEA", 1))
    part = await bench.at(order, "labelled")
    label = await Labels(bench.pool).of(part)
    assert [(file.format, file.content) for file in label.files] == [
        ("pdf", PDF.content),
        ("zpl", ZPL.content),
    ]
    assert label.state == "bought"
    why = await bench.count(
        "select count(*) from order_event where what = 'label bought' and why like 'png file not%'"
    )
    assert why == 1


async def test_a_worker_that_died_with_the_label_gets_the_file_by_the_key_and_buys_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    printer = Printer(PDF)
    with_carriers(bench, {"printer": printer}, "printer")
    part = await bench.at(an_order(("TEA", 1)), "packed")

    async def die(*_: object) -> None:
        raise ConnectionError("here it ends")

    with monkeypatch.context() as dying:
        dying.setattr(bench.fulfilment, "_record", die)
        with pytest.raises(ConnectionError):
            await bench.send(part)
    assert "is being bought" in (await Labels(bench.pool).of(part)).why_none
    await bench.send(part)
    assert [file.content for file in (await Labels(bench.pool).of(part)).files] == [PDF.content]
    assert len(printer.sold) == 1


async def test_a_service_goes_to_its_own_carrier_and_back_to_it_whatever_is_chosen_later(
    bench: Bench,
) -> None:
    usual, express = Printer(PDF), Printer(ZPL)
    with_carriers(bench, {"usual": usual, "fast": express}, "usual", express="fast")
    first = await bench.at(
        an_order(("TEA", 1), shipping={**shipping("5.00"), "service": "express"}), "labelled"
    )
    second = await bench.at(an_order(("TEA", 1)), "labelled")
    assert (len(usual.sold), len(express.sold)) == (1, 1)
    assert (await bench.parcel(first)).sold_by == "fast"
    with_carriers(bench, {"usual": usual, "fast": express}, "usual")
    for part in (first, second):
        await bench.fulfilment.recall(a_part(part))
        await bench.fulfilment.void_label(a_part(part))
    assert (len(usual.voided), len(express.voided)) == (1, 1)
    assert (await Labels(bench.pool).of(first)).state == "voided"


async def test_a_label_of_an_extension_that_is_gone_waits_for_it(bench: Bench) -> None:
    with_carriers(bench, {"printer": Printer(PDF)}, "printer")
    part = await bench.at(an_order(("TEA", 1)), "labelled")
    with_carriers(bench, {"other": Printer()}, "other")
    await bench.fulfilment.recall(a_part(part))
    with pytest.raises(Unavailable, match="'printer', whose extension"):
        await bench.fulfilment.void_label(a_part(part))
    assert (await bench.parcel(part)).label == "bought"


def test_a_carrier_that_nobody_brings_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"ORDERLOOM_CARRIER: .*'acme'; there is printer"):
        Carriers({"printer": Printer()}, "acme")
    with pytest.raises(InvalidInput, match=r"ORDERLOOM_CARRIERS: .*'acme' for express"):
        Carriers({"printer": Printer()}, "printer", {"express": "acme"})


async def test_files_go_some_time_after_the_parcel_has_left_and_not_before(bench: Bench) -> None:
    waiting = await bench.at(an_order(("TEA", 1)), "labelled")
    gone = await bench.at(an_order(("TEA", 1)), "delivered")
    async with bench.pool.acquire() as conn:
        await conn.execute(
            "update label_file set kept_at = kept_at - interval '40 days';"
            "update fulfilment set changed_at = changed_at - interval '40 days'"
        )
    await LabelFiles(bench.pool, timedelta(days=41)).forget()
    assert (await Labels(bench.pool).of(gone)).files
    await LabelFiles(bench.pool).forget()
    assert (await Labels(bench.pool).of(gone)).files == ()
    assert (await Labels(bench.pool).of(waiting)).files


async def test_what_has_no_label_is_told_so(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 1)), "picked")
    with pytest.raises(Refused, match="is picked, and has no label"):
        await Labels(bench.pool).of(part)
    with pytest.raises(NotFound, match="web-none:1"):
        await Labels(bench.pool).of("web-none:1")
