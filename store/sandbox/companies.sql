-- The sandbox companies. Each call that has an effect is one statement, so one round trip and one
-- transaction: `prior` is the answer already kept under the key, and nothing else happens if there
-- is one; otherwise the effect is made and kept together. Two concurrent calls with one key meet at
-- its unique index: the loser is rolled back whole and finds the winner's answer when run again.
-- Rows are locked in one order, the authorization (or label) before the key, so calls cannot
-- deadlock.
-- A statement that waits for a lock goes on with the newest row in `target`, while its UPDATE still
-- starts from the row as it was when the statement began, and that is what the CHECKs see first. So
-- each UPDATE writes every changing column of an authorization from the locked row.

-- name: draw_fault(provider, operation, roll)^
-- The fault that befalls this call, if any. The rates of the faults that apply are laid end to end
-- from 0, and roll, in [0, 1), hits one or none. A counted fault is used up by the hit; when two
-- calls hit the last one at once, one of them goes free.
WITH applicable AS (
    SELECT operation, kind, remaining,
           sum(rate) OVER (ORDER BY operation = '*', kind) AS upper_end
    FROM sandbox.fault
    WHERE provider = :provider
      AND operation IN (:operation, '*')
      AND rate > 0
      AND (remaining IS NULL OR remaining > 0)
), hit AS (
    SELECT operation, kind, remaining
    FROM applicable
    WHERE :roll::double precision < upper_end
    ORDER BY upper_end
    LIMIT 1
), used AS (
    UPDATE sandbox.fault
    SET remaining = fault.remaining - 1
    FROM hit
    WHERE fault.provider = :provider
      AND fault.operation = hit.operation
      AND fault.kind = hit.kind
      AND fault.remaining > 0
    RETURNING fault.kind
)
SELECT kind FROM hit WHERE remaining IS NULL
UNION ALL
SELECT kind FROM used;

-- name: set_fault(provider, operation, kind, rate, remaining)!
INSERT INTO sandbox.fault (provider, operation, kind, rate, remaining)
VALUES (:provider, :operation, :kind, :rate, :remaining)
ON CONFLICT (provider, operation, kind)
DO UPDATE SET rate = excluded.rate, remaining = excluded.remaining;

-- name: clear_faults()!
DELETE FROM sandbox.fault;

-- name: authorize(key, request, order_id, token, amount_minor, currency, code, holds_for, captures_once)^
-- Nothing → authorized, or → refused when code is given.
WITH prior AS (
    SELECT * FROM sandbox.payment_call WHERE key = :key
), granted AS (
    INSERT INTO sandbox.payment
        (reference, order_id, currency, token, authorized_minor, expires_at, captures_once)
    SELECT 'auth_' || nextval('sandbox.payment_reference'),
           :order_id, :currency, :token, :amount_minor,
           moment() + :holds_for::interval, :captures_once
    WHERE :code::text IS NULL AND NOT EXISTS (SELECT FROM prior)
    RETURNING reference, expires_at
), kept AS (
    INSERT INTO sandbox.payment_call
        (key, kind, request, payment_reference, order_id, token, reference, amount_minor, currency,
         code, expires_at)
    SELECT :key, 'authorize', :request, granted.reference, :order_id, :token, granted.reference,
           :amount_minor, :currency, :code, granted.expires_at
    FROM (SELECT) AS this_call LEFT JOIN granted ON true
    WHERE NOT EXISTS (SELECT FROM prior)
    RETURNING *
)
SELECT * FROM prior UNION ALL SELECT * FROM kept;

-- name: capture(key, request, authorization, amount_minor, currency, refusing_token, fee_minor)^
-- Authorized → captured, in part or in full, up to what is authorized and not released, and not once
-- it is voided or has expired. Where one capture is all there is, it releases the rest.
WITH prior AS (
    SELECT * FROM sandbox.payment_call WHERE key = :key
), target AS (
    SELECT * FROM sandbox.payment
    WHERE reference = :authorization AND NOT EXISTS (SELECT FROM prior)
    FOR NO KEY UPDATE
), verdict AS (
    SELECT target.*,
           CASE
               WHEN target.reference IS NULL THEN 'not_found'
               WHEN target.currency <> :currency THEN 'currency_mismatch'
               WHEN target.voided THEN 'already_voided'
               WHEN target.expires_at <= moment() THEN 'expired'
               WHEN :amount_minor::bigint >
                    target.authorized_minor - target.captured_minor - target.released_minor
                   THEN 'amount_too_large'
               WHEN target.token = :refusing_token THEN 'capture_refused'
           END AS code
    FROM (SELECT) AS this_call LEFT JOIN target ON true
    WHERE NOT EXISTS (SELECT FROM prior)
), moved AS (
    UPDATE sandbox.payment
    SET captured_minor = verdict.captured_minor + :amount_minor,
        refunded_minor = verdict.refunded_minor,
        released_minor = CASE WHEN verdict.captures_once
            THEN verdict.authorized_minor - :amount_minor ELSE verdict.released_minor END,
        voided = verdict.voided
    FROM verdict
    WHERE payment.reference = verdict.reference AND verdict.code IS NULL
), kept AS (
    INSERT INTO sandbox.payment_call
        (key, kind, request, payment_reference, order_id, token, reference, amount_minor, currency,
         code, fee_minor)
    SELECT :key, 'capture', :request, reference, order_id, token,
           CASE WHEN code IS NULL THEN 'cap_' || nextval('sandbox.payment_reference') END,
           :amount_minor, :currency, code, CASE WHEN code IS NULL THEN :fee_minor ELSE 0 END
    FROM verdict
    RETURNING *
)
SELECT * FROM prior UNION ALL SELECT * FROM kept;

