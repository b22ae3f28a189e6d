"""The day at a glance: each figure with its trend."""

from starter.web.day import lists, page, report

ROUTERS = (page.router, lists.router, report.router)
