-- What happened stays: the trigger of every table that rows are only added to.

create or replace function append_only() returns trigger language plpgsql as $$
declare
    may_change text[];
begin
    -- Texts about a person are erased (customers.sql), and nothing else.
    if tg_op = 'UPDATE' and current_setting('orderloom.erasing', true) = 'on' then
        may_change := '{why,data,memo,request,content,kept_until}'::text[] || array(
            -- What is computed of the others is not there yet.
            select attname::text from pg_attribute where attrelid = tg_relid and attgenerated <> '');
        if to_jsonb(new) - may_change = to_jsonb(old) - may_change then
            return new;
        end if;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- A rule says no, and nothing is changed. store/faults.py raises it as the error of this kind, with
-- the same message. `reason`: the code of the rule; `instead`: what can be asked for in its place, as names
-- of updates with blanks between them.
create or replace function refuse(kind text, message text, reason text default '', instead text default '')
returns void language plpgsql as $$
begin
    raise exception '%', message using errcode = 'ORDER', detail = kind, hint = trim(reason || ' ' || instead);
end $$;

-- A time as people read it who may be anywhere.
create or replace function in_utc(at timestamptz) returns text
language sql stable parallel safe return to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"');

-- The order that a part's id names: `web-1001` of `web-1001:2`. Order ids hold no colon.
create or replace function order_of(part_id text) returns text
language sql immutable parallel safe return split_part(part_id, ':', 1);

-- The number of an order, by its id or by that of one of its parts: what its rows are found by. One look
-- at one index; null where there is none.
create or replace function order_no_of(id text) returns bigint
language plpgsql stable parallel safe as $$
begin
    return (select order_no from customer_order where order_id = split_part(id, ':', 1));
end $$;

-- Keeps a report for the step that waits under this id, once, for an order's workflow or a purchase
-- order's. A step that waits already is told at commit, by the relay. One that has not begun says so
-- itself when it does (step_waits), and the relay leaves the report alone until then. But a step whose
-- word was lost with its worker would wait for ever: so after 30 seconds the relay tries it. `anew`: what
-- is true now takes the place of what was reported before; otherwise the first report counts.
create or replace function report_to_step(
    its_activity text, its_order text, its_purchase text, its_outcome jsonb,
    anew boolean default false
) returns void language sql as $$
    with kept as (
        insert into wait_report as w
            (activity_id, order_no, po_id, outcome, reported_at, try_after)
        values (its_activity, coalesce(order_no_of(its_order), 0), its_purchase, its_outcome, moment(),
                moment() + interval '30 seconds')
        on conflict (order_no, activity_id) do update
        set outcome = excluded.outcome, reported_at = excluded.reported_at,
            delivered_at = null, tries = 0,
            try_after = case when w.waits_since is null then excluded.try_after
                             else moment() end
        where w.outcome is null or anew
        returning activity_id, waits_since
    )
    select pg_notify('wait_report', activity_id) from kept where waits_since is not null
$$;

-- A step says that it waits from now on. What was reported before is handed over at once, also what
-- another attempt, or the same wait in an earlier run of the workflow, has had already. The disk is not
-- waited for: where this is lost, the report comes 30 seconds late.
create or replace function step_waits(
    its_activity text, its_order text, its_purchase text
) returns void language plpgsql as $$
declare
    reported boolean;
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into wait_report (activity_id, order_no, po_id, waits_since)
    values (its_activity, coalesce(order_no_of(its_order), 0), its_purchase, moment())
    on conflict (order_no, activity_id) do update
    set waits_since = excluded.waits_since, delivered_at = null, tries = 0,
        try_after = excluded.try_after
    returning outcome is not null into reported;
    if reported then
        perform pg_notify('wait_report', its_activity);
    end if;
end $$;

-- A step that begins again after each decision says that it waits. It has read for itself what it is to
-- be told: that is handed over; or nothing, and then what it has seen of reports is over, and only a newer
-- one is handed over.
create or replace function step_waits_again(
    its_activity text, its_order text, seen timestamptz, told jsonb
) returns void language plpgsql as $$
declare
    reported boolean;
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into wait_report as w (activity_id, order_no, waits_since, outcome, reported_at)
    values (its_activity, order_no_of(its_order), moment(), told,
            case when told is not null then moment() end)
    on conflict (order_no, activity_id) do update
    set waits_since = excluded.waits_since, delivered_at = null, tries = 0,
        try_after = excluded.try_after,
        outcome = case when told is null and w.reported_at is distinct from seen then w.outcome
                       else told end,
        reported_at = case when told is null and w.reported_at is distinct from seen
                               then w.reported_at
                           when told is not null then moment() end
    returning outcome is not null into reported;
    if reported then
        perform pg_notify('wait_report', its_activity);
    end if;
end $$;
