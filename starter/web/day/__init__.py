"""The day at a glance: each figure with its trend."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
