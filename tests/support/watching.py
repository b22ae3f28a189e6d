"""What the files for Prometheus and Grafana ask: their expressions, and the metrics they name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import promql_parser
from ruamel.yaml import YAML

from tests.architecture.source import ROOT

ALERTS = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = ROOT / "deploy/grafana/orderloom.json"


def rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    read = YAML(typ="safe", pure=True).load(ALERTS)
    return [rule for group in read["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Every panel of the dashboard."""
    return cast("list[dict[str, Any]]", json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"])


def expressions() -> Iterator[tuple[str, promql_parser.Expr]]:
    """What each rule and each panel asks, read as Prometheus does. Raises ValueError."""
    for rule in rules():
        yield rule["alert"], promql_parser.parse(rule["expr"])
    for panel in panels():
        for target in panel.get("targets", ()):
            text = target["expr"].replace("$__rate_interval", "5m")
            yield panel["title"], promql_parser.parse(text)


def metrics_named(begins: str) -> set[str]:
    """The metrics with this beginning, as a scrape has them."""
    found: set[str] = set()
    for _, expression in expressions():
        for part in _parts(expression):
            if isinstance(part, promql_parser.VectorSelector) and part.name is not None:
                found.add(part.name)
    return {name for name in found if name.startswith(begins)}


def _parts(expression: promql_parser.Expr) -> list[promql_parser.Expr]:
    found: list[promql_parser.Expr] = []

    def see(part: promql_parser.Expr) -> bool:
        found.append(part)
        return True

    promql_parser.walk(expression, see)
    return found


def told(scraped: str) -> set[str]:
    """The metrics of a scrape."""
    lines = (line for line in scraped.splitlines() if line and not line.startswith("#"))
    return {line.partition("{")[0].partition(" ")[0] for line in lines}
