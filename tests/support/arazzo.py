"""Runs Arazzo workflows: as much of the specification, version 1.0.1, as docs/arazzo.yaml uses.

Each step is sent as it stands there, its success criteria are checked, and its answer must be as
the OpenAPI document says. What is not known here fails: nothing is passed over.
"""

from __future__ import annotations

import asyncio
import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from jsonschema_rs import validator_for
from ruamel.yaml import YAML

_COMPARED: Final = {"==": operator.eq, "!=": operator.ne, ">=": operator.ge}
_EMBEDDED: Final = re.compile(r"\{(\$[^}]+)\}")
_STEP: Final = {
    "stepId",
    "description",
    "operationId",
    "workflowId",
    "parameters",
    "requestBody",
} | {
    "successCriteria",
    "onFailure",
    "outputs",
}


@dataclass
class Run:
    """What is known in one run of a workflow: its inputs, and the outputs of its steps."""

    inputs: Mapping[str, Any]
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    answer: httpx.Response | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)

    def value(self, told: Any) -> Any:
        """A value with its expressions evaluated, also within texts, lists and objects."""
        match told:
            case str() if told.startswith("$"):
                return self._of(told)
            case str():
                return _EMBEDDED.sub(lambda found: str(self._of(found[1])), told)
            case list():
                return [self.value(one) for one in told]
            case dict():
                return {name: self.value(one) for name, one in told.items()}
            case _:
                return told

    def holds(self, condition: str) -> bool:
        """Whether a simple condition is met."""
        found = re.fullmatch(r"(\S+) (==|!=|>=) (.+)", condition)
        assert found, f"no condition that is known here: {condition}"
        literal = json.loads(found[3].replace("'", '"'))
        left = self._of(found[1])
        return left is not None and bool(_COMPARED[found[2]](left, literal))

    def _of(self, expression: str) -> Any:
        whole, _, pointer = expression.partition("#")
        match whole.split("."):
            case ["$statusCode"]:
                assert self.answer is not None
                return self.answer.status_code
            case ["$response", "body"]:
                assert self.answer is not None
                return _at(self.answer.json() if self.answer.content else None, pointer)
            case ["$response", "header", name]:
                assert self.answer is not None
                return self.answer.headers[name]
            case ["$inputs", name]:
                return self.inputs[name]
            case ["$outputs", name]:
                return self.outputs[name]
            case ["$steps", step, "outputs", name]:
                return self.steps[step][name]
        raise AssertionError(f"no expression that is known here: {expression}")


def _at(value: Any, pointer: str) -> Any:
    """What a JSON Pointer names; None: nothing is there."""
    for part in pointer.split("/")[1:]:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (LookupError, TypeError):
            return None
    return value


def workflows_in(document: Path) -> dict[str, dict[str, Any]]:
    """Workflow id → workflow."""
    told = YAML(typ="safe").load(document)
    return {one["workflowId"]: one for one in told["workflows"]}


class Journeys:
    """The workflows of a document. `client` asks the server."""

    def __init__(self, document: Path, client: httpx.AsyncClient) -> None:
        told = YAML(typ="safe").load(document)
        self.workflows = workflows_in(document)
        (source,) = told["sourceDescriptions"]
        described = json.loads((document.parent / source["url"]).read_text(encoding="utf-8"))
        self._parts = {"components": described["components"]}
        self._operations = {
            operation["operationId"]: (method.upper(), path, operation["responses"])
            for path, item in described["paths"].items()
            for method, operation in item.items()
        }
        self._client = client

    async def run(self, workflow_id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Its outputs. Raises AssertionError with the step whose criteria are not met."""
        workflow = self.workflows[workflow_id]
        missing = set(workflow["inputs"]["required"]) - inputs.keys()
        assert not missing, f"{workflow_id} needs {missing}"
        run = Run(inputs)
        for step in workflow["steps"]:
            assert step.keys() <= _STEP, f"no field that is known here: {step.keys() - _STEP}"
            await self._step(run, workflow, step)
        return {name: run.value(one) for name, one in workflow.get("outputs", {}).items()}

    async def _step(self, run: Run, workflow: Mapping[str, Any], step: Mapping[str, Any]) -> None:
        if "workflowId" in step:
            inputs = {one["name"]: run.value(one["value"]) for one in step["parameters"]}
            run.outputs = await self.run(step["workflowId"], inputs)
        else:
            await self._ask(run, workflow, step)
        run.steps[step["stepId"]] = {
            name: run.value(one) for name, one in step.get("outputs", {}).items()
        }

    async def _ask(self, run: Run, workflow: Mapping[str, Any], step: Mapping[str, Any]) -> None:
        again = step.get("onFailure", [{"retryLimit": 0, "retryAfter": 0}])[0]
        conditions = [one["condition"] for one in step["successCriteria"]]
        for _ in range(again["retryLimit"] + 1):
            run.answer = await self._sent(run, workflow, step)
            failed = [one for one in conditions if not run.holds(one)]
            if not failed:
                return
            await asyncio.sleep(again["retryAfter"])
        assert run.answer is not None
        raise AssertionError(
            f"{workflow['workflowId']} {step['stepId']}: {failed} {run.answer.text}"
        )

    async def _sent(
        self, run: Run, workflow: Mapping[str, Any], step: Mapping[str, Any]
    ) -> httpx.Response:
        method, path, answers = self._operations[step["operationId"]]
        headers, query = {}, {}
        for one in (*workflow.get("parameters", ()), *step.get("parameters", ())):
            value = str(run.value(one["value"]))
            match one["in"]:
                case "path":
                    path = path.replace(f"{{{one['name']}}}", quote(value, safe=""))
                case "query":
                    query[one["name"]] = value
                case "header":
                    headers[one["name"]] = value
        body = step.get("requestBody")
        content = None
        if body is not None:
            headers["Content-Type"] = body["contentType"]
            content = json.dumps(run.value(body["payload"]))
        answer = await self._client.request(
            method, path, params=query, headers=headers, content=content
        )
        if answer.is_success and answer.content:
            described = answers[str(answer.status_code)]["content"]["application/json"]["schema"]
            validator_for({**described, **self._parts}).validate(answer.json())
        return answer
