"""What an audit has found, and how it is told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from store.views.audit import Counts, UnderWay
from store.views.audited.check import Violation


class AuditReport(BaseModel):
    """The checks and their findings. `workflows`: running ones of orders and purchase orders."""

    model_config = ConfigDict(frozen=True)

    counts: Counts
    workflows: int
    violations: tuple[Violation, ...]
    under_way: tuple[UnderWay, ...]

    @property
    def clean(self) -> bool:
        """No violation was found."""
        return not self.violations

    def of(self, seller: str) -> AuditReport:
        """What concerns a seller, or nobody in particular. The counts are of all."""
        return self.model_copy(
            update={
                "violations": tuple(v for v in self.violations if v.seller in (None, seller)),
                "under_way": tuple(one for one in self.under_way if one.seller == seller),
            }
        )

    def lines(self) -> list[str]:
        """The report for people; the last line is `audit: clean`, or the number of violations."""
        counts = self.counts
        checked = (
            f"checked {counts.orders:,} orders, {counts.stock_rows:,} stock rows, "
            f"{counts.payments:,} payments, {counts.journal_entries:,} journal entries, "
            f"{counts.parcels:,} parcels, {counts.purchase_orders:,} purchase orders, "
            f"{self.workflows:,} running workflows"
        )
        lines = [checked]
        if counts.not_compared:
            lines.append(
                f"{counts.not_compared:,} payments were not compared with their provider: "
                "its books are not here"
            )
        lines += [
            f"under way: {item.payment_key}, {item.kind} of {item.amount} ({item.state})"
            for item in self.under_way
        ]
        lines += [f"{item.rule}: {item.subject}: {item.message}" for item in self.violations]
        found = len(self.violations)
        lines.append(
            "audit: clean" if self.clean else f"audit: {found} violation{'s' * (found > 1)}"
        )
        return lines
