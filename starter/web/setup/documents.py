"""Pages of a kind of document: the list, one of them, a new one; saved, retired and reopened.

Sellers, channels and locations are told by their codes and set as a whole, so they have the same
pages. Who saves what others have changed meanwhile is told so, and nothing is done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from domain.access.keys import Scope
from domain.errors import NotFound, Refused
from domain.seen import version_of
from starter.web.screens.forms import met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.fields import (
    Field,
    by_fields,
    changes,
    document_of,
    is_stale,
    sent_values,
    values_of,
)
from starter.web.setup.parts import show

Model = TypeVar("Model", bound=BaseModel)
Wanted_contra = TypeVar("Wanted_contra", bound=BaseModel, contravariant=True)


class Door(Protocol[Wanted_contra]):
    """What keeps them: `starter.service`."""

    async def make(self, wanted: Wanted_contra) -> None: ...
    async def change(self, wanted: Wanted_contra, *, seen: str) -> None: ...
    async def retire(self, code: str, /) -> object: ...
    async def reopen(self, code: str, /) -> None: ...


class Documents(ABC, Generic[Model]):
    """A kind of them. `name`: of its pages and sentences. `code`: the field with their codes."""

    name: str
    code: str
    model: type[Model]
    fields: tuple[Field, ...]
    reads: Scope
    writes: Scope
    page_name: str = "document"
    """The template of the page of one."""

    @abstractmethod
    def door(self, visit: Visit) -> Door[Model]:
        """What keeps them."""

    @abstractmethod
    async def all(self, visit: Visit) -> Sequence[Model]:
        """All of them, by their codes."""

    @abstractmethod
    def is_theirs(self, visit: Visit, one: Model) -> bool:
        """Whether it is the business of who looks."""

    @abstractmethod
    def may_add(self, visit: Visit) -> bool:
        """Whether another one would be, too."""

    @abstractmethod
    async def retired(self, visit: Visit) -> set[str]:
        """The codes of those that are retired."""

    @abstractmethod
    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        """What can be chosen, by field: values and sentences."""

    async def besides(self, visit: Visit, one: Model) -> dict[str, Any]:
        """What the page of one shows besides."""
        return {}

    async def theirs(self, visit: Visit) -> list[Model]:
        """Those that are the business of who looks."""
        return [one for one in await self.all(visit) if self.is_theirs(visit, one)]

    async def get(self, visit: Visit, code: str) -> Model:
        """One of them. Raises NotFound, also for what is somebody else's: nobody can tell."""
        for one in await self.theirs(visit):
            if getattr(one, self.code) == code:
                return one
        raise NotFound(f"there is no {self.code} {code}")

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
            found=await self.theirs(visit),
            retired=await self.retired(visit),
            may_write=visit.person.allows(self.writes) and self.may_add(visit),
        )

    async def new_page(
        self, visit: Visit, *, status: int = 200, trouble: Sequence[str] = ()
    ) -> Response:
        """The form for another one."""
        fields = (Field(self.code, required=True), *self.fields)
        values = sent_values(visit, fields)
        if not visit.sent:
            values = values_of(visit.words, {**self._defaults(), self.code: ""}, fields)
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
            if not self.may_add(visit):
                raise Refused(f"another {self.code} is not for you to make", reason="beyond")
            await self.door(visit).make(wanted)
            return "made"

        async def again(status: int, trouble: Sequence[str]) -> Response:
            visit.faults = by_fields(visit.words, visit.faults, fields)
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
        now = values_of(visit.words, one.model_dump(mode="json", warnings=False), self.fields)
        values = sent_values(visit, self.fields) if typed else now
        return show(
            visit,
            self.page_name,
            status=status,
            told=told,
            trouble=trouble,
            one=one,
            title=visit.words(f"one_{self.code}", code=code),
            code=code,
            at=f"{self.at}/{quote(code)}",
            seen=version_of(one),
            fields=self.fields,
            values=values,
            news=changes(now, values, self.fields) if typed and is_stale(visit, one) else [],
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
            kept = {name: getattr(now, name) for name in self.kept}
            wanted = self.model.model_validate({**said, **kept, self.code: code})
            await self.door(visit).change(wanted, seen=visit.field("seen"))
            return "saved"

        async def again(status: int, trouble: Sequence[str]) -> Response:
            visit.faults = by_fields(visit.words, visit.faults, self.fields)
            return await self.page(visit, code, status=status, trouble=trouble, typed=True)

        return await met(visit, act, f"{self.at}/{quote(code)}", again)

    async def retire(self, visit: Visit, code: str, *, retired: bool) -> Response:
        """Let it take nothing new, or again."""
        await self.get(visit, code)

        async def act() -> str:
            if retired:
                await self.door(visit).retire(code)
            else:
                await self.door(visit).reopen(code)
            return "retired" if retired else "reopened"

        async def again(status: int, trouble: Sequence[str]) -> Response:
            return await self.page(visit, code, status=status, trouble=trouble)

        return await met(visit, act, f"{self.at}/{quote(code)}", again)

    @property
    def kept(self) -> list[str]:
        """What the form does not have, and stays as it is."""
        asked = {self.code, *(field.path.partition(".")[0] for field in self.fields)}
        return [name for name in self.model.model_fields if name not in asked]

    def _defaults(self) -> dict[str, Any]:
        """What a new one has that nobody says."""
        return {
            name: field.get_default(call_default_factory=True)
            if not isinstance(field.default, BaseModel)
            else field.default.model_dump(mode="json", warnings=False)
            for name, field in self.model.model_fields.items()
            if not field.is_required()
        }


def router_of(kind: Documents[Any]) -> APIRouter:
    """The addresses of all of these pages."""
    router: Final = APIRouter(
        prefix=f"/{kind.at}", include_in_schema=False, route_class=ScreenRoute
    )
    reads, writes = may(kind.reads), may(kind.reads, kind.writes)

    @router.get("")
    async def all_of_them(visit: Visit = reads, done: str = "") -> Response:
        return await kind.list_page(visit, done)

    @router.get("/new")
    async def new(visit: Visit = writes) -> Response:
        return await kind.new_page(visit)

    @router.post("/new")
    async def add(visit: Visit = writes) -> Response:
        return await kind.add(visit)

    @router.get("/{code}")
    async def one(code: str, visit: Visit = reads, done: str = "") -> Response:
        return await kind.page(visit, code, told=told_by(visit, done))

    @router.post("/{code}")
    async def save(code: str, visit: Visit = writes) -> Response:
        return await kind.save(visit, code)

    @router.post("/{code}/retire")
    async def retire(code: str, visit: Visit = writes) -> Response:
        return await kind.retire(visit, code, retired=True)

    @router.post("/{code}/reopen")
    async def reopen(code: str, visit: Visit = writes) -> Response:
        return await kind.retire(visit, code, retired=False)

    return router