-- name: void(key, request, authorization)^
-- Authorized, or captured in part or in full → voided, the remainder released; not once it has expired.
WITH prior AS (
    SELECT * FROM sandbox.payment_call WHERE key = :key
), target AS (
    SELECT * FROM sandbox.payment
    WHERE reference = :authorization AND NOT EXISTS (SELECT FROM prior)
    FOR NO KEY UPDATE
), verdict AS (
    SELECT target.*,
           target.authorized_minor - target.captured_minor AS uncaptured_minor,
           CASE
               WHEN target.reference IS NULL THEN 'not_found'
               WHEN target.voided THEN 'already_voided'
               WHEN target.expires_at <= moment() THEN 'expired'
           END AS code
    FROM (SELECT) AS this_call LEFT JOIN target ON true
    WHERE NOT EXISTS (SELECT FROM prior)
), moved AS (
    UPDATE sandbox.payment
    SET captured_minor = verdict.captured_minor,
        refunded_minor = verdict.refunded_minor,
        released_minor = verdict.uncaptured_minor,
        voided = true
    FROM verdict
    WHERE payment.reference = verdict.reference AND verdict.code IS NULL
), kept AS (
    INSERT INTO sandbox.payment_call
        (key, kind, request, payment_reference, order_id, token, reference, amount_minor, currency,
         code)
    SELECT :key, 'void', :request, reference, order_id, token,
           CASE WHEN code IS NULL THEN 'void_' || nextval('sandbox.payment_reference') END,
           uncaptured_minor - released_minor, currency, code
    FROM verdict
    RETURNING *
)
SELECT * FROM prior UNION ALL SELECT * FROM kept;

-- name: refund(key, request, authorization, amount_minor, currency, refusing_token)^
-- Captured → refunded, in part or in full, up to what is captured.
WITH prior AS (
    SELECT * FROM sandbox.payment_call WHERE key = :key
), target AS (
    SELECT * FROM sandbox.payment
    WHERE reference = :authorization AND NOT EXISTS (SELECT FROM prior)
    FOR NO KEY UPDATE
), verdict AS (
    SELECT target.*,
           CASE
               WHEN target.reference IS NULL THEN 'not_found'
               WHEN target.currency <> :currency THEN 'currency_mismatch'
               WHEN :amount_minor::bigint > target.captured_minor - target.refunded_minor
                   THEN 'amount_too_large'
               WHEN target.token = :refusing_token THEN 'refund_refused'
           END AS code
    FROM (SELECT) AS this_call LEFT JOIN target ON true
    WHERE NOT EXISTS (SELECT FROM prior)
), moved AS (
    UPDATE sandbox.payment
    SET captured_minor = verdict.captured_minor,
        refunded_minor = verdict.refunded_minor + :amount_minor,
        released_minor = verdict.released_minor,
        voided = verdict.voided
    FROM verdict
    WHERE payment.reference = verdict.reference AND verdict.code IS NULL
), kept AS (
    INSERT INTO sandbox.payment_call
        (key, kind, request, payment_reference, order_id, token, reference, amount_minor, currency,
         code)
    SELECT :key, 'refund', :request, reference, order_id, token,
           CASE WHEN code IS NULL THEN 'ref_' || nextval('sandbox.payment_reference') END,
           :amount_minor, :currency, code
    FROM verdict
    RETURNING *
)
SELECT * FROM prior UNION ALL SELECT * FROM kept;

-- name: send_refund_back(key, code)!
-- Refunded → as if it had been refused.
WITH back AS (
    UPDATE sandbox.payment_call SET code = :code, reference = NULL
    WHERE key = :key AND kind = 'refund' AND code IS NULL
    RETURNING payment_reference, amount_minor
)
UPDATE sandbox.payment
SET refunded_minor = refunded_minor - back.amount_minor
FROM back
WHERE payment.reference = back.payment_reference;

