"""Stock and purchases: what there is, what runs out, and what is bought."""

from starter.web.buying import new_purchase, purchase_acts, purchase_list, purchase_page

ROUTERS = (
    purchase_list.router,
    new_purchase.router,
    purchase_page.router,
    purchase_acts.router,
)
