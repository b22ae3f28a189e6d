"""What one order asks of PostgreSQL: each statement, and how often."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks.census import UNHURRIED, live
from benchmarks.contestants.protocol import Contestant
from benchmarks.server_log import statements
from benchmarks.venue import AS_SHIPPED, venue

_SHOWN = 100


async def tell(console: Console, contestant: Contestant, *, orders: int) -> list[str]:
    """Take some orders through their life, and print the table. Returns what the audit found."""
    async with venue() as here:
        await here.prepare([contestant])
        async with here.stage(contestant, AS_SHIPPED, UNHURRIED, log_statements=True) as stage:
            await live(stage, orders)  # connections are open then, and statements prepared
            begins = here.postgres_log.stat().st_size
            await live(stage, orders)
        with here.postgres_log.open("rb") as file:
            file.seek(begins)
            counts = statements(file.read())
        found = await here.audit()
    table = Table("per order", "statement", title=f"{counts.total() / orders:.0f} round trips")
    for text, count in counts.most_common():
        table.add_row(f"{count / orders:.1f}", text[:_SHOWN])
    console.print(table)
    return found
