"""Pages of the sandbox's payment company: made and asked about over HTTP, as at a real one.

`starter/stack/pay_company.py` is the other side.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import NotFound, Unreachable
from domain.payments.pay_pages import WantedPage

ANSWER_WITHIN: Final = timedelta(seconds=5)


class _Made(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: str


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True)

    order_id: str
    token: str | None


class SandboxPages:
    """A `PayPages`. `address`: where the company is, such as http://127.0.0.1:8123."""

    name: Final = "Sandbox"

    def __init__(self, address: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=address, timeout=ANSWER_WITHIN.total_seconds(), trust_env=False
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def make(self, wanted: WantedPage) -> str:
        """Have a page made."""
        return _Made.model_validate(await self._asked("POST", "/pages", wanted)).url

    async def token(self, reference: str, order_id: str) -> str | None:
        """Ask what became of a page."""
        page = _Page.model_validate(await self._asked("GET", f"/pages/{reference}"))
        if page.order_id != order_id:
            raise NotFound(f"there is no page {reference} of this order")
        return page.token

    async def _asked(self, method: str, path: str, content: WantedPage | None = None) -> Any:
        body = None if content is None else content.model_dump(mode="json")
        try:
            answer = await self._http.request(method, path, json=body)
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise NotFound("there is no such page")
            return answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError, ValidationError) as error:
            raise Unreachable(
                f"the sandbox's pages do not answer ({type(error).__name__})"
            ) from None
