-- What happened stays: the trigger of every table that rows are only added to.

create or replace function append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- A rule says no, and nothing is changed. store/faults.py raises it as the error of this kind, with
-- the same message.
create or replace function refuse(kind text, message text) returns void language plpgsql as $$
begin
    raise exception '%', message using errcode = 'ORDER', detail = kind;
end $$;

-- Keeps a report for the step that waits under this id, once, and wakes the relay at commit. It is for
-- an order's workflow or a purchase order's.
create or replace function report_to_step(
    its_activity text, its_order text, its_purchase text, its_outcome jsonb
) returns void language sql as $$
    with kept as (
        insert into wait_report (activity_id, order_id, po_id, outcome)
        values (its_activity, its_order, its_purchase, its_outcome)
        on conflict (activity_id) do nothing
        returning activity_id
    )
    select pg_notify('wait_report', activity_id) from kept
$$;
