"""What Shopify's Admin GraphQL API is asked, in its version of 2026-07.

`@idempotent` is required there for stock levels and refunds, and `changeFromQuantity` for levels.
The cost of each stays far below 1,000 points, which is the most that one may cost.
"""

from __future__ import annotations

from typing import Final

API_VERSION: Final = "2026-07"

_MONEY: Final = "{ shopMoney { amount } }"
_ADDRESS: Final = (
    "{ name firstName lastName company address1 address2 city province zip countryCodeV2 phone }"
)
_REDUCTIONS: Final = f"""
    discountAllocations {{ allocatedAmountSet {_MONEY} }}
    taxLines {{ title rate priceSet {_MONEY} }}
"""
_LINES: Final = f"""
    lineItems(first: $lines, after: $after) {{
      nodes {{
        id sku title quantity currentQuantity requiresShipping isGiftCard
        variant {{ id }}
        originalUnitPriceSet {_MONEY}
        {_REDUCTIONS}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
"""

CHANGED: Final = """
query OrdersChanged($query: String!, $first: Int!, $after: String) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { id updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ORDER: Final = f"""
query WholeOrder($id: ID!, $lines: Int!, $after: String) {{
  order(id: $id) {{
    id name test createdAt updatedAt cancelledAt cancelReason
    displayFinancialStatus displayFulfillmentStatus currencyCode taxesIncluded
    totalPriceSet {_MONEY}
    totalTipReceivedSet {_MONEY}
    originalTotalDutiesSet {_MONEY}
    totalCashRoundingAdjustment {{ paymentSet {_MONEY} }}
    email phone note customerLocale
    customer {{ id firstName lastName }}
    billingAddress {_ADDRESS}
    shippingAddress {_ADDRESS}
    shippingLines(first: 5) {{
      nodes {{ title code originalPriceSet {_MONEY} {_REDUCTIONS} }}
    }}
    refunds(first: 50) {{
      note
      transactions(first: 5) {{ nodes {{ id kind status amountSet {_MONEY} }} }}
    }}
    {_LINES}
  }}
}}
"""

LINES: Final = f"""
query MoreLines($id: ID!, $lines: Int!, $after: String) {{
  order(id: $id) {{ updatedAt {_LINES} }}
}}
"""

RIGHTS: Final = """
query Rights {
  shop { name }
  currentAppInstallation { accessScopes { handle } }
}
"""

FULFILMENTS: Final = """
query Fulfilments($id: ID!, $after: String) {
  order(id: $id) {
    cancelledAt
    fulfillments(first: 100) {
      id status
      trackingInfo(first: 5) { number }
      fulfillmentLineItems(first: 100) { nodes { quantity lineItem { id } } }
    }
    fulfillmentOrders(first: 10, after: $after) {
      nodes {
        id status
        assignedLocation { location { id } }
        lineItems(first: 50) { nodes { id remainingQuantity lineItem { id } } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

FULFIL: Final = """
mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id }
    userErrors { field message }
  }
}
"""

ITEMS: Final = """
query Items($query: String!, $after: String) {
  inventoryItems(first: 100, after: $after, query: $query) {
    nodes { id sku }
    pageInfo { hasNextPage endCursor }
  }
}
"""

VARIANTS: Final = """
query Variants($ids: [ID!]!) {
  nodes(ids: $ids) { ... on ProductVariant { id sku inventoryItem { id } } }
}
"""

PRIMARY_LOCATION: Final = "query PrimaryLocation { location { id } }"

SET_LEVELS: Final = """
mutation SetLevels($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    userErrors { code field message }
  }
}
"""

MONEY: Final = """
query MoneyOfOrder($id: ID!) {
  order(id: $id) {
    currencyCode presentmentCurrencyCode
    refunds(first: 50) {
      note createdAt
      transactions(first: 5) { nodes { id kind status amountSet { shopMoney { amount } } } }
    }
    transactions(first: 50) {
      id kind status gateway manualPaymentGateway
      amountSet { shopMoney { amount } }
      parentTransaction { id }
    }
  }
}
"""

REFUND: Final = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund {
      note createdAt
      transactions(first: 5) { nodes { id kind status amountSet { shopMoney { amount } } } }
    }
    userErrors { field message }
  }
}
"""
