-- The sandbox suppliers. As with the other companies, each call that has an effect is one statement.

-- name: place(po_id, document, x12)^
-- Nothing → taken. An order that is there already is answered as it stands.
WITH prior AS (
    SELECT reference, document, cancelled FROM sandbox.supplier_order WHERE po_id = :po_id
), taken AS (
    INSERT INTO sandbox.supplier_order (po_id, document, x12)
    SELECT :po_id, :document, :x12 WHERE NOT EXISTS (SELECT FROM prior)
    RETURNING reference, document, cancelled
)
SELECT * FROM prior UNION ALL SELECT * FROM taken;

-- name: cancel(po_id)^
-- Taken → cancelled. One that has not come yet is known as cancelled, and refused when it comes.
INSERT INTO sandbox.supplier_order (po_id, cancelled) VALUES (:po_id, true)
ON CONFLICT (po_id) DO UPDATE SET cancelled = true
RETURNING reference;

-- name: chase(po_id)!
UPDATE sandbox.supplier_order SET chased = chased + 1 WHERE po_id = :po_id;

-- name: get(po_id)^
SELECT reference, document, x12, cancelled, chased FROM sandbox.supplier_order
WHERE po_id = :po_id;
