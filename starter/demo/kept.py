"""Where to look at a demo that is left up: three addresses, and a login."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from domain import ids
from runtime.discovery import StackInfo
from starter.service.service import Service


async def tell(
    service: Service, info: StackInfo, home: Path, parcel: str, console: Console
) -> None:
    """The screens, one customer's page, Temporal's UI; and what ends it.

    `parcel`: one that is on its way.
    """
    if info.http_url is not None:
        console.print(f"Screens:          {info.http_url}/app")
        admin = await service.staff.first_admin(who="the demo")
        if admin is not None:
            password = admin.password.get_secret_value()
            console.print(f"  sign in as      {admin.staff.login}, password {password}")
        link = await service.tracking.link(ids.order_of(parcel), info.http_url)
        console.print(f"A customer's page: {link}")
        console.print(f"To find there:    where parcel {parcel} is; which order lost money today,")
        console.print("                  and why; what must be bought by Friday; what waits to be")
        console.print("                  picked")
    console.print(f"Temporal UI:      {info.temporal_ui_url}")
    console.print(
        "The stack stays up until Ctrl-C. In another shell: "
        f"ORDERLOOM_HOME={home} .venv/bin/orderloom orders"
    )
