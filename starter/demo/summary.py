"""The demo's summary at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from domain.money import Money
from domain.sellers import Seller
from starter.accounting.books import taxes, trial
from starter.cli.terminal.output import make_table
from starter.demo.crm import Crm
from starter.demo.customers import STAGES, Script
from starter.demo.mails import Mails
from starter.demo.outcomes import Promises, UnitOutcomes
from starter.demo.shop import Placed
from starter.demo.steps import StepTimes
from starter.demo.stories.telling import ToldStory
from starter.service.audit import AuditReport
from starter.simulation.simulator import SimulationReport
from store.accounting.ledger import Posting
from store.accounting.tax_report import TaxReport
from store.payments.reconciliation import Day as ComparedDay
from store.purchasing.purchase_reads import PurchaseOrder
from store.views.reads import OrderSummary

_OUTCOMES = ("cancelled", "partly cancelled", "refused")


@dataclass(frozen=True)
class Books:
    """What a seller has booked, and the tax on its documents."""

    seller: Seller
    balance: Sequence[Posting]
    taxes: TaxReport

    @property
    def are_even(self) -> bool:
        """All accounts of a currency add up to zero, and the tax that is booked is printed."""
        taxes_agree = all(one.tax_minor == one.booked_minor for one in self.taxes.sums)
        return taxes_agree and not any(trial.sums(self.balance).values())


@dataclass(frozen=True)
class Day:
    """The content of the summary."""

    placed: Placed
    seconds: float
    orders: Sequence[OrderSummary]
    script: Script
    outside: SimulationReport
    steps: Sequence[StepTimes]
    told: Sequence[ToldStory]
    units: UnitOutcomes
    promises: Promises
    purchases: Sequence[PurchaseOrder]
    books: Sequence[Books]
    reconciled: Sequence[ComparedDay]
    mails: Mails
    crm: Crm
    audit: AuditReport
    ui_url: str
    kept_up: bool


def tell(day: Day, console: Console) -> None:
    """Print the summary; its last line is the audit's."""
    for heading, table in (
        ("Orders by state", _states(day.orders)),
        ("Units, by what became of them", _units(day.units)),
        ("Promised days, against what happened", _promises(day.promises)),
        ("Purchase orders", _purchases(day.purchases)),
        ("Cancellations, by where the order was", _cancellations(day.script)),
        ("Returns", _returns(day)),
        ("After the sale, and kinds of goods", _told(day.told)),
        (f"Mails to customers, in {day.mails.folder}", day.mails.table),
        ("Customers, and what the CRM is told", day.crm.table),
        ("Warehouse and carriers", _outside(day.outside)),
        ("Money", _money(day.orders)),
        ("Steps, slowest first", _steps(day.steps)),
    ):
        console.print()
        console.print(heading, style="bold")
        console.print(table)
    for books in day.books:
        _tell_books(books, console)
    console.print()
    for one in day.reconciled:
        console.print(
            f"{one.provider} lists {one.listed:,} effects of {one.day}: {one.matched:,} are as "
            f"recorded here, {one.listed - one.matched:,} are not"
        )
    console.print()
    placed = sum(day.placed.outcomes.values())
    console.print(
        f"{placed} orders were placed at {placed / day.placed.seconds:.1f} a second, and had all "
        f"come to their end after {day.seconds:.0f} s: {len(day.orders) / day.seconds:.1f} a second"
    )
    if day.steps:
        slowest, longest = day.steps[0], max(day.steps, key=lambda step: step.longest.seconds)
        console.print(
            f"slowest step: {slowest.step}, {slowest.median_s:.2f} s in the middle; longest single "
            f"wait: {longest.step} of {longest.longest.part}, {longest.longest.seconds:.2f} s"
        )
    until = "Ctrl-C" if day.kept_up else "this program ends; `make demo KEEP=1` leaves it up"
    console.print(f"Temporal UI: {day.ui_url} (until {until})")
    for line in day.audit.lines():
        console.print(line)


