"""Stock and purchases: what there is, what runs out, and what is bought."""

from starter.web.buying import (
    new_purchase,
    proposals,
    purchase_acts,
    purchase_list,
    purchase_page,
    stock_list,
)

ROUTERS = (
    stock_list.router,
    purchase_list.router,
    new_purchase.router,
    proposals.router,
    purchase_page.router,
    purchase_acts.router,
)
