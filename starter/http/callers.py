"""Who asks, and what they may: the API key of a request, its scopes, and how often it may ask."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from domain import ids
from domain.access.keys import OF_ORDERS_DOCUMENTS, Grant, Scope
from domain.errors import NotFound
from domain.sellers import Seller
from starter.http.problems import ProblemError
from starter.service.service import Service

WRONG_KEYS_A_MINUTE: Final = 30
"""Of one address: nobody finds a key by trying, but each try costs a look into the database.

Behind a proxy many programs have one address, so keys that this process knows are let in all the
same.
"""

_KNOWN_MAX: Final = 10_000

_WINDOW_S: Final = 60
_scheme = HTTPBearer(
    scheme_name="api_key",
    bearerFormat="olk_<id>_<secret>",
    description="An API key, made by `orderloom api-keys make` or `POST /v1/api-keys`.",
    auto_error=False,
)


class Limiter:
    """How often a key may ask, and an address with wrong ones; counted by this process alone."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._known: dict[bytes, None] = {}  # digests of keys that were valid, the oldest first

    def knows(self, token: str) -> bool:
        """Whether the key was valid when it was last used here."""
        return _digest(token) in self._known

    def learn(self, token: str, *, is_valid: bool) -> None:
        """Remember whether a key is valid."""
        digest = _digest(token)
        self._known.pop(digest, None)
        if is_valid:
            self._known[digest] = None
            if len(self._known) > _KNOWN_MAX:
                del self._known[next(iter(self._known))]

    def takes(self, who: str, per_minute: int) -> bool:
        """Count a request. False: there were too many in the last minute."""
        return bool(self._windows.hit(RateLimitItemPerMinute(per_minute), who))

    def is_full(self, who: str, per_minute: int) -> bool:
        """Whether another one would be too many."""
        return not self._windows.test(RateLimitItemPerMinute(per_minute), who)

    def told(self, who: str, per_minute: int) -> tuple[int, int]:
        """How many more there may be, and the seconds until the oldest one counts no more."""
        stats = self._windows.get_window_stats(RateLimitItemPerMinute(per_minute), who)
        return max(0, stats.remaining), max(1, math.ceil(stats.reset_time - time.time()))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Caller:
    """Somebody with a key, and the doors that they came to."""

    grant: Grant
    here: Service
    _token: str = field(repr=False)

    async def is_still_known(self) -> bool:
        """Whether the key is still valid. A scope, a channel or a seller never leaves a key."""
        return await self.here.access.grant(self._token) is not None

    @property
    def channels(self) -> list[str] | None:
        """The channels whose rows the caller sees; None: all of them."""
        return None if self.grant.channels is None else sorted(self.grant.channels)

    @property
    def sellers(self) -> list[str] | None:
        """The sellers whose rows the caller sees; None: all of them."""
        return None if self.grant.sellers is None else sorted(self.grant.sellers)

    def check_sees_all(self, what: str) -> None:
        """Raises ProblemError (403) for a key that is for some channels or sellers only.

        `what` belongs to none of them.
        """
        if self.grant.is_restricted:
            raise ProblemError(
                403,
                "restricted_key",
                f"{what}: of no channel or seller in particular, so it takes a key for all of them",
            )

    async def seller(self, code: str) -> Seller:
        """A seller of the caller's. Raises NotFound, alike for one that is somebody else's."""
        if self.grant.sellers is not None and code not in self.grant.sellers:
            raise NotFound(f"there is no seller {code}")
        return await self.here.sellers.get(code)

    async def sellers_named(self, code: str | None) -> list[Seller]:
        """The caller's seller of this code, or all of the caller's. Raises NotFound."""
        if code is not None:
            return [await self.seller(code)]
        known = await self.here.sellers.list()
        return [one for one in known if self.sellers is None or one.seller in self.sellers]

    def who(self, by: str | None = None) -> str:
        """Who it is, for an order's story."""
        return self.grant.who(by)

    def role(self, asked: str | None) -> str | None:
        """The role in which the caller asks: the key's, or the one asked for where it has none.

        Raises ProblemError (403) for another one than the key's.
        """
        if self.grant.role is not None and asked not in (None, self.grant.role):
            raise ProblemError(
                403, "other_role", f"the key asks in the role {self.grant.role}, and in no other"
            )
        return self.grant.role or asked

    async def check_order(self, order_id: str) -> None:
        """Raises NotFound for an order that is not there, or not the caller's: nobody can tell.

        Whose an order is, is what its row says: a channel may have another seller by now.
        """
        whose = await self.here.orders.whose(order_id)
        if whose is None or not self.grant.sees(*whose):
            raise NotFound(f"there is no order {order_id}")

    async def check_part(self, part_id: str) -> None:
        """The same of a fulfilment or a return, which begin with their order's id."""
        whose = await self.here.orders.whose(ids.order_of(part_id))
        if whose is None or not self.grant.sees(*whose):
            raise NotFound(f"there is no {part_id}")


