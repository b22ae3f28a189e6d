"""What the benchmark sees of an order from outside, the same way for every contestant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar

from temporalio.client import Client, WorkflowExecutionStatus

from benchmarks.contestants.looks import Looks
from domain.errors import Refused

T = TypeVar("T")

Scan = Literal["in_transit", "out_for_delivery", "delivered"]

JOURNEY: Final[tuple[Scan, ...]] = ("in_transit", "out_for_delivery", "delivered")
"""What the carrier says of each parcel: as many scans as `orderloom simulate` has it say."""

PAUSES: Final = 3 + len(JOURNEY)
"""Somebody takes a moment to pick, to pack and to hand over, and before each scan."""


def required(thing: T | None) -> T:
    """The thing, which a contestant with effects always has."""
    if thing is None:
        raise ValueError("a contestant with effects needs its database")
    return thing


class Ends:
    """Sees workflows end: one look at Temporal's list for all that are awaited."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._looks = Looks(self._ended)

    async def of(self, workflow_id: str) -> None:
        """Wait until it has ended. Raises Refused where it did not end well."""
        status = await self._looks.of(workflow_id)
        if status != WorkflowExecutionStatus.COMPLETED:
            raise Refused(f"{workflow_id} has ended: {status.name.lower()}")

    async def _ended(self, workflow_ids: Sequence[str]) -> Mapping[str, WorkflowExecutionStatus]:
        names = ", ".join(f"'{one}'" for one in workflow_ids)
        listed = self._client.list_workflows(
            f"WorkflowId IN ({names}) AND ExecutionStatus != 'Running'"
        )
        return {one.id: one.status async for one in listed if one.status is not None}
