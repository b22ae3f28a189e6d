"""The service desk: find any order, see all of it, and do with it what the rules allow."""

from starter.web.desk import (
    bulk,
    customer_care,
    customers,
    finding,
    job_pages,
    live,
    order_files,
    order_list,
    order_notes,
    order_page,
    order_papers,
    suggestions,
    tasks,
    temporal,
    views,
)
from starter.web.desk.acts import codes, pages

ROUTERS = (
    finding.router,
    suggestions.router,
    order_list.router,
    order_files.router,
    bulk.router,
    views.router,
    job_pages.router,
    *(order_papers.router, order_notes.router, order_page.router),
    *(customers.router, customer_care.router),
    *(pages.router, codes.router, live.router, tasks.router, temporal.router),
)
