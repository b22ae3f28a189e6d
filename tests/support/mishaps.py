"""What can befall a money call: at the company, on the way there and back, and to who makes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

from activities.payments.authorizations import Authorizations
from activities.payments.payments import Payments
from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, OutcomeUnknown, TimedOut, Unavailable
from store.database import Connection, Pool

T = TypeVar("T")
Effect = Callable[[], Awaitable[PaymentReceipt]]

Fault = Literal[
    "nothing",
    "unavailable",
    "time-out before the effect",
    "time-out before the effect, and the look-up is lost",
    "answer lost",
    "answer and two look-ups lost",
    "arrives after it was looked up",
    "dies before the call",
    "dies after the call",
    "dies as it records",
    "dies when it has recorded",
    "hangs before the call, and another worker takes over",
    "hangs after the call, and another worker takes over",
    "answer lost, with two workers at once",
    "called twice",
    "called by two workers at once",
]
"""What befalls one call to a company, the first time that it is made; or the activity as such."""

OF_THE_ACTIVITY: tuple[Fault, ...] = ("called twice", "called by two workers at once")

_LOOK_UPS_LOST: dict[Fault, int] = {
    "time-out before the effect, and the look-up is lost": 1,
    "answer and two look-ups lost": 2,
}

ATTEMPTS_MAX = 8


class Died(BaseException):
    """The worker's process is gone: nothing after this point ran."""


@dataclass
class Mishap:
    """A fault, and the call that it befalls: the first, second… of those that an activity makes."""

    fault: Fault = "nothing"
    number: int = 1
    keys: list[str] = field(default_factory=list)
    """Of the calls to companies that were made."""
    struck: bool = False
    look_ups_lost: int = 0
    dies: Literal["", "before the commit", "after the commit"] = ""
    late: dict[str, Effect] = field(default_factory=dict)
    hung: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, key: str, effect: Effect) -> PaymentReceipt:
        """Make a call, or have it fail as it is to."""
        if key not in self.keys:
            self.keys.append(key)
        if late := self.late.pop(key, None):
            await late()
        if self.struck or self.keys.index(key) + 1 != self.number:
            return await effect()
        self.struck = True
        self.look_ups_lost = _LOOK_UPS_LOST.get(self.fault, 0)
        return await self._strike(key, effect)

    async def _strike(self, key: str, effect: Effect) -> PaymentReceipt:
        fault = self.fault
        if fault in ("nothing", *OF_THE_ACTIVITY):
            return await effect()
        if fault == "unavailable":
            raise Unavailable("it answers 503")
        if fault.startswith("time-out"):
            raise TimedOut("the request was lost")
        if fault == "arrives after it was looked up":
            self.late[key] = effect
            raise TimedOut("the request is still on its way")
        if fault == "dies before the call":
            raise Died
        if fault.startswith("hangs before"):
            await self._hang()
        receipt = await effect()
        if fault.startswith("answer"):
            raise TimedOut("the answer was lost")
        if fault == "dies after the call":
            raise Died
        if fault == "dies as it records":
            self.dies = "before the commit"
        if fault == "dies when it has recorded":
            self.dies = "after the commit"
        if fault.startswith("hangs after"):
            await self._hang()
        return receipt

    async def _hang(self) -> None:
        self.hung.set()
        await self.go_on.wait()

    def look_up(self) -> None:
        """Somebody asks what became of a key. Raises Unavailable where nobody is to know."""
        if self.look_ups_lost:
            self.look_ups_lost -= 1
            raise Unavailable("it answers 503")

    def dies_now(self, when: str) -> None:
        """Raises Died at the moment at which it is to."""
        if self.dies == when:
            self.dies = ""
            raise Died

    async def through(self, attempt: Callable[[], Awaitable[T]]) -> T | DeclineCode:
        """Call an activity as Temporal would, until it answers; by two workers where it says so.

        Returns its answer, or why it is refused.
        """
        if self.fault == "called twice":
            await _until_done(attempt)
        if self.fault.endswith("two workers at once"):
            answers = await asyncio.gather(_until_done(attempt), _until_done(attempt))
            return answers[0]
        if not self.fault.startswith("hangs"):
            return await _until_done(attempt)
        first, hung = (
            asyncio.ensure_future(_until_done(attempt)),
            asyncio.ensure_future(self.hung.wait()),
        )
        await asyncio.wait({first, hung}, return_when=asyncio.FIRST_COMPLETED)
        answer = await _until_done(attempt)
        self.go_on.set()
        hung.cancel()
        await first
        return answer


