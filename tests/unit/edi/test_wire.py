"""Interchanges as they come: what can be read, and what is said of what cannot."""

from __future__ import annotations

import codecs
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.edi.acknowledgements import (
    acknowledgement,
    answers,
    envelope_answer,
    envelope_taken,
    judge,
)
from domain.edi.files import parts
from domain.edi.parsed import Interchange
from domain.edi.partners import Partner
from domain.edi.rules import Agreed
from domain.edi.wire import Unreadable, read
from domain.edi.written import envelope, interchange
from domain.errors import InvalidInput

AT = datetime(2026, 11, 30, 8, 5, tzinfo=UTC)
AGREED = Agreed(frozenset({"850", "860", "997"}), charset="utf-8")


def a_partner(**changes: Any) -> Partner:
    usual = {
        "partner": "acme",
        "name": "Acme Distribution",
        "role": "customer",
        "channel": "b2b",
        "ours": {"id": "ORDERLOOM"},
        "theirs": {"id": "ACME"},
        "country": "US",
    }
    return Partner.model_validate({**usual, **changes})


ORDER = (
    ("BEG", "00", "SA", "4500000042", "", date(2026, 11, 30)),
    ("CUR", "BY", "USD"),
    ("PO1", "1", 3, "EA", "12.50", "", "VP", "TEA"),
    ("CTT", 1),
)


def an_850(**changes: Any) -> bytes:
    return interchange(a_partner(**changes), "850", 7, ORDER, at=AT)


def ak(raw: bytes) -> list[tuple[Any, ...]]:
    """The 997 that answers an interchange of one group."""
    return acknowledgement(judge(read(raw), AGREED)[0])


def test_what_was_written_is_read_with_the_separators_that_it_shows() -> None:
    signs = {"segment": "|", "element": "+", "component": ":", "repetition": "^"}
    found = read(an_850(separators=signs, version="005010"))

    assert isinstance(found, Interchange)
    assert found.separators == ("|", "+", ":")
    assert (found.sender, found.control, found.test) == (("ZZ", "ORDERLOOM"), "000000007", False)
    (group,) = found.groups
    (document,) = group.sets
    assert (group.kind, group.version, document.code) == ("PO", "005010", "850")
    assert document.segments[3].elements == ("1", "3", "EA", "12.50", "", "VP", "TEA")
    assert not found.findings
    assert not document.findings
    assert ak(an_850())[-1] == ("AK9", "A", "1", 1, 1)


def test_a_file_of_several_interchanges_is_read_one_by_one() -> None:
    both = an_850() + b"\r\n" + an_850()

    assert [part.strip() for part in parts(both)] == [an_850().strip()] * 2
    assert parts(b"nothing of X12") == [b"nothing of X12"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"UNA:+.? 'UNB+UNOA:1'", "does not begin with ISA"),
        (an_850().decode().encode("utf-16"), "does not begin with ISA"),
        (an_850()[:80], "was cut off"),
        (an_850().replace(b"ACME      ", b"ACME", 1), "is not of its fixed width"),
        (an_850().replace(b">~\n", b">>\n", 1), "one separator for two things, or a letter"),
    ],
)
def test_what_has_no_envelope_is_told_with_its_place(raw: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said) as error:
        read(raw)
    assert error.value.where is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"IEA*1*000000007", b"IEA*1*000000008"), "001"),
        ((b"IEA*1*", b"IEA*2*"), "021"),
        ((b"IEA*1*000000007~\n", b""), "023"),
        ((b"*0*P*>", b"*0*I*>"), "020"),
        ((b"*000000007*0", b"*00000000X*0"), "018"),
    ],
)
def test_an_envelope_that_does_not_add_up_is_not_acted_on(
    change: tuple[bytes, bytes], code: str
) -> None:
    found = read(an_850().replace(*change))
    assert code in [one.code for one in found.findings]


def test_an_interchange_that_is_cut_in_the_middle_is_noticed_wherever_it_ends() -> None:
    whole = an_850()
    for length in range(107, len(whole) - 17):
        assert [one.code for one in read(whole[:length]).findings] == ["023"], length


