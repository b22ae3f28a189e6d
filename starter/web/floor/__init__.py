"""The warehouse floor: what is picked, packed, handed over, received and counted."""

from starter.web.floor import home, runs

ROUTERS = (home.router, runs.router)
