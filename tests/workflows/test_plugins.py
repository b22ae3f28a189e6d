"""Workflows and activities of an extension, run by Orderloom's own worker."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.plugin import SimplePlugin

from activities.companies import Companies
from activities.extension import Extension, NoSettings, Tools
from domain.errors import InvalidInput
from runtime.extensions import Installed
from store.database import Pool
from tests.support.shop import Shop
from worker import build_worker
from workflows.order import OrderWorkflow


class Given(BaseModel):
    model_config = ConfigDict(frozen=True)

    customer: str
    orders: int


class Points:
    """Steps of the extension, with what a worker lends."""

    def __init__(self, tools: Tools) -> None:
        self._pool = tools.pool

    @activity.defn
    async def count_orders(self, customer: str) -> Given:
        async with self._pool.acquire() as conn:
            orders: int = await conn.fetchval(
                "select count(*) from order_person where customer_id = $1", customer
            )
        return Given(customer=customer, orders=orders)


@workflow.defn
class Loyalty:
    """A story of the extension's own."""

    @workflow.run
    async def run(self, customer: str) -> Given:
        return await workflow.execute_activity_method(
            Points.count_orders, customer, start_to_close_timeout=timedelta(seconds=10)
        )


def loyalty(*workflows: type[Any]) -> Installed:
    extension = Extension(
        name="loyalty",
        settings=NoSettings,
        temporal=lambda _, tools: SimplePlugin(
            "loyalty", workflows=workflows, activities=[Points(tools).count_orders]
        ),
    )
    return Installed("loyalty", "loyalty", "1", extension, NoSettings())


async def test_a_workflow_of_an_extension_runs_beside_orderlooms_own(
    pool: Pool, temporal_client: Client
) -> None:
    companies = Companies.of([loyalty(Loyalty)], (), Tools(pool))
    queue = f"test-{uuid.uuid4()}"
    async with build_worker(
        *(temporal_client, []),
        task_queue=queue,
        plugins=companies.temporal,
        **Shop.worker_options,
    ):
        given = await temporal_client.execute_workflow(
            Loyalty.run, "C-1", id=f"loyalty-{uuid.uuid4()}", task_queue=queue
        )
    assert given == Given(customer="C-1", orders=0)


async def test_a_workflow_whose_name_is_taken_is_refused_with_the_extensions_name(
    pool: Pool, temporal_client: Client
) -> None:
    companies = Companies.of([loyalty(OrderWorkflow)], (), Tools(pool))
    with pytest.raises(InvalidInput, match=r"extensions: loyalty: .*Order"):
        build_worker(temporal_client, [], task_queue="none", plugins=companies.temporal)
