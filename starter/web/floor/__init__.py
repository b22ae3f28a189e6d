"""The warehouse floor: what is picked, packed, handed over, received and counted."""

from starter.web.floor import home, papers, runs

ROUTERS = (home.router, papers.router, runs.router)
