"""The currencies that were ever used: kept by the first that writes in one, known to all others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import iso4217
import pytest

from domain import currencies
from domain.errors import UnknownCurrency
from domain.money import decimals
from store.database import Pool, open_pool
from tests.support.round_trips import counting_pool

KEPT = "select currency, decimals from currency where currency = any($1)"


class OtherProcess:
    """What a process knows of currencies that has just begun, and the list that it has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **listed: int) -> None:
        def of_its_list(code: str) -> Any:
            return SimpleNamespace(exponent=listed.get(code))

        monkeypatch.setattr(iso4217, "Currency", of_its_list)
        monkeypatch.setattr(currencies.CURRENCIES, "_known", {})
        monkeypatch.setattr(currencies.CURRENCIES, "_to_keep", {})
        monkeypatch.setattr(currencies.CURRENCIES, "missed", False)


async def test_what_one_process_writes_in_is_known_to_those_whose_list_lacks_it(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    OtherProcess(monkeypatch, BGN=2, XTS=3)
    assert (decimals("BGN"), decimals("XTS")) == (2, 3)
    async with pool.acquire() as conn:  # as before every statement
        kept = await conn.fetch(KEPT, ["BGN", "XTS", "EUR"])
    assert sorted(map(tuple, kept)) == [("BGN", 2), ("EUR", 2), ("XTS", 3)]

    OtherProcess(monkeypatch)
    other = await open_pool(database_url)
    try:
        assert (decimals("BGN"), decimals("XTS"), decimals("JPY")) == (2, 3, 0)
    finally:
        other.terminate()


async def test_a_worker_learns_of_a_currency_that_a_command_has_used_since(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    OtherProcess(monkeypatch)
    async with pool.acquire() as conn:
        await conn.execute("insert into currency values ('XQQ', 1)")
    with pytest.raises(UnknownCurrency):
        decimals("XQQ")
    async with pool.acquire():
        pass
    assert decimals("XQQ") == 1


async def test_the_first_decimals_of_a_currency_stand_whatever_a_later_list_says(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    OtherProcess(monkeypatch, BGN=2)
    decimals("BGN")
    async with pool.acquire():
        pass
    OtherProcess(monkeypatch, BGN=0)
    assert decimals("BGN") == 0
    async with pool.acquire():  # before anything is written
        pass
    assert decimals("BGN") == 2


async def test_known_currencies_cost_no_statement(
    database_url: str,
) -> None:
    async with counting_pool(database_url) as trips:
        with trips.counted() as sent:
            assert decimals("EUR") == 2
            async with trips.pool.acquire() as conn:
                await conn.fetchval("select 1")
        assert sent == ["select 1"]
