"""Stock and purchases: what there is, what runs out, and what is bought."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
