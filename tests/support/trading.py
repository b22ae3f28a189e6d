"""A trading partner for tests: mock-edi, which we did not write, and our side without Temporal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mockedi.testing

from activities.edi.acting import Act, Acting
from activities.edi.changes import EdiChanges
from activities.edi.inbox import EdiInbox
from activities.edi.orders import EdiOrders
from activities.edi.purchases import ANSWERS
from activities.edi.telling import EdiTelling
from domain.edi.partners import Partner
from domain.orders.channels import Channel
from domain.orders.continuation import AnsweredRequest
from domain.orders.messages import OrderRequest, digest_of
from domain.orders.policy import Policy
from domain.orders.providers import ON_ACCOUNT
from starter.service.channels import Channels
from starter.service.edi import Edi
from store.database import Pool
from store.orders import answers

_X12 = {"Content-Type": "application/edi-x12"}
Mock = mockedi.testing.Mock


@contextmanager
def a_mock(**options: Any) -> Iterator[Any]:
    """A whole trading partner in this process, on a port of its own."""
    with Mock.start(strict_receiver=False, **options) as mock:
        yield mock


def a_buyer(**changes: Any) -> Partner:
    """mock-edi as our customer: it orders as MOCKEDI from its supplier NORTHWIND, which we are."""
    usual = {
        "partner": "mock",
        "name": "Mock EDI Supply Co",
        "role": "customer",
        "channel": "b2b",
        "ours": {"id": "NORTHWIND"},
        "theirs": {"id": "MOCKEDI"},
        "test": True,
        "country": "US",
        "payment_days": 30,
    }
    return Partner.model_validate({**usual, **changes})


def faults_of(mock: Any, raw: bytes) -> list[str]:
    """What the partner's own validator finds wrong with an interchange of ours."""
    answer = mock.expect("POST", "/_mock/validate", raw.decode(), headers=_X12)
    return [] if answer["clean"] else list(answer["explain"])


class Trade:
    """Our side: partners, what comes and what goes. Files are carried by hand."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.edi = Edi(pool)
        placing: dict[str, Act] = {"850": EdiOrders(Policy()).place, **ANSWERS}
        changes = EdiChanges(pool, self._ask)
        placing["860"] = changes.change
        self.asked: list[OrderRequest] = []
        self.refusal: str | None = ""
        self.inbox = EdiInbox(pool, Acting(pool, placing, changes.ask))
        self.telling = EdiTelling(pool)
        self._carried = 0

    async def _ask(self, order_id: str, request: OrderRequest) -> str | None:
        """No workflow is here: the test says what it would answer."""
        self.asked.append(request)
        if self.refusal == "" and request.request_id is not None:
            kept = AnsweredRequest(
                request_id=request.request_id, digest=digest_of(request), outcome={}
            )
            async with self.pool.acquire() as conn:
                await answers.keep(conn, order_id, kept)
            await self.pool.execute("update edi_document set try_after = now()")
        return self.refusal

    async def with_buyer(self, **changes: Any) -> Partner:
        """A b2b channel, and the customer that orders through it."""
        partner = a_buyer(**changes)
        channel = Channel(channel="b2b", kind="b2b", providers=(ON_ACCOUNT,))
        await Channels(self.pool).save([channel])
        await self.edi.save([partner], by="test")
        return partner

    async def comes(self, raw: bytes | str) -> None:
        """An interchange comes, and is worked through."""
        await self.edi.receive("test", raw.encode() if isinstance(raw, str) else raw)
        await self.inbox.work_through()

    async def goes(self) -> list[tuple[str, bytes]]:
        """What was written since this was asked last: each document's code, and its interchange."""
        await self.telling.tell()
        found = []
        for one in reversed(await self.edi.list(direction="out")):
            number = one.interchange.interchange_no
            if number > self._carried:
                raw = (await self.edi.show(number)).raw
                assert raw is not None
                found.append((one.documents[0].code, raw))
                self._carried = number
        return found

    async def exchange(self, mock: Any) -> list[str]:
        """Carry everything between us and the partner, once each way. Returns what went to it."""
        for one in mock.mailbox(leave=False):
            await self.comes(one["payload"])
        sent = []
        for code, raw in await self.goes():
            assert faults_of(mock, raw) == [], raw.decode()
            mock.send(raw.decode())
            sent.append(code)
        return sent

    async def tasks(self) -> list[str]:
        """What needs a person."""
        found = []
        for one in await self.edi.list(failed=True):
            if one.interchange.error and one.interchange.done_at is None:
                found.append(one.interchange.error)
            found += [document.task for document in one.documents if document.task]
        return found
