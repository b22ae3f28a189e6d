"""The OpenAPI document, and the pages that show it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from domain.notifications.catalogue import CATALOGUE
from domain.notifications.customer_catalogue import CUSTOMER_CATALOGUE
from starter.http.describe import document
from starter.http.front import Front, Limits
from starter.http.metrics import Metrics
from tests.support.api import described_once, with_routes_of

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Front(with_routes_of(described_once()), limits=Limits(), metrics=Metrics())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        yield client


async def test_the_document_that_is_committed_is_the_one_that_is_served(
    client: httpx.AsyncClient,
) -> None:
    served = (await client.get("/openapi.json")).json()
    assert served["openapi"].startswith("3.1.")
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == served, "run `make openapi`"
    assert document() == COMMITTED.read_text(encoding="utf-8")


async def test_each_operation_has_a_name_a_summary_and_problem_documents(
    client: httpx.AsyncClient,
) -> None:
    served = (await client.get("/openapi.json")).json()
    operations = [one for path in served["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names) > 0
    described_tags = {tag["name"] for tag in served["tags"]}
    assert {tag for one in operations for tag in one["tags"]} == described_tags
    refusals = served["components"]["responses"]
    for one in operations:
        assert one["summary"]
        assert one["description"]
        refused = {
            status: refusals[answer["$ref"].rsplit("/", 1)[1]]["content"]
            for status, answer in one["responses"].items()
            if not status.startswith(("2", "304", "503"))
        }
        assert refused
        assert all(set(content) == {"application/problem+json"} for content in refused.values())


async def test_the_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "'unsafe-inline'" not in page.headers["content-security-policy"].split("style-src")[0]
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(parts) == 4
    for part in parts:
        answer = await client.get(f"/{part}")
        assert answer.status_code == 200, part
        assert answer.content
    assert "<script>" not in page.text
    assert (await client.get("/docs/nothing.js")).json()["code"] == "not_found"
    assert (await client.get("/docs/..%2fconsts.py")).status_code == 404


async def test_each_type_of_event_is_described_as_what_its_receiver_gets(
    client: httpx.AsyncClient,
) -> None:
    served = (await client.get("/openapi.json")).json()
    whens = {str(name): kind.when for name, kind in CATALOGUE.items()}
    whens |= {name: kind.when for name, kind in CUSTOMER_CATALOGUE.items()}
    assert set(served["webhooks"]) == set(whens)
    for event_type, item in served["webhooks"].items():
        told = item["post"]
        assert told["summary"] == whens[event_type]
        (content,) = told["requestBody"]["content"].values()
        schema = served["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        assert schema["properties"]["type"]["const"] == event_type
        assert schema["properties"]["data"]["$ref"]


def test_each_schema_has_a_word_as_its_name_and_its_title() -> None:
    """Generators make a class of each, by its name or its title."""
    schemas = described_once().openapi()["components"]["schemas"]
    assert [name for name in schemas if not name.isalnum()] == []
    titles = {name: schema.get("title", name) for name, schema in schemas.items()}
    assert {name: title for name, title in titles.items() if title != name} == {}
    named = str(described_once().openapi()).split("#/components/schemas/")[1:]
    assert {text.split("'")[0] for text in named} <= schemas.keys()
