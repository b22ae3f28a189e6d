"""What an owner sets up: sellers, channels, locations, keys, subscriptions, texts."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
