"""Purchase orders that are open when workflow code changes go on: their histories replay (S33)."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain import ids
from runtime.worker_options import sandbox
from tests.replay.purchase_lives import LIVES
from tests.replay.record import PURCHASES
from workflows.purchase_order import PurchaseOrderWorkflow

FILES = sorted(PURCHASES.glob("*.json"))


def history_of(file: Path) -> WorkflowHistory:
    text = file.read_text(encoding="utf-8")
    return WorkflowHistory.from_json(ids.purchase_workflow_id(file.stem), text)


def test_every_way_of_life_has_a_history() -> None:
    assert {file.stem for file in FILES} == {life.__name__ for life in LIVES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_s33_a_purchase_order_goes_on_with_the_code_as_it_is_now(file: Path) -> None:
    replayer = Replayer(
        workflows=[PurchaseOrderWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=sandbox(),
    )
    await replayer.replay_workflow(history_of(file))
