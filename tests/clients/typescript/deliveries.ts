// Verifies deliveries that were recorded, and reads each as a CloudEvent.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { HTTP, type CloudEvent } from "cloudevents";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import type { components } from "./schema.ts";

type Delivery = { headers: Record<string, string>; body: string };
type Cancelled = components["schemas"]["OrderloomOrderCancelledV1"];

const { secret, deliveries }: { secret: string; deliveries: Delivery[] } = JSON.parse(
  readFileSync(process.argv[2]!, "utf8"),
);
const webhook = new Webhook(secret);
const types: string[] = [];
for (const { headers, body } of deliveries) {
  webhook.verify(body, headers);
  assert.throws(() => webhook.verify(`${body} `, headers), WebhookVerificationError);
  const event = HTTP.toEvent({ headers, body }) as CloudEvent<Cancelled["data"]>;
  assert.equal(event.id, headers["webhook-id"]);
  assert.equal(event.subject, event.data?.order.order_id);
  types.push(event.type);
}
assert(types.includes("orderloom.order.cancelled.v1"), types.join());
console.log(`deliveries.ts: ${types.length} deliveries were verified and read`);