def _tell_books(books: Books, console: Console) -> None:
    console.print()
    console.print(f"Trial balance of {books.seller.name}", style="bold")
    console.print(make_table(trial.COLUMNS, trial.rows(books.balance)))
    for currency, total in trial.sums(books.balance).items():
        console.print(f"sum: {Money(minor=total, currency=currency)}")
    console.print()
    console.print(f"Tax report of {books.seller.name}", style="bold")
    console.print(make_table(taxes.COLUMNS, taxes.rows(books.taxes)))
    for line in taxes.sums(books.taxes):
        console.print(line)


def _states(orders: Iterable[OrderSummary]) -> Table:
    states = Counter(order.state for order in orders)
    return make_table(["state", ">orders"], [[state, n] for state, n in sorted(states.items())])


def _units(units: UnitOutcomes) -> Table:
    return make_table(["what", ">units"], [[what, n] for what, n in units.rows()])


def _promises(promises: Promises) -> Table:
    return make_table(["what", ">number"], [[what, n] for what, n in promises.rows()])


def _purchases(purchases: Sequence[PurchaseOrder]) -> Table:
    states = Counter(order.state for order in purchases)
    lines = [line for order in purchases for line in order.lines]
    rows: list[list[object]] = [[f"orders {state}", n] for state, n in sorted(states.items())]
    rows += [
        ["units ordered", sum(line.quantity for line in lines)],
        ["units received", sum(line.received for line in lines)],
        ["units that the supplier did not send", sum(line.cancelled for line in lines)],
    ]
    return make_table(["what", ">number"], rows)


def _cancellations(script: Script) -> Table:
    wishes = script.cancellations.values()
    found = Counter((wish.stage, wish.outcome) for wish in wishes)
    others = sorted({wish.outcome for wish in wishes} - set(_OUTCOMES))
    columns = [*_OUTCOMES, *others]
    rows = [[stage, *(found[stage, outcome] for outcome in columns)] for stage in STAGES]
    return make_table(["cancelled when", *(f">{name}" for name in columns)], rows)


def _returns(day: Day) -> Table:
    outcomes = Counter(wish.outcome for wish in day.script.returns.values())
    rows: list[list[object]] = [[f"asked for, {name}", n] for name, n in sorted(outcomes.items())]
    rows += [
        ["return parcels received, undeliverable ones included", day.outside.returns_received],
        ["units taken back", sum(order.returned for order in day.orders)],
        ["units that were missing in them", day.outside.units_missing],
        ["units that cannot be sold again", day.outside.units_scrapped],
    ]
    return make_table(["what", ">number"], rows)


def _told(stories: Sequence[ToldStory]) -> Table:
    rows: list[list[object]] = [
        [story.name, f"WENT WRONG: {story.text}" if story.wrong else story.text]
        for story in stories
    ]
    return make_table(["order", "what happened"], rows)


def _outside(report: SimulationReport) -> Table:
    kept = ("returns_received", "units_missing", "units_scrapped")
    counts: Mapping[str, int] = report.model_dump()
    rows = [[name.replace("_", " "), n] for name, n in counts.items() if name not in kept]
    return make_table(["what", ">number"], rows)


def _money(orders: Iterable[OrderSummary]) -> Table:
    sums: dict[str, Counter[str]] = {}
    for order in orders:
        sums.setdefault(order.currency, Counter()).update(
            ordered=order.total_minor,
            authorized=order.authorized_minor,
            captured=order.captured_minor,
            refunded=order.refunded_minor,
            kept=order.captured_minor - order.refunded_minor,
        )
    rows = [
        [what, str(Money(minor=minor, currency=currency))]
        for currency, amounts in sorted(sums.items())
        for what, minor in amounts.items()
    ]
    return make_table(["what", ">amount"], rows)


def _steps(steps: Sequence[StepTimes]) -> Table:
    rows = [
        [
            step.step,
            step.count,
            f"{step.median_s:.2f} s",
            f"{step.longest.seconds:.2f} s",
            step.longest.part,
        ]
        for step in steps
    ]
    return make_table(["step", ">times", ">median", ">longest", "of"], rows)
