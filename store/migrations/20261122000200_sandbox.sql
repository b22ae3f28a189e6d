-- The sandbox payment company and the sandbox carrier. They are outside companies that happen to
-- live in the same server: nothing in this schema refers to Orderloom's own tables, or the reverse,
-- and no transaction spans both.

-- migrate:up

CREATE SCHEMA sandbox;

-- How the companies misbehave, changeable while everything runs and seen by every process.
CREATE TABLE sandbox.fault (
    provider  text NOT NULL,
    -- '*' is every operation of the provider
    operation text NOT NULL,
    -- unavailable: 5xx, no effect; timeout_before: no effect, no answer;
    -- timeout_after: the effect is done and stored, no answer
    kind      text NOT NULL,
    -- share of the calls that it befalls
    rate      double precision NOT NULL,
    -- how many more calls it may befall; NULL is no limit
    remaining integer,
    PRIMARY KEY (provider, operation, kind),
    -- a misspelt fault would never strike and its test would prove nothing
    CONSTRAINT fault_operation_known CHECK (
        (provider = 'payment' AND operation IN
            ('*', 'authorize', 'capture', 'void', 'refund', 'lookup', 'operations'))
        OR (provider = 'carrier' AND operation IN ('*', 'buy_label', 'void_label', 'lookup'))
    ),
    CONSTRAINT fault_kind_known
        CHECK (kind IN ('unavailable', 'timeout_before', 'timeout_after')),
    CONSTRAINT fault_rate_is_a_share CHECK (rate BETWEEN 0 AND 1),
    CONSTRAINT fault_remaining_not_negative CHECK (remaining >= 0)
);

-- The number in the payment company's references: auth_1, cap_2, …
CREATE SEQUENCE sandbox.payment_reference;

-- One row per authorization. Its checks are the company's limits, whatever a query does.
CREATE TABLE sandbox.payment (
    reference        text PRIMARY KEY,
    order_id         text NOT NULL,
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    token            text NOT NULL,
    authorized_minor bigint NOT NULL CHECK (authorized_minor > 0),
    captured_minor   bigint NOT NULL DEFAULT 0 CHECK (captured_minor >= 0),
    refunded_minor   bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
    released_minor   bigint NOT NULL DEFAULT 0,
    voided           boolean NOT NULL DEFAULT false,
    CONSTRAINT payment_captured_within_authorized CHECK (captured_minor <= authorized_minor),
    CONSTRAINT payment_refunded_within_captured CHECK (refunded_minor <= captured_minor),
    -- a void releases exactly the remainder, so a capture after it cannot balance
    CONSTRAINT payment_void_leaves_nothing_to_capture CHECK (
        released_minor = CASE WHEN voided THEN authorized_minor - captured_minor ELSE 0 END
    )
);

-- Every call that the payment company has decided, by idempotency key: an effect has a reference, a
-- refusal has a code. The unique key is what makes concurrent calls with one key a single effect.
CREATE TABLE sandbox.payment_call (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key               text NOT NULL UNIQUE,
    kind              text NOT NULL CHECK (kind IN ('authorize', 'capture', 'void', 'refund')),
    -- the call's content, to tell a repeat from a conflict
    request           text NOT NULL,
    -- the authorization that the call is about; NULL if there is none
    payment_reference text REFERENCES sandbox.payment,
    order_id          text,
    token             text,
    reference         text UNIQUE,
    amount_minor      bigint CHECK (amount_minor >= 0),
    currency          text,
    code              text,
    called_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payment_call_is_effect_or_refusal CHECK (
        CASE WHEN code IS NULL
            THEN num_nulls(payment_reference, order_id, reference, amount_minor, currency) = 0
            ELSE reference IS NULL
        END
    )
);

CREATE INDEX payment_call_order ON sandbox.payment_call (order_id, id);

-- Tracking numbers come from here, modulo the size of the carrier's range: they repeat in time.
CREATE SEQUENCE sandbox.tracking_number;

-- One row per label sold. (carrier, tracking_number) is deliberately not unique: numbers recur.
CREATE TABLE sandbox.label (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier         text NOT NULL,
    tracking_number text NOT NULL,
    fulfilment_id   text NOT NULL,
    service         text NOT NULL,
    country         text NOT NULL,
    postal_code     text,
    voided          boolean NOT NULL DEFAULT false
);

CREATE INDEX label_newest ON sandbox.label (carrier, tracking_number, id DESC);

-- Every call that the carrier has decided, by idempotency key, as for payments.
CREATE TABLE sandbox.carrier_call (
    key       text PRIMARY KEY,
    operation text NOT NULL CHECK (operation IN ('buy_label', 'void_label')),
    request   text NOT NULL,
    label_id  bigint REFERENCES sandbox.label,
    code      text,
    called_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT carrier_call_is_effect_or_refusal CHECK (num_nulls(label_id, code) = 1)
);

-- migrate:down

DROP SCHEMA sandbox CASCADE;
