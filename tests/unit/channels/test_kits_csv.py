"""Kits from a table: a row that is wrong costs its kit, whole, and no other."""

from __future__ import annotations

import pytest

from domain.stock.kits import Kit
from starter.channels.csv_table import Entry
from starter.channels.kits_csv import read_kits
from starter.channels.read_results import Problem

GOOD = Entry(2, Kit(sku="BOX", parts={"TEA": 2, "CUP": 1}))


def read(*rows: str) -> list[Entry[Kit] | Problem]:
    return list(read_kits("\n".join(["kit,part,units", *rows]).encode()))


def test_the_rows_of_a_kit_need_not_stand_together() -> None:
    assert read("BOX,TEA,2", "TWIN,TEA,2", "BOX,CUP,1") == [
        GOOD,
        Entry(3, Kit(sku="TWIN", parts={"TEA": 2})),
    ]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("TWIN,CUP,0", "units", "must be 1 or more"),
        ("TWIN,CUP,-1", "units", "must be 1 or more"),
        ("TWIN,CUP,1.5", "units", "whole number"),
        ("TWIN,CUP,1e3", "units", "whole number"),
        ("TWIN,CUP,100001", "units", "must be 100000 or less"),
        ("TWIN,CUP,", "units", "is missing"),
        ("TWIN,,1", "part", "is missing"),
        ("TWIN,a\x1bb,1", "part", "control characters"),
        ("TWIN,TWIN,1", "part", "a kit cannot contain itself"),
        ("TWIN,TEA,1", "part", "TEA is in TWIN by line 4 already"),
        (",CUP,1", "kit", "is missing"),
        ("TWIN,CUP", "", "has 2 cells where the header has 3 columns"),
        ('"TWIN,CUP,1', "", "is not CSV"),
    ],
)
def test_a_wrong_row_costs_its_kit_and_no_other(row: str, field: str, reason: str) -> None:
    found = read("BOX,TEA,2", "BOX,CUP,1", "TWIN,TEA,2", row)
    problem, kit, left = found
    assert isinstance(problem, Problem)
    assert (problem.line, problem.field) == (5, field)
    assert reason in problem.reason
    assert kit == GOOD
    assert left == Problem(4, "kit", "TWIN was left as it is, because of line 5")


def test_a_file_without_a_header_is_one_problem() -> None:
    (problem,) = read_kits(b"BOX,TEA,2\n")
    assert problem == Problem(
        1, "", "the header lacks kit, part, units; it must name kit,part,units"
    )