async def once(attempt: Callable[[], Awaitable[T]]) -> None:
    """Call an activity, and then no more: nobody knows what came of it."""
    with contextlib.suppress(OutcomeUnknown):
        await attempt()


async def _until_done(attempt: Callable[[], Awaitable[T]]) -> T | DeclineCode:
    for _ in range(ATTEMPTS_MAX):
        try:
            return await attempt()
        except Declined as refusal:
            return refusal.code
        except (OutcomeUnknown, Died):
            continue
    raise AssertionError(f"not done after {ATTEMPTS_MAX} attempts")


class Worker:
    """The money activities, of a worker that a mishap befalls."""

    def __init__(
        self, pool: Pool, providers: dict[str, PaymentProvider], mishap: Mishap | None = None
    ) -> None:
        mishap = mishap or Mishap()
        dying = cast("Pool", _Pool(pool, mishap))
        befallen = {name: _Company(real, mishap) for name, real in providers.items()}
        self.mishap = mishap
        self.authorizations = Authorizations(dying, befallen)
        self.payments = Payments(dying, befallen)


class _Company:
    """A `PaymentProvider` and `CreditIssuer` of which calls are befallen."""

    def __init__(self, real: PaymentProvider, mishap: Mishap) -> None:
        self._real: Any = real
        self._mishap = mishap
        self.capabilities = real.capabilities
        self.operations = real.operations
        self.list_day = real.list_day

    async def authorize(self, **content: Any) -> PaymentReceipt:
        return await self._call("authorize", content)

    async def capture(self, **content: Any) -> PaymentReceipt:
        return await self._call("capture", content)

    async def void(self, **content: Any) -> PaymentReceipt:
        return await self._call("void", content)

    async def refund(self, **content: Any) -> PaymentReceipt:
        return await self._call("refund", content)

    async def issue(self, **content: Any) -> PaymentReceipt:
        return await self._call("issue", content)

    async def lookup(self, **content: Any) -> PaymentReceipt | None:
        self._mishap.look_up()
        found: PaymentReceipt | None = await self._real.lookup(**content)
        return found

    async def _call(self, kind: str, content: dict[str, Any]) -> PaymentReceipt:
        return await self._mishap.call(content["key"], lambda: getattr(self._real, kind)(**content))


class _Pool:
    """A pool of which a transaction ends as the mishap says."""

    def __init__(self, real: Pool, mishap: Mishap) -> None:
        self._real = real
        self._mishap = mishap

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        async with self._real.acquire() as conn:
            yield cast("Connection", _Connection(conn, self._mishap))


class _Connection:
    """A connection of which a statement outside of a transaction is one by itself."""

    def __init__(self, real: Connection, mishap: Mishap) -> None:
        self._real = real
        self._mishap = mishap
        self._inside = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def fetchval(self, *args: Any, **options: Any) -> Any:
        if self._inside or not self._mishap.dies:
            return await self._real.fetchval(*args, **options)
        async with self.transaction():
            return await self._real.fetchval(*args, **options)

    @asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[None]:
        outside, self._inside = not self._inside, True
        try:
            async with self._real.transaction(**options):
                yield
                self._mishap.dies_now("before the commit")
        finally:
            self._inside = not outside
        self._mishap.dies_now("after the commit")