-- name: payment_call(key)^
SELECT * FROM sandbox.payment_call WHERE key = :key;

-- name: payment_effects(order_id)
-- Everything that took effect for the order, oldest first.
SELECT * FROM sandbox.payment_call WHERE order_id = :order_id AND code IS NULL ORDER BY id;

-- name: payment_effects_between(since, before)
-- Everything that took effect in a span of time, for whatever order, oldest first.
SELECT * FROM sandbox.payment_call
WHERE called_at >= :since AND called_at < :before AND code IS NULL ORDER BY called_at, id;

-- name: buy_label(key, request, carrier, fulfilment_id, service, country, postal_code, box, grams, numbers, code)^
-- Nothing → sold, or → refused when code is given.
WITH prior AS (
    SELECT * FROM sandbox.carrier_call WHERE key = :key
), sold AS (
    INSERT INTO sandbox.label
        (carrier, tracking_number, fulfilment_id, service, country, postal_code, box, grams)
    SELECT :carrier,
           'SBX' || lpad((nextval('sandbox.tracking_number') % :numbers::bigint)::text, 9, '0'),
           :fulfilment_id, :service, :country, :postal_code, :box, :grams
    WHERE :code::text IS NULL AND NOT EXISTS (SELECT FROM prior)
    RETURNING *
), kept AS (
    INSERT INTO sandbox.carrier_call (key, operation, request, label_id, code)
    SELECT :key, 'buy_label', :request, sold.id, :code
    FROM (SELECT) AS this_call LEFT JOIN sold ON true
    WHERE NOT EXISTS (SELECT FROM prior)
    RETURNING *
)
SELECT prior.request, prior.code, label.*
FROM prior LEFT JOIN sandbox.label ON label.id = prior.label_id
UNION ALL
SELECT kept.request, kept.code, sold.*
FROM kept LEFT JOIN sold ON sold.id = kept.label_id;

-- name: void_label(key, request, carrier, tracking_number)^
-- Sold → voided. Of the labels that had this number, the newest is meant.
WITH prior AS (
    SELECT * FROM sandbox.carrier_call WHERE key = :key
), target AS (
    SELECT * FROM sandbox.label
    WHERE carrier = :carrier AND tracking_number = :tracking_number
      AND NOT EXISTS (SELECT FROM prior)
    ORDER BY id DESC
    LIMIT 1
    FOR NO KEY UPDATE
), verdict AS (
    SELECT target.*,
           CASE
               WHEN target.id IS NULL THEN 'not_found'
               WHEN target.voided THEN 'already_voided'
           END AS code
    FROM (SELECT) AS this_call LEFT JOIN target ON true
    WHERE NOT EXISTS (SELECT FROM prior)
), moved AS (
    UPDATE sandbox.label
    SET voided = true
    FROM verdict
    WHERE label.id = verdict.id AND verdict.code IS NULL
    RETURNING label.*
), kept AS (
    INSERT INTO sandbox.carrier_call (key, operation, request, label_id, code)
    SELECT :key, 'void_label', :request, CASE WHEN code IS NULL THEN id END, code
    FROM verdict
    RETURNING *
)
SELECT prior.request, prior.code, label.*
FROM prior LEFT JOIN sandbox.label ON label.id = prior.label_id
UNION ALL
SELECT kept.request, kept.code, moved.*
FROM kept LEFT JOIN moved ON moved.id = kept.label_id;

-- name: intercept(key, request, carrier, tracking_number, code)^
-- Of the labels that had this number, the newest is meant. One that is void has no parcel.
WITH prior AS (
    SELECT * FROM sandbox.carrier_call WHERE key = :key
), target AS (
    SELECT * FROM sandbox.label
    WHERE carrier = :carrier AND tracking_number = :tracking_number
    ORDER BY id DESC
    LIMIT 1
), verdict AS (
    SELECT target.id,
           CASE WHEN target.id IS NULL THEN 'not_found' WHEN target.voided THEN 'too_late' ELSE :code::text END AS code
    FROM (SELECT) AS this_call LEFT JOIN target ON true
    WHERE NOT EXISTS (SELECT FROM prior)
), kept AS (
    INSERT INTO sandbox.carrier_call (key, operation, request, label_id, code)
    SELECT :key, 'intercept', :request, CASE WHEN code IS NULL THEN id END, code
    FROM verdict
    RETURNING *
)
SELECT call.request, call.code, label.*
FROM (SELECT request, code, label_id FROM prior UNION ALL SELECT request, code, label_id FROM kept) call
LEFT JOIN sandbox.label ON label.id = call.label_id;

-- name: carrier_call(key)^
SELECT carrier_call.request, carrier_call.code, label.*
FROM sandbox.carrier_call LEFT JOIN sandbox.label ON label.id = carrier_call.label_id
WHERE carrier_call.key = :key;
