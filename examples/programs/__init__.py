"""A day of a shop over HTTP, by programs that know nothing but Orderloom's OpenAPI document.

`make demo HTTP=1` makes a client of the served document and runs them: customers, a warehouse,
carriers, suppliers, customer service, a Shopify and a WooCommerce shop, and one who is told of
every event. Nothing here imports Orderloom; a test holds that.
"""