@pytest.mark.parametrize(
    ("change", "segments"),
    [
        ((b"SE*6*", b"SE*7*"), [("AK5", "R", "4"), ("AK9", "R", "1", 1, 0)]),
        ((b"SE*6*0001", b"SE*6*0002"), [("AK5", "R", "3"), ("AK9", "R", "1", 1, 0)]),
        ((b"GE*1*7", b"GE*2*7"), [("AK5", "R"), ("AK9", "R", "2", 1, 0, "5")]),
        ((b"GE*1*7", b"GE*1*8"), [("AK5", "R"), ("AK9", "R", "1", 1, 0, "4")]),
        ((b"SE*6*", b"SE*0000006*"), [("AK5", "A"), ("AK9", "A", "1", 1, 1)]),
        ((b"GE*1*7", b"GE*01*07"), [("AK5", "A"), ("AK9", "A", "01", 1, 1)]),
        ((b"X*004010", b"X*003020"), [("AK5", "R"), ("AK9", "R", "1", 1, 0, "2")]),
        (
            (b"20261130~\nCUR", b"20261331~\nCUR"),
            [
                *(("AK3", "BEG", 2, "", "8"), ("AK4", 5, 373, "8", "20261331")),
                *(("AK5", "R", "5"), ("AK9", "R", "1", 1, 0)),
            ],
        ),
        (
            (b"PO1*1*3*", b"PO1*1*three*"),
            [
                *(("AK3", "PO1", 4, "", "8"), ("AK4", 2, 330, "6", "three")),
                *(("AK5", "R", "5"), ("AK9", "R", "1", 1, 0)),
            ],
        ),
    ],
)
def test_what_is_wrong_is_told_in_the_codes_of_the_997(
    change: tuple[bytes, bytes], segments: list[tuple[Any, ...]]
) -> None:
    raw = an_850()
    assert change[0] in raw
    assert ak(raw.replace(*change))[2:] == segments


def test_a_document_that_a_partner_may_not_send_is_refused() -> None:
    (judged,) = judge(read(an_850()), Agreed(frozenset({"855"})))
    assert ("AK5", "R", "1") in acknowledgement(judged)


def test_signs_that_part_elements_never_stand_in_a_text() -> None:
    body = (*ORDER[:2], ("REF", "ZZ", "", "a~b*c>d\nŁódź"), *ORDER[2:])
    found = read(interchange(a_partner(), "850", 1, body, at=AT))
    assert found.groups[0].sets[0].segments[3].elements == ("ZZ", "", "a b c d Lodz")


