"""The search attributes operators find orders by in the Temporal UI. Nothing personal goes here."""

from __future__ import annotations

from typing import Final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import Conflict, Unreachable
from runtime.retries import retry_context

SEARCH_ATTRIBUTES: Final[dict[str, IndexedValueType.ValueType]] = {
    "OrderNumber": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OrderChannel": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OrderStatus": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OrderAmount": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "OrderAttention": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
}


def type_name(value: IndexedValueType.ValueType) -> str:
    """The name the `temporal` program uses for a type: Keyword, Double, Bool, …"""
    name = IndexedValueType.Name(value).removeprefix("INDEXED_VALUE_TYPE_")
    return "".join(part.capitalize() for part in name.split("_"))


async def register(client: Client) -> list[str]:
    """Add the attributes that the client's namespace lacks. Returns the names that were added.

    Safe to repeat and to run from two places at once. Raises `Conflict` when a name is already
    taken with another type, and `Unreachable` when the server does not answer or does not allow it.
    """
    try:
        return await _register(client)
    except RPCError as error:
        raise Unreachable(
            f"Temporal refused to add search attributes to namespace {client.namespace!r}: "
            f"{error.message}. Check the address and the key's rights, or add them yourself: "
            + ", ".join(f"{name}={type_name(kind)}" for name, kind in SEARCH_ATTRIBUTES.items())
        ) from error


async def _register(client: Client) -> list[str]:
    # Where somebody else adds one between the two calls, none of ours goes in: look again.
    async for attempt in retry_context(
        on=_added_meanwhile, timeout=None, wait_initial=0, wait_jitter=0
    ):
        with attempt:
            missing = _missing(client.namespace, await _present(client))
            if missing:
                await client.operator_service.add_search_attributes(
                    AddSearchAttributesRequest(
                        namespace=client.namespace, search_attributes=missing
                    )
                )
    return list(missing)


def _added_meanwhile(error: Exception) -> bool:
    return isinstance(error, RPCError) and error.status is RPCStatusCode.ALREADY_EXISTS


async def _present(client: Client) -> dict[str, IndexedValueType.ValueType]:
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return {**answer.system_attributes, **answer.custom_attributes}


def _missing(
    namespace: str, present: dict[str, IndexedValueType.ValueType]
) -> dict[str, IndexedValueType.ValueType]:
    for name, kind in SEARCH_ATTRIBUTES.items():
        if present.get(name, kind) != kind:
            raise Conflict(
                f"search attribute {name!r} exists in Temporal namespace {namespace!r} as "
                f"{type_name(present[name])}, but Orderloom needs {type_name(kind)}: "
                "remove or rename it there, or use another namespace"
            )
    return {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in present}
