-- Which line of a story is an event: its first words. What an order's units or the whole order are cancelled by
-- reads the same.
create or replace function event_word(effect text, what text) returns text language sql immutable
return case when what = 'cancelled' and effect not in ('close_order', 'release_stock') then 'units cancelled'
            else split_part(what, ':', 1) end;

-- Which server this is: it alone knows its transactions.
create or replace function this_server() returns text language sql stable as $$
    select system_identifier::text from pg_control_system()
$$;

-- Lines of stories that another server has written: their transactions are yet to come here. Their last id.
create or replace function last_from_elsewhere() returns bigint language sql stable as $$
    select coalesce(max(event_id), 0) from order_event where xact >= pg_snapshot_xmax(pg_current_snapshot())
$$;

-- Somebody reads, or will: from now on events get positions, if they did not.
create or replace function events_wanted() returns void language plpgsql as $$
begin
    if exists (select from event_sequence where reading and read_at > moment() - interval '1 hour') then
        return;
    end if;
    update event_sequence s
    set read_at = moment(), reading = true, server = case when reading then server else this_server() end,
        horizon = case when reading then horizon
                       when server = this_server()
                           then greatest(horizon, pg_snapshot_xmin(pg_current_snapshot()))
                       else pg_snapshot_xmin(pg_current_snapshot()) end,
        floor = case when reading then floor else greatest(floor, last_from_elsewhere()) end,
        latest = case when reading then latest else pg_sequence_last_value('order_event_event_id_seq') end;
end $$;

-- Gives positions to what was told since the last time, in one transaction, by one sequencer at a time: no
-- position is missing, none is seen before those below it, and an order's events keep the sequence of its story.
--
-- An event has its id long before it is committed. So nothing goes by ids: the horizon is a transaction below
-- which all have ended, and what they told can be seen. But of two transactions that wrote about one order, the one
-- with the lower number may have come second: it waited for the order's row. So an order's events are taken with
-- all that its story tells before them, also beyond the horizon; these are remembered until it has passed them.
--
-- `words`, `types`: which lines are events, and of which type. `at_most`: about so many lines at once; `more` says
-- that there are. Where nobody has read for `unread`, and nobody subscribes, it stops.
create or replace function events_sequenced(
    words text[], types text[], at_most bigint, unread interval, out given bigint, out more boolean
) language plpgsql as $$
declare
    here      event_sequence;
    moved     boolean;
    upto      xid8;
    cut       xid8;
    new_floor bigint;
begin
    given := 0;
    more := false;
    select * into here from event_sequence where reading for update skip locked;
    if not found then
        return;
    end if;
    if here.read_at < moment() - unread
       and not exists (select from event_subscription where state <> 'disabled') then
        update event_sequence set reading = false;
        return;
    end if;
    moved := here.server <> this_server();
    new_floor := here.floor;
    here.latest := pg_sequence_last_value('order_event_event_id_seq');
    upto := pg_snapshot_xmin(pg_current_snapshot());
    if moved then
        -- Which lines are new here, and which came with the backup? Those that came have lower ids than all new ones.
        select greatest(latest, last_from_elsewhere()) into new_floor from event_sequence;
    else
        select xact into cut from order_event where xact >= here.horizon and xact < upto
        order by xact offset at_most limit 1;
        if cut = here.horizon then  -- One transaction alone has told more: all of it, then.
            select xact into cut from order_event where xact > here.horizon and xact < upto
            order by xact limit 1;
        end if;
        more := cut is not null;
        upto := coalesce(cut, upto);
    end if;
    with fresh as materialized (
        select order_no, event_id from order_event
        where not moved and xact >= here.horizon and xact < upto and event_id > here.floor
        union all
        select order_no, event_id from order_event, event_sequence s
        where moved and (event_id > s.latest or xact >= here.horizon) and event_id > here.floor
          and (xact < upto or event_id <= new_floor)
    ), due as (
        select e.order_no, e.event_id, e.effect, e.what, e.at, e.xact
        from (select order_no, max(event_id) as event_id from fresh group by order_no) last
        join order_event e on e.order_no = last.order_no and e.event_id <= last.event_id, event_sequence s
        where e.event_id > here.floor and (e.xact >= here.horizon or moved and e.event_id > s.latest)
          and not exists (select from event_taken_early t where t.event_id = e.event_id)
    ), told as (
        select here.position + row_number() over (order by event_id) as position, due.*, kind.type
        from due join unnest(words, types) as kind (word, type) on kind.word = event_word(effect, what)
    ), taken as (
        insert into event_out (position, order_no, event_id, type, at)
        select position, order_no, event_id, type, at from told
    ), early as (
        insert into event_taken_early (event_id, xact)
        select event_id, xact from told where xact >= upto and event_id > new_floor
    ), counted as (
        select (select count(*) from told) as told, (select count(*) from fresh) as fresh
    ), kept as (
        update event_sequence s
        set position = here.position + counted.told, horizon = upto, floor = new_floor, latest = here.latest,
            server = this_server()
        from counted
        -- Where nothing is told, nothing is written; only not to look at the same numbers for ever.
        where counted.fresh > 0 or moved or more or upto::text::bigint - here.horizon::text::bigint > 100000
    )
    select told into given from counted;
    delete from event_taken_early where xact < upto or event_id <= new_floor;
    if given > 0 then
        perform pg_notify('event_out', '');
    end if;
end $$;
