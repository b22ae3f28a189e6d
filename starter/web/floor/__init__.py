"""The warehouse floor: what is picked, packed, handed over, received and counted."""

from starter.web.floor import aside, home, incoming, papers, runs

ROUTERS = (aside.router, home.router, incoming.router, papers.router, runs.router)
