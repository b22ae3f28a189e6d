-- migrate:up

-- When the last attempt to buy the label began: what is younger is not taken for dead.
alter table parcel add column asked_at timestamptz;

-- migrate:down

alter table parcel drop column asked_at;
