"""The sandbox's payment company as customers see it: pages on which they choose how to pay.

It stands in for the hosted page of a real company, at an address of its own. It keeps its pages in
memory, and asks for no card: a customer chooses one that works, or one that does not.
"""

from __future__ import annotations

import html
import secrets
from dataclasses import dataclass, field
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from domain.money import to_decimal
from domain.payments.pay_pages import REFERENCE, WantedPage

CARDS: Final = {
    "works": ("tok_", "Pay with a card that works"),
    "declined": ("tok_decline", "Pay with a card that the bank declines"),
    "unconfirmed": ("tok_action_required", "Pay with a card that the bank wants to be confirmed"),
}
"""What can be chosen → the token that it leaves, and what the page calls it."""


@dataclass
class _Page:
    wanted: WantedPage
    token: str | None = None


@dataclass
class PayCompany:
    """The company. `app`: what it answers at an address of its own."""

    pages: dict[str, _Page] = field(default_factory=dict)
    _by_key: dict[str, str] = field(default_factory=dict)

    @property
    def app(self) -> Starlette:
        """An application of two doors: one for us, and one for customers."""
        return Starlette(
            routes=[
                Route("/pages", self._make, methods=["POST"]),
                Route("/pages/{reference}", self._tell),
                Route("/pay/{reference}", self._show),
                Route("/pay/{reference}", self._paid, methods=["POST"]),
            ]
        )

    async def _make(self, request: Request) -> Response:
        wanted = WantedPage.model_validate(await request.json())
        reference = self._by_key.setdefault(wanted.key, f"page_{secrets.token_hex(16)}")
        self.pages.setdefault(reference, _Page(wanted))
        return JSONResponse({"url": f"{request.base_url}pay/{reference}"})

    async def _tell(self, request: Request) -> Response:
        page = self._found(request)
        if page is None:
            return Response(status_code=404)
        return JSONResponse({"order_id": page.wanted.order_id, "token": page.token})

    async def _show(self, request: Request) -> Response:
        page = self._found(request)
        return Response(status_code=404) if page is None else HTMLResponse(_shown(page.wanted))

    async def _paid(self, request: Request) -> Response:
        page = self._found(request)
        chosen = (await request.body()).decode().removeprefix("card=")
        if page is None or chosen not in CARDS:
            return Response(status_code=404)
        if page.token is None:  # a page is paid on once: who comes again is sent on
            own = secrets.token_hex(8) if chosen == "works" else ""
            page.token = f"{CARDS[chosen][0]}{own}"
        reference = request.path_params["reference"]
        return RedirectResponse(page.wanted.back.replace(REFERENCE, reference), 303)

    def _found(self, request: Request) -> _Page | None:
        return self.pages.get(request.path_params["reference"])


def _shown(wanted: WantedPage) -> str:
    amount = f"{to_decimal(wanted.amount.minor, wanted.amount.currency)} {wanted.amount.currency}"
    buttons = "".join(
        f'<p><button name="card" value="{name}">{label}</button></p>'
        for name, (_, label) in CARDS.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox payments</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>'
        f"<h1>Pay {html.escape(amount)}</h1><p>{html.escape(wanted.says)}</p>"
        f'<form method="post">{buttons}</form>'
        f'<p><a href="{html.escape(wanted.unpaid)}">Go back without paying</a></p></body></html>'
    )
