"""The demo from beginning to end: stack, stock, orders, customers, summary, audit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import OrderloomError
from domain.orders.order import Order
from domain.words import count_of
from runtime.codec import data_converter
from runtime.discovery import StackInfo
from starter.demo import closing, company, crm, folder, kept, left_open, mails, over_http, shop
from starter.demo.customers import (
    FINAL,
    Board,
    Customers,
    Script,
    TookTooLong,
    with_slow_labels,
    write_script,
)
from starter.demo.outcomes import promises_of, units_of
from starter.demo.progress import Progress
from starter.demo.steps import step_times
from starter.demo.stories import goods, telling
from starter.demo.stories.telling import ToldStory
from starter.demo.summary import Day, tell
from starter.demo.told_events import tell_of
from starter.service.audit import audit
from starter.service.service import Service
from starter.simulation.simulator import SimulationReport, Step, simulate
from starter.stack.supervisor import embedded_stack
from store.database import Pool, open_pool
from store.views.reads import EventRow, OrderSummary

_CANCELLATIONS: Final = 30
_RETURNS: Final = 26
_ENDS_WITHIN_S: Final = 600.0
_PURCHASES_MAX: Final = 10_000
_LOOK_S: Final = 0.5


async def run(
    home: Path,
    documents: Sequence[Order],
    *,
    workers: int,
    keep: bool,
    console: Console,
    http: bool = False,
) -> int:
    """Run the demo in `home`. Returns the exit code: 0 when all ended and the books are clean.

    `http`: everybody outside asks and reports over HTTP.
    """
    console.print(f"Starting PostgreSQL, Temporal and {count_of(workers, 'worker')} in {home}")
    await folder.empty(home)
    code = 1
    settings = shop.settings_of("PURCHASING", shop.BUYING) | mails.settings(home)
    if http:
        settings |= shop.settings_of("POLICY", shop.policy(len(documents))) | over_http.SETTINGS
    async with (
        embedded_stack(
            home, report=console.print, workers=workers, settings=settings, http=http or keep
        ) as stack,
        _connected(stack.info) as (temporal, pool),
    ):
        try:
            demo = _Demo(temporal, pool, stack.info, home, console, orders=len(documents))
            code = await demo.live(documents, keep=keep, http=http)
        except* (TookTooLong, OrderloomError, RPCError) as failed:
            for message in dict.fromkeys(_messages(failed)):
                console.print(f"{message}; what the workers said is in {stack.info.logs}")
            for line in (await audit(pool, temporal)).lines():
                console.print(line)
        if keep:
            here = Service(pool, temporal)
            parcel = await left_open.leave_open(here, temporal, home, len(documents))
            await kept.tell(here, stack.info, home, parcel, console)
            with suppress(asyncio.CancelledError):  # Ctrl-C ends it.
                await asyncio.Event().wait()
    return code


def _messages(group: BaseExceptionGroup[Exception]) -> Iterator[str]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _messages(error)
        else:
            yield str(error)


@asynccontextmanager
async def _connected(info: StackInfo) -> AsyncIterator[tuple[Client, Pool]]:
    temporal = await Client.connect(
        info.temporal_address,
        namespace=info.temporal_namespace,
        data_converter=data_converter(info.codec_keys),
    )
    pool = await open_pool(info.database_url, size_max=20)
    try:
        yield temporal, pool
    finally:
        await pool.close()


class _Demo:
    def __init__(
        self,
        temporal: Client,
        pool: Pool,
        info: StackInfo,
        home: Path,
        console: Console,
        *,
        orders: int,
    ) -> None:
        self._temporal = temporal
        self._pool = pool
        self._info = info
        self._home = home
        self._console = console
        self._service = Service(pool, temporal, policy=shop.policy(orders), purchasing=shop.BUYING)
        self._board = Board(self._service.orders)

    async def live(self, documents: Sequence[Order], *, keep: bool, http: bool) -> int:
        """One day. Returns the exit code. Raises TookTooLong."""
        opened = datetime.now(UTC).date()
        await company.found(self._service)
        opening = await shop.open_shop(self._service, seller=company.US, today=opened)
        channels = over_http.channels() if http else company.CHANNELS
        await company.open_channels(self._service, channels)
        sent = frozenset[str]()
        if http:
            documents, sent = over_http.through_shops(documents)
            await over_http.connect(self._service)
        wanted = sum(line.quantity for order in documents for line in order.lines)
        self._console.print(
            f"Northwind opens with {opening.units:,} units of {opening.skus} products and "
            f"{opening.on_order:,} on order; its customers want {wanted:,}"
        )
        few = len(documents) // 12  # In a small demo, fewer customers cancel.
        script = write_script(
            # A till's goods are gone before anybody can think about it.
            [order for order in documents if order.channel != company.TILL],
            cancellations=min(_CANCELLATIONS, max(5, few)),
            returns=min(_RETURNS, max(3, few)),
        )
        await shop.misbehave(self._pool)
        clock = asyncio.get_running_loop()
        began = clock.time()
        told: over_http.HttpDay | None = None
        if http:
            there = over_http.cancel_one_there(script, documents, sent)
            asked = with_slow_labels(documents, script)
            over, stories_told = await asyncio.gather(
                self._trade_over_http(asked, sent, script, there), self._play(documents)
            )
            told, placed, outside = over, over.placed, over.outside
        else:
            placed, outside, stories_told = await self._trade(
                with_slow_labels(documents, script), script
            )
        seconds = clock.time() - began
        sent_mails = await mails.all_sent(self._service.messages, self._home)
        known = await crm.cared_for(self._service, self._home)
        report = await self._service.audit()
        reconciled = await closing.reconciled(self._service, opened)
        books = [
            await closing.books_of(self._service, seller, opened) for seller in company.SELLERS
        ]
        stories = await self._stories(documents)
        details = [await self._service.orders.get(order.order_id) for order in documents]
        purchases = await self._service.purchasing.orders(at_most=_PURCHASES_MAX)
        summaries = [detail.summary for detail in details]
        day = Day(
            placed=placed,
            seconds=seconds,
            orders=summaries,
            script=script,
            outside=outside,
            steps=step_times(stories),
            told=stories_told,
            units=units_of(details, stories, opening.discontinued),
            promises=promises_of(details, stories),
            purchases=purchases,
            books=books,
            reconciled=reconciled,
            mails=sent_mails,
            crm=known,
            audit=report,
            kept_up=keep,
            ui_url=f"{self._info.temporal_ui_url}/namespaces/{self._info.temporal_namespace}/workflows",
        )
        complete = told is None or tell_of(told, stories, self._console)
        tell(day, self._console)
        even = all(one.are_even for one in books)
        agreed = all(one.state == "clean" for one in reconciled)
        complete = complete and not any(story.wrong for story in stories_told)
        complete = complete and sent_mails.are_sent_once and not known.wrong
        clean = report.clean and even and agreed and complete
        return 0 if clean and not day.units.unexplained else 1

    async def _trade(
        self, documents: Sequence[Order], script: Script
    ) -> tuple[shop.Placed, SimulationReport, Sequence[ToldStory]]:
        """Place all orders while the outside and the customers act, until the end."""
        stop = asyncio.Event()

        def holds(step: Step, part_id: str) -> bool:
            """A till hands its goods over by itself, and stories have people of their own."""
            aside = company.is_till_sale(part_id) or goods.is_of_the_desk(part_id)
            return aside or script.holds(step, part_id)

        customers = Customers(self._temporal, self._service.orders, self._board, script)
        with Progress(self._console, len(documents)) as progress:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._board.run())
                outside = group.create_task(
                    simulate(self._service, shop.OUTSIDE, stop, holds=holds)
                )
                answered = group.create_task(customers.play())
                ended = group.create_task(self._all_ended(documents, progress))
                told = group.create_task(self._play(documents))
                placed = await shop.place_all(self._service.orders, documents, progress.placed)
                await asyncio.gather(answered, ended, told)
                await self._all_bought()
                watching.cancel()
                stop.set()
        return placed, outside.result(), told.result()

    async def _play(self, documents: Sequence[Order]) -> Sequence[ToldStory]:
        """The stories, paid for as all orders are."""
        paid = documents[0].payment
        return await telling.play(self._service, self._temporal, paid, self._home)

    async def _trade_over_http(
        self, documents: Sequence[Order], sent: Collection[str], script: Script, there: str | None
    ) -> over_http.HttpDay:
        """The same, by programs that know the OpenAPI document alone."""
        url = await over_http.make_client(self._info, self._home / "client")
        self._console.print(f"A client was made of {url}/openapi.json; programs ask with it now")
        with Progress(self._console, len(documents)) as progress:
            return await over_http.trade(
                *(self._service, url, self._home, documents, sent, script, there),
                ends_within_s=_ENDS_WITHIN_S,
                progress=progress,
            )

    async def _all_ended(self, documents: Sequence[Order], progress: Progress) -> None:
        wanted = [order.order_id for order in documents]

        def ended(seen: Mapping[str, OrderSummary]) -> bool:
            count = sum(seen[one].decision in FINAL for one in wanted if one in seen)
            progress.ended(count)
            return count == len(wanted)

        try:
            await asyncio.wait_for(self._board.until(ended), _ENDS_WITHIN_S)
        except TimeoutError:
            left = [
                order_id
                for order_id in wanted
                if order_id not in self._board.summaries
                or self._board.summaries[order_id].decision not in FINAL
            ]
            some = ", ".join(left[:10]) + (" …" if len(left) > 10 else "")
            raise TookTooLong(
                f"{len(left)} orders are not at their end after {_ENDS_WITHIN_S:.0f} s: {some}"
            ) from None

    async def _all_bought(self) -> None:
        """Wait until every purchase order is closed; the last shipments may cause more."""

        async def closed() -> None:
            while await self._service.purchasing.orders(only_open=True):
                await asyncio.sleep(_LOOK_S)

        try:
            await asyncio.wait_for(closed(), _ENDS_WITHIN_S)
        except TimeoutError:
            left = await self._service.purchasing.orders(only_open=True)
            raise TookTooLong(
                f"{count_of(len(left), 'purchase order')} not closed after {_ENDS_WITHIN_S:.0f} s"
            ) from None

    async def _stories(self, documents: Sequence[Order]) -> dict[str, Sequence[EventRow]]:
        return {
            order.order_id: await self._service.orders.events(order.order_id) for order in documents
        }
