"""Screens for the people who work with orders: signing in, and what each of them may see and do."""

from starter.web.screens import home, openid, own, signing_in

ROUTERS = (signing_in.router, openid.router, home.router, own.router)