async def authenticated(request: Request) -> Caller:
    """The caller of a request, found once. Raises ProblemError: 401, or 429 for too many."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        request.state.caller = known = await _found(request, await _scheme(request))
    return known


async def _found(request: Request, given: HTTPAuthorizationCredentials | None) -> Caller:
    here: Service = request.app.state.service
    limiter: Limiter = request.app.state.limiter
    if given is None:
        raise _refused("no_key", "send an API key: Authorization: Bearer olk_…")
    address = f"address {request.client.host if request.client else ''}"
    token = given.credentials
    if not limiter.knows(token) and limiter.is_full(address, WRONG_KEYS_A_MINUTE):
        raise _too_many(limiter, address, WRONG_KEYS_A_MINUTE, "requests with a wrong key")
    grant = await here.access.grant(token)
    limiter.learn(token, is_valid=grant is not None)
    if grant is None:
        limiter.takes(address, WRONG_KEYS_A_MINUTE)
        raise _refused("unknown_key", "there is no such API key, or it is not valid any more")
    request.state.key_id = grant.key_id
    key = f"key {grant.key_id}"
    taken = limiter.takes(key, grant.per_minute)
    left, reset_s = limiter.told(key, grant.per_minute)
    request.state.headers = {
        "RateLimit-Policy": f'"key";q={grant.per_minute};w={_WINDOW_S}',
        "RateLimit": f'"key";r={left};t={reset_s}',
    }
    if not taken:
        raise _too_many(limiter, key, grant.per_minute, "requests with this key")
    return Caller(grant, here, token)


async def caller_of(
    request: Request,
    scopes: SecurityScopes,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(_scheme)],
) -> Caller:
    """The caller, who needs these scopes. Raises ProblemError: 401, 403, 429."""
    caller = await authenticated(request)
    check_allows(caller, *scopes.scopes)
    return caller


def check_allows(caller: Caller, *scopes: str) -> None:
    """Raises ProblemError (403) where the caller's key lacks one of these scopes."""
    lacking = [scope for scope in scopes if scope not in caller.grant.scopes]
    if lacking:
        raise ProblemError(
            403, "missing_scope", f"the key lacks the scope {', '.join(lacking)}: ask with another"
        )


def may(scope: Scope) -> Any:
    """The caller of a route, who needs this scope: `caller: Annotated[Caller, may("…")]`."""
    return Security(caller_of, scopes=[scope])


ReadsDocuments: TypeAlias = Annotated[Caller, Security(caller_of, scopes=list(OF_ORDERS_DOCUMENTS))]
"""The caller of a route that tells an order's invoices and credit notes."""


def anybody() -> Any:
    """The caller of a route who needs no scope but a key: the route asks what they may see."""
    return Security(caller_of, scopes=[])


async def _service(request: Request) -> Service:
    here: Service = request.app.state.service
    return here


Here: TypeAlias = Annotated[Service, Depends(_service)]
"""All doors."""


def _refused(code: str, detail: str) -> ProblemError:
    return ProblemError(401, code, detail, headers={"WWW-Authenticate": "Bearer"})


def _too_many(limiter: Limiter, who: str, per_minute: int, what: str) -> ProblemError:
    _, reset_s = limiter.told(who, per_minute)
    return ProblemError(
        429,
        "too_many_requests",
        f"more than {per_minute} {what} in a minute: ask again in {reset_s} s",
        retryable=True,
        headers={"Retry-After": str(reset_s)},
    )