def test_a_receipt_is_read_document_by_document() -> None:
    raw = an_850().replace(b"SE*6*", b"SE*7*")
    receipt = interchange(a_partner(), "997", 9, ak(raw), at=AT)
    (said,) = answers(read(receipt).groups[0].sets[0])
    assert (said.group, said.control, said.set_control, said.accepted) == ("PO", 7, "0001", False)
    assert "AK5 R 4" in said.note


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channel": None}, "channel"),
        ({"supplier": "S"}, "supplier"),
        ({"units": {"CS": 12}}, "needs EA"),
        ({"separators": {"segment": "*"}}, "four different signs"),
        ({"separators": {"segment": "A"}}, "no letter, digit or blank"),
        ({"items": [{"sku": "TEA", "number": "A*7"}]}, "which is a separator"),
        ({"items": [{"sku": "TEA"}]}, "needs a number or a gtin"),
        ({"theirs": {"id": "A" * 16}}, "15"),
        ({"url": "ftp://partner.example"}, "https://"),
    ],
)
def test_a_partner_that_cannot_be_traded_with_is_refused(changes: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        a_partner(**changes)


def test_goods_are_known_by_gtin_by_the_partners_number_and_by_ours() -> None:
    items = [{"sku": "TEA", "number": "A-77", "gtin": "076123400003"}]
    partner = a_partner(items=items, item_numbers="gtin")
    assert partner.sku_of({"EN": "0076123400003"}) == "TEA"
    assert partner.sku_of({"BP": "A-77", "VP": "OTHER"}) == "TEA"
    assert partner.sku_of({"VP": "COFFEE"}) == "COFFEE"
    assert partner.sku_of({"BP": "unknown"}) == ""
    assert partner.numbers_of("TEA") == ("UP", "076123400003")
    assert partner.numbers_of("COFFEE") == ("VP", "COFFEE")


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        read(b"ISA" + b"*" * 5_000_001)


def test_a_text_is_in_the_letters_that_are_agreed() -> None:
    body = (*ORDER[:2], ("N1", "ST", "Lodz Hurtownia"), *ORDER[2:])
    raw = interchange(a_partner(), "850", 7, body, at=AT)
    polish = raw.replace(b"Lodz", "Łódź".encode())
    assert ak(polish)[-1] == ("AK9", "A", "1", 1, 1)
    wrong = ak(raw.replace(b"Lodz", "Łódź".encode("cp1250")))
    assert wrong[2:4] == [("AK3", "N1", 4, "", "8"), ("AK4", 2, 93, "6", "")]
    long = raw.replace(b"Lodz Hurtownia", ("창" * 60).encode())
    assert ak(long)[-1] == ("AK9", "A", "1", 1, 1)
    assert ak(long.replace("창".encode(), "창창".encode(), 1))[3][3] == "5"
    marked = codecs.BOM_UTF8 + b"\r\n" + polish
    assert read(marked).control == "000000007"
    assert parts(marked) == [polish]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((b"GS*PO", b"N1*ST*ASTRAY~\nGS*PO"), "segment 2 (N1): stands in no group"),
        ((b"IEA*1", b"GE*1*7~\nIEA*1"), "segment 10 (GE): stands in no group"),
        ((b"IEA*1", b"ST*850*0002~\nIEA*1"), "segment 10 (ST): stands in no group"),
    ],
)
def test_what_stands_in_no_group_is_not_passed_over(change: tuple[bytes, bytes], said: str) -> None:
    (finding,) = read(an_850().replace(*change)).findings
    assert finding.code == "024"
    assert str(finding).startswith(said)


def test_what_stands_in_no_document_rejects_its_group() -> None:
    raw = an_850().replace(b"GE*1*7", b"PO1*2*9*EA*1*BP*LOST~\nGE*1*7")
    (judged,) = judge(read(raw), AGREED)
    assert "has 1 segments outside of its documents" in str(judged.findings[0])
    assert ak(raw)[-2:] == [("AK5", "R"), ("AK9", "R", "1", 1, 0)]


def test_a_group_of_somebody_else_is_not_taken() -> None:
    partner = a_partner()
    (judged,) = judge(read(an_850()), partner.agreed)  # We wrote it, and it comes from us.
    assert [one.element for one in judged.findings] == [2, 3]
    assert "names ORDERLOOM, and ACME is agreed" in str(judged.findings[0])


def test_fewer_lines_than_the_document_counts_are_told() -> None:
    raw = an_850().replace(b"CTT*1", b"CTT*3")
    assert ("AK4", 1, 354, "7", "3") in ak(raw)


def test_one_that_was_cut_ends_where_the_next_one_begins() -> None:
    whole = an_850()
    cut, read_whole = parts(whole[:-20] + b"\n" + whole)
    assert read(cut).findings[0].code == "023"
    assert not read(read_whole).findings


def test_a_large_file_of_little_ones_is_taken_apart_at_once() -> None:
    began = time.process_time()
    assert len(parts(an_850() * 2_000)) == 2_000
    parts(an_850()[:107] + b"\n" * 200_000)
    parts(an_850()[:107] * 10_000)
    assert time.process_time() - began < 1


def test_a_partner_tells_by_ta1_whether_it_took_an_interchange() -> None:
    said = [("TA1", "000000017", "261130", "0805", "R", "025")]
    (receipt,) = read(envelope(a_partner(), 3, [("", said)], at=AT)).receipts
    control, why = envelope_answer(receipt)
    assert control == "17"
    assert why.startswith("TA1 R 025: it has had this number before")
    assert envelope_answer(receipt._replace(elements=(*receipt.elements[:3], "A", "000"))) == (
        "17",
        "",
    )
    assert envelope_taken(read(an_850())) == [("TA1", "000000007", "261130", "0805", "A", "000")]
