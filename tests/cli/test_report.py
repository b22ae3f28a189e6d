"""What a day came to, by the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from domain.errors import NotFound
from domain.money import Price
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import Cli


async def test_a_day_is_counted_and_reported(cli: Cli, pool: Pool) -> None:
    bench = Bench(pool)
    each = Price(each=Decimal("14.00"), currency="USD")
    await bench.stock.receive("1", "TEA", "main", 9, unit_cost=each, who="test", why="test")
    bad = an_order(("TEA", 1, "10.00"))
    await bench.charged(await bench.at(bad, "shipped"))
    await bench.refunded(bad, amount=Decimal("3.00"))
    today = datetime.now(UTC).date()
    counted = await cli.done(
        "report", "count", "--first", str(today - timedelta(days=1)), "--last", str(today)
    )
    assert counted.out == "counted: 2 days of sellers\n"
    text, told, odd, backwards, nobody = await cli.many(
        ("report", "day"),
        ("report", "day", "--json"),
        ("report", "day", "--day", "yesterday"),
        ("report", "count", "--first", str(today), "--last", str(today - timedelta(days=1))),
        ("report", "day", "--seller", "nobody"),
    )
    assert f"{bad.order_id} lost 2.00 USD: sold 15.00 USD, paid back 3.00 USD" in text.out
    assert "goods cost 14.00 USD (goodwill)" in text.out
    figures = {(one["figure"], one["currency"]): one for one in told.json["figures"]}
    assert figures["charged", "USD"]["value"] == "15.00"
    assert (figures["orders", None]["value"], figures["orders", None]["day_before"]) == (1, 0)
    (loss,) = told.json["losses"]
    assert (loss["order_id"], loss["result"]) == (bad.order_id, "-2.00")
    assert [one.code for one in (odd, backwards)] == [2, 2]
    assert nobody.code == NotFound.exit_code
