-- migrate:up

-- What the customer was promised when the fulfilment was planned. Null where no lane says how long a
-- parcel is under way.
alter table fulfilment
    add column promised_leave date,
    add column promised_on date,
    add constraint fulfilment_promise check (
        (promised_on is null) = (promised_leave is null) and promised_on >= promised_leave);

-- Parcels whose promise may slip.
create index fulfilment_promised on fulfilment (promised_leave)
    where state in ('open', 'picking', 'picked', 'packed', 'labelled', 'shipped');

-- migrate:down

drop index fulfilment_promised;
alter table fulfilment drop column promised_leave, drop column promised_on;
