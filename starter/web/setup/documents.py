"""Pages of a kind of document: the list, one of them, a new one; saved, retired and reopened.

Sellers, channels and locations are told by their codes and set as a whole, so they have the same
pages. Who saves what others have changed meanwhile is told so, and nothing is done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel
from starlette.responses import Response

from domain.access.keys import Scope
from domain.errors import Conflict
from domain.seen import version_of
from starter.web.screens.forms import met, told_by
from starter.web.screens.visits import Visit
from starter.web.setup.fields import (
    Field,
    by_fields,
    changes,
    document_of,
    sent_values,
    values_of,
)
from starter.web.setup.parts import show

Model = TypeVar("Model", bound=BaseModel)
_CHANGED: Final = 409
"""The form was not met, because something else is there by now."""


class Documents(ABC, Generic[Model]):
    """A kind of them. `name`: of its pages and sentences. `code`: the field with their codes."""

    name: str
    code: str
    model: type[Model]
    fields: tuple[Field, ...]
    writes: Scope

    @abstractmethod
    async def all(self, visit: Visit) -> Sequence[Model]:
        """All of them, by their codes."""

    @abstractmethod
    async def get(self, visit: Visit, code: str) -> Model:
        """One of them. Raises NotFound."""

    @abstractmethod
    async def make(self, visit: Visit, wanted: Model) -> None:
        """A new one."""

    @abstractmethod
    async def change(self, visit: Visit, wanted: Model, seen: str) -> None:
        """Set one anew that is as it was seen."""

    @abstractmethod
    async def set_retired(self, visit: Visit, code: str, *, retired: bool) -> None:
        """Let it take nothing new, or again."""

    @abstractmethod
    async def retired(self, visit: Visit) -> set[str]:
        """The codes of those that are retired."""

    @abstractmethod
    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        """What can be chosen, by field: values and sentences."""

    async def besides(self, visit: Visit, one: Model) -> dict[str, Any]:
        """What the page of one shows besides."""
        return {}

    # Pages ----------------------------------------------------------------------------------------

    @property
    def at(self) -> str:
        """The address of the list."""
        return f"app/setup/{self.name}"

    async def list_page(self, visit: Visit, done: str) -> Response:
        """All of them."""
        return show(
            visit,
            self.name,
            told=told_by(visit, done),
            found=await self.all(visit),
            retired=await self.retired(visit),
            may_write=visit.person.allows(self.writes),
        )

    async def new_page(
        self, visit: Visit, *, status: int = 200, trouble: Sequence[str] = ()
    ) -> Response:
        """The form for another one."""
        fields = (Field(self.code, required=True), *self.fields)
        values = sent_values(visit, fields)
        if not visit.sent:
            values = values_of({**self._defaults(), self.code: ""}, fields)
        return show(
            visit,
            "new_document",
            status=status,
            trouble=trouble,
            plural=self.name,
            at=f"{self.at}/new",
            fields=fields,
            values=values,
            options=await self.options(visit),
        )

    async def add(self, visit: Visit) -> Response:
        """Make it."""
        fields = (Field(self.code), *self.fields)

        async def act() -> str:
            wanted = self.model.model_validate(document_of(visit, fields))
            code = getattr(wanted, self.code)
            if any(getattr(one, self.code) == code for one in await self.all(visit)):
                raise Conflict(f"{code} is there already", reason="code_taken")
            await self.make(visit, wanted)
            return "made"

        async def again(status: int, trouble: Sequence[str]) -> Response:
            visit.faults = by_fields(visit.faults, fields)
            return await self.new_page(visit, status=status, trouble=trouble)

        return await met(visit, act, self.at, again)

    async def page(
        self,
        visit: Visit,
        code: str,
        *,
        status: int = 200,
        told: str = "",
        trouble: Sequence[str] = (),
        typed: bool = False,
    ) -> Response:
        """One of them. `typed`: with what was typed, beside what has changed meanwhile."""
        one = await self.get(visit, code)
        now = values_of(one.model_dump(mode="json", warnings=False), self.fields)
        values = sent_values(visit, self.fields) if typed else now
        return show(
            visit,
            self.name.removesuffix("s"),
            status=status,
            told=told,
            trouble=trouble,
            one=one,
            code=code,
            at=f"{self.at}/{quote(code)}",
            seen=version_of(one),
            fields=self.fields,
            values=values,
            news=changes(now, values, self.fields) if status == _CHANGED else [],
            options=await self.options(visit),
            is_retired=code in await self.retired(visit),
            may_write=visit.person.allows(self.writes),
            **await self.besides(visit, one),
        )

    async def save(self, visit: Visit, code: str) -> Response:
        """Set all that the form has, where it is as it was when the page was shown."""

        async def act() -> str:
            now = await self.get(visit, code)
            said = document_of(visit, self.fields)
            kept = {"retired": now.retired} if hasattr(now, "retired") else {}
            wanted = self.model.model_validate({**said, **kept, self.code: code})
            await self.change(visit, wanted, visit.field("seen"))
            return "saved"

        async def again(status: int, trouble: Sequence[str]) -> Response:
            visit.faults = by_fields(visit.faults, self.fields)
            return await self.page(visit, code, status=status, trouble=trouble, typed=True)

        return await met(visit, act, f"{self.at}/{quote(code)}", again)

    async def retire(self, visit: Visit, code: str, *, retired: bool) -> Response:
        """Let it take nothing new, or again."""

        async def act() -> str:
            await self.set_retired(visit, code, retired=retired)
            return "retired" if retired else "reopened"

        async def again(status: int, trouble: Sequence[str]) -> Response:
            return await self.page(visit, code, status=status, trouble=trouble)

        return await met(visit, act, f"{self.at}/{quote(code)}", again)

    def _defaults(self) -> dict[str, Any]:
        """What a new one has that nobody says."""
        return {
            name: field.get_default(call_default_factory=True)
            if not isinstance(field.default, BaseModel)
            else field.default.model_dump(mode="json", warnings=False)
            for name, field in self.model.model_fields.items()
            if not field.is_required()
        }
