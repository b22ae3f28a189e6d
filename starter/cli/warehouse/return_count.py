"""The units of a return as they are typed: by what becomes of them, or by their condition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from domain.aftersales.return_counts import Found, FoundGoods
from domain.errors import InvalidInput
from starter.cli.terminal.options import read_counts, read_model
from store.aftersales.returns import Counted

_FOUND: Final = re.compile(
    r"(?P<line>.+?)=(?P<units>[0-9]{1,9}):(?P<condition>[a-z]+)(?::(?P<photo>.+))?"
)


def returned_units(
    count: Sequence[str], scrap: Sequence[str], found: Sequence[str], lacks: Sequence[str] = ()
) -> Mapping[str, Counted | Sequence[Found]] | None:
    """Line → its units. None: all of everything came. Raises InvalidInput.

    `lacks`: as LINE=SKU=UNITS, the parts that the kits of a line that were `found` came without.
    """
    without = _lacking(lacks)
    if without and not found:
        raise InvalidInput("goes with --found", where="--lacks")
    if not found:
        return _counted(read_counts(count, "--count"), read_counts(scrap, "--scrap"))
    if count or scrap:
        raise InvalidInput("goes without --count and --scrap", where="--found")
    units: dict[str, list[Found]] = {}
    for text in found:
        read = _FOUND.fullmatch(text)
        if read is None:
            raise InvalidInput(
                f"{text!r}: write LINE=UNITS:CONDITION, such as 1=2:opened", where="--found"
            )
        content = {"quantity": int(read["units"]), **read.groupdict()}
        del content["line"], content["units"]
        content["lacks"] = without.get(read["line"], {})
        units.setdefault(read["line"], []).append(read_model(Found, content, where="--found"))
    return units


def _lacking(texts: Sequence[str]) -> dict[str, dict[str, int]]:
    lacking: dict[str, dict[str, int]] = {}
    for text in texts:
        line_id, _, part = text.partition("=")
        read = read_counts([part], "--lacks") or {}
        lacking.setdefault(line_id, {}).update(read)
    return lacking


def _counted(
    came: dict[str, int] | None, scrapped: dict[str, int] | None
) -> dict[str, Counted] | None:
    """Line → units restocked and units written off, of those that came back."""
    for line_id, units in (scrapped or {}).items():
        if units > (came or {}).get(line_id, 0):
            raise InvalidInput(
                f"line {line_id}: {units} scrapped, but --count says that "
                f"{(came or {}).get(line_id, 0)} came; count them too",
                where="--scrap",
            )
    if came is None:
        return None
    waste = scrapped or {}
    return {
        line_id: Counted(restocked=units - waste.get(line_id, 0), scrapped=waste.get(line_id, 0))
        for line_id, units in came.items()
    }


def found_goods(texts: Sequence[str], option: str) -> list[FoundGoods]:
    """Units of items in a parcel, as SKU=UNITS:CONDITION[:PHOTO]. Raises InvalidInput."""
    goods = []
    for text in texts:
        read = _FOUND.fullmatch(text)
        if read is None:
            raise InvalidInput(
                f"{text!r}: write SKU=UNITS:CONDITION, such as TEA=2:opened", where=option
            )
        content = {"sku": read["line"], "quantity": int(read["units"]), **read.groupdict()}
        del content["line"], content["units"]
        goods.append(read_model(FoundGoods, content, where=option))
    return goods
