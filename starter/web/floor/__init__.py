"""The warehouse floor: what is picked, packed, handed over, received and counted."""

from starter.web.floor import home, incoming, papers, runs

ROUTERS = (home.router, incoming.router, papers.router, runs.router)
