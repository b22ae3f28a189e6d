"""Invoices, the books, taxes, differences and disputes."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
