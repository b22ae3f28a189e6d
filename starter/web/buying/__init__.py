"""Stock and purchases: what there is, what runs out, and what is bought."""

from starter.web.buying import (
    holdings,
    item_page,
    new_purchase,
    proposals,
    purchase_acts,
    purchase_list,
    purchase_page,
    stock_acts,
    stock_list,
    suppliers,
    together,
    transfers,
)

ROUTERS = (
    stock_list.router,
    item_page.router,
    stock_acts.router,
    transfers.router,
    suppliers.router,
    holdings.router,
    purchase_list.router,
    new_purchase.router,
    proposals.router,
    together.router,
    purchase_page.router,
    purchase_acts.router,
)
