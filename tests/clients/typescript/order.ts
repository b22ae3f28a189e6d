// Places an order, twice with the same key, reads it, and cancels it in the version that was read.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.ts";

const { API, KEY } = process.env;
const client = createClient<paths>({ baseUrl: API, headers: { Authorization: `Bearer ${KEY}` } });

const body: components["schemas"]["Order"] = {
  channel: "web",
  channel_order_id: "ts-1",
  placed_at: "2026-11-20T09:15:00Z",
  currency: "EUR",
  customer: { id: "C-1", name: "Kim Minji" },
  lines: [{ line_id: "1", sku: "TEA", quantity: 2, unit_price: "12.50" }],
  shipping: {
    price: "4.90",
    address: { name: "Kim Minji", line1: "Hafenstr. 3", city: "Bremen", country: "DE" },
  },
  payment: { provider: "sandbox", token: "tok_visa" },
};

async function placed(): Promise<string> {
  const { data, error } = await client.POST("/v1/orders", {
    params: { header: { "Idempotency-Key": "checkout-ts-1" } },
    body,
  });
  if (error) throw new Error(`${error.code}: ${error.detail}`);
  assert.equal(data.outcome, "confirmed");
  return data.order_id;
}

const order_id = await placed();
assert.equal(await placed(), order_id);

const read = await client.GET("/v1/orders/{order_id}", { params: { path: { order_id } } });
assert(read.data);
assert.equal(read.data.total, "29.90");
assert.equal(read.data.lines[0]?.ordered, 2);

const cancelled = await client.POST("/v1/orders/{order_id}/cancel", {
  params: {
    path: { order_id },
    header: { "Idempotency-Key": "cancel-ts-1", "If-Match": read.response.headers.get("etag")! },
  },
  body: { reason: "ordered twice" },
});
assert(cancelled.data && "outcome" in cancelled.data, JSON.stringify(cancelled.error));

const nothing = await client.GET("/v1/orders/{order_id}", {
  params: { path: { order_id: "web-nothing" } },
});
assert.equal(nothing.error?.code, "not_found");
console.log(`order.ts: ${order_id} was placed once, read and cancelled`);
