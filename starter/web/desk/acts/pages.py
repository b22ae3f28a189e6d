"""The pages of acts: the form, what it would do, and then exactly that.

A form is met once, however often it is sent, and never over what others have changed: it carries
the order's version and its own request id. `go` says how far it is: `preview` shows what would
happen now, `change` shows the form again as it was filled in, `all` the same with all units, and
`do` does it. What was done under the form's id, though nobody had an answer, is told and not
foretold a second time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from domain.access.request_keys import KeyReused
from domain.errors import InvalidInput, NotFound, OrderloomError, Refused
from starter.web.desk.acts.acting import UNITS, Act, AllRefused, Asking, Field, FieldLacks, Seen
from starter.web.desk.acts.boxes import located
from starter.web.desk.acts.left_over import left_over
from starter.web.desk.acts.table import ACTS
from starter.web.desk.order_page import look
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.desk.story import Line
from starter.web.screens.forms import NotAsked, met, whole
from starter.web.screens.once import met_before
from starter.web.screens.visits import ScreenRoute, Visit, in_words, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_NOT_KNOWN: Final = 503
"""Whether it was done is not known."""
_NOT_TYPED: Final = ("go", "request_id", "version", "seen")
"""Fields that the page fills in."""

_NAMED: Final = {act.offer.asks: act.name for act in reversed(ACTS)}
"""Update → the act that asks for it; of several, the first one."""


class _Page:
    """One act on one order, while one request is answered."""

    def __init__(self, act: Act, asking: Asking) -> None:
        self._act = act
        self._asking = asking
        self._visit = asking.visit
        self._error: OrderloomError | None = None
        self._wrong: ValidationError | InvalidInput | None = None
        self._news: Sequence[Line] = ()
        self._filled: Mapping[str, str] = {}

    async def answer(self) -> Response:
        """Meet the form that was sent."""
        asking, visit = self._asking, self._visit
        go = visit.field("go") or "do"
        try:
            was_met = await self._was_met()
        except KeyReused:
            return self.form(409, [visit.words("form_sent_before")], request_id=new_id())
        if not was_met and asking.shown.version != visit.field("version"):
            # What has happened is told, and nothing is done; a preview is of the order as it is.
            after = whole(visit.field("seen"))
            self._news = [line for line in asking.shown.story if line.event.event_id > after]
            if go == "do":
                return self.form(409, [visit.words("changed_meanwhile")], request_id=new_id())
        if go in ("change", "all"):
            return self.form()
        if go == "preview" and not was_met:
            return await self._previewed()
        then = f"app/orders/{quote(asking.order_id)}"
        return await met(visit, self._done, then, self._again)

    async def _was_met(self) -> bool:
        """Raises KeyReused where a form with its id said something else."""
        if self._act.is_kept_here:
            return await met_before(self._visit)
        asked = self._asking.order_id, self._visit.field("request_id")
        return await self._visit.here.orders.answer_of(*asked) is not None

    def form(
        self,
        status: int = 200,
        trouble: Sequence[str] = (),
        *,
        seen: Seen | None = None,
        request_id: str = "",
    ) -> Response:
        """The form, or what it would do."""
        asking, act = self._asking, self._act
        no = act.offer.why_not(asking.facts)
        fields = act.fields(asking)
        shown = () if no else fields
        if self._wrong is not None:
            trouble, self._visit.faults = located(asking, fields, self._wrong)
        detail = str(self._error or "")
        if isinstance(self._error, AllRefused) and self._error.units:
            trouble, detail = [asking.stays(each) for each in self._error.units], ""
        return self._visit.show(
            "desk/act",
            status=status,
            trouble=trouble,
            act=act,
            one=asking.shown,
            summary=asking.detail.summary,
            folds=_folded(shown),
            units_in_all=sum(_most(shown).values()),
            left_over=left_over(asking, fields, shown) if self._visit.sent else (),
            no=no,
            instead=[*(no.instead if no else ()), *(self._error.instead if self._error else ())],
            detail="" if detail in trouble else detail,
            seen=seen,
            said=self._said(shown),
            typed=self._typed(seen),
            request_id=request_id or self._visit.field("request_id") or new_id(),
            news=self._news,
            named=_NAMED,
            **IN_TEMPLATES,
        )

    def _said(self, shown: Sequence[Field]) -> dict[str, str]:
        """What was typed, and what is suggested where nothing was; or all units there are."""
        said = {name: values[0] for name, values in self._visit.sent.items()}
        if self._visit.field("go") == "all":
            return said | {f"{UNITS}{line}": str(n) for line, n in _most(shown).items()}
        return said | {name: text for name, text in self._filled.items() if not said.get(name)}

    def _typed(self, seen: Seen | None) -> list[tuple[str, str]]:
        if seen is None:
            return []
        sent = {k: v[0] for k, v in self._visit.sent.items() if k not in _NOT_TYPED}
        return [*(sent | dict(seen.carry)).items()]

    async def _previewed(self) -> Response:
        """What it would do; or the form again, where a rule says no."""
        asking, act = self._asking, self._act
        try:
            return self.form(seen=await act.preview(asking, act.read(asking)))
        except NotAsked as no:
            if isinstance(no, FieldLacks):
                self._visit.faults, self._filled = dict(no.faults), no.filled
            return self.form(422, [self._visit.words(no.key)])
        except (ValidationError, InvalidInput) as wrong:
            self._wrong = wrong
            return self.form(422)
        except (Refused, NotFound) as no:
            self._error = no
            return self.form(409, in_words(self._visit.words, no))

    async def _done(self) -> str:
        asking = self._asking
        try:
            return await self._act.do(asking.here, asking.order_id, self._act.read(asking))
        except Refused as no:
            self._error = no
            raise
        except (ValidationError, InvalidInput) as wrong:
            self._wrong = wrong
            raise

    async def _again(self, status: int, trouble: Sequence[str]) -> Response:
        # What may be under way is asked for once more, not a second time.
        same = self._visit.field("request_id") if status == _NOT_KNOWN else new_id()
        self._asking = await asking_of(self._visit, self._asking.order_id)
        return self.form(status, trouble, request_id=same)


def _most(fields: Sequence[Field]) -> dict[str, int]:
    """Line id → the units that can be chosen, of a form that asks for units."""
    return {line: n for field in fields if field.kind == "units" for line, n in field.most.items()}


def _folded(fields: Sequence[Field]) -> list[tuple[str, list[Field]]]:
    """Neighbours that are folded together, and the sentence under which they are."""
    return [(fold, list(some)) for fold, some in groupby(fields, key=lambda field: field.fold)]


async def asking_of(visit: Visit, order_id: str) -> Asking:
    """The order as it is now. Raises NotFound, also for somebody else's."""
    return Asking(visit, await look(visit, order_id))


def new_id() -> str:
    """Names the request of a form."""
    return f"desk-{uuid.uuid4().hex}"


Endpoint = Callable[..., Coroutine[Any, Any, Response]]


def _shows(act: Act) -> Endpoint:
    who = may("orders:read", act.offer.scope)

    async def show(order_id: str, visit: Visit = who) -> Response:
        return _Page(act, await asking_of(visit, order_id)).form()

    return show


def _meets(act: Act) -> Endpoint:
    who = may("orders:read", act.offer.scope)

    async def meet(order_id: str, visit: Visit = who) -> Response:
        return await _Page(act, await asking_of(visit, order_id)).answer()

    return meet


for _act in ACTS:
    _path = f"/app/orders/{{order_id}}/{_act.name}"
    router.add_api_route(_path, _shows(_act), methods=["GET"], name=f"show_{_act.name}")
    router.add_api_route(_path, _meets(_act), methods=["POST"], name=f"meet_{_act.name}")
