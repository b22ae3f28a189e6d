"""The files for Prometheus and Grafana: what they ask can be asked, and each alert says what to do.

That each metric that they name is told stands where a program is scraped: tests/cli/test_serve.py
and tests/e2e/test_worker.py.
"""

from __future__ import annotations

import re

import promql_parser
import pytest

from tests.support.watching import expressions, metrics_named, panels, rules, told


def test_every_expression_is_one_of_prometheus() -> None:
    read = dict(expressions())
    assert len(read) > 30
    kinds = (promql_parser.BinaryExpr, promql_parser.Call)
    asked = {rule["alert"]: promql_parser.parse(rule["expr"]) for rule in rules()}
    assert all(isinstance(one, kinds) for one in asked.values()), "an alert compares"


def test_an_expression_that_is_none_is_found() -> None:
    with pytest.raises(ValueError, match=r"."):
        promql_parser.parse("sum by le (rate(x[5m]))")


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert re.fullmatch(r"[0-9]+[mh]", rule["for"])
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"].keys() == {"summary", "what_to_do"}
        for said in rule["annotations"].values():
            fields = re.findall(r"\{\{(.*?)\}\}", said)
            assert all(
                re.fullmatch(r" (\$labels\.[a-z_]+|\$value( \| humanizeDuration)?) ", field)
                for field in fields
            ), said


def test_the_dashboards_panels_lie_beside_each_other() -> None:
    found = panels()
    assert len({panel["id"] for panel in found}) == len(found)
    taken: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        squares = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert all(x < 24 for x, _ in squares), panel["title"]
        assert not squares & taken, panel["title"]
        taken |= squares


def test_the_metrics_of_both_programs_are_named() -> None:
    assert "orderloom_queue_wait_seconds" in metrics_named("orderloom_")
    assert "temporal_activity_schedule_to_start_latency_bucket" in metrics_named("temporal_")
    assert told('# HELP a b\na{x="y"} 1\nb 2\n') == {"a", "b"}
