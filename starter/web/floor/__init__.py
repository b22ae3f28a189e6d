"""The warehouse floor: what is picked, packed, handed over, received and counted."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
