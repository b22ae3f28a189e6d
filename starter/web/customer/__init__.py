"""The page of a customer's order: where it is, what was paid, and what can be asked for now."""

from __future__ import annotations

from starter.web.customer import asking, looking_up, pages, paying

# An order's page first: its papers have addresses that a form could have, too.
ROUTERS = (pages.router, paying.router, asking.router, looking_up.router)
