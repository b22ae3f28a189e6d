"""What companies send here by themselves: signed by them, kept first, and worked on later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import JSONResponse, Response

from starter.http.callers import Here
from starter.http.problems import ProblemError
from starter.http.wording import in_http
from starter.service.shops import ShopAnswer
from starter.service.webhooks import Answer

# No API key opens these: the signature does. Companies read no description of ours.
router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], include_in_schema=False)

_CODES: Final = {
    400: "not_taken",
    401: "not_signed",
    404: "not_found",
    413: "too_large",
    503: "not_kept",
}


@router.post("/payments/{provider}", operation_id="takePaymentWebhook")
async def of_a_payment_company(
    request: Request,
    provider: Annotated[str, Path(max_length=80)],
    here: Here,
    stripe_signature: Annotated[str, Header(max_length=4000)] = "",
) -> Response:
    """A payment company's event: 200 once it is kept, now or before.

    `provider`: `stripe`, or an account of it, `stripe:uk`.
    """
    answer = await here.webhooks.receive(
        provider, await request.body(), stripe_signature, now=datetime.now(UTC)
    )
    return _told(answer)


@router.post("/carriers/{carrier}", operation_id="takeCarrierWebhook")
async def of_a_carrier(
    request: Request, carrier: Annotated[str, Path(max_length=80)], here: Here
) -> Response:
    """A carrier's message: 200 once it is kept, now or before. `carrier`: `easypost`, `dhl:uk`."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    answer = await here.carrier_webhooks.receive(
        carrier, headers, await request.body(), now=datetime.now(UTC)
    )
    return _told(answer)


@router.post("/shops/{channel}", operation_id="takeShopWebhook")
async def of_a_shop(
    request: Request, channel: Annotated[str, Path(max_length=80)], here: Here
) -> Response:
    """A shop's message: 200 once it is kept, now or before."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    answer = await here.shops.receive(channel, headers, await request.body(), now=datetime.now(UTC))
    if answer.status == 200:
        return JSONResponse({"message": answer.message})
    raise _refused(answer)


def _told(answer: Answer) -> Response:
    if answer.status == 200:
        return JSONResponse({"message": answer.message, "event_id": answer.event_id})
    raise _refused(answer)


def _refused(answer: Answer | ShopAnswer) -> ProblemError:
    return ProblemError(
        answer.status,
        _CODES[answer.status],
        in_http(answer.message),
        retryable=answer.status == 503,
    )
