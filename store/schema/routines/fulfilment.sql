-- Fulfilments under their order's lock, and what carriers tell of a parcel.

-- Locks the order, and then reads the fulfilment: a statement that waits for a lock does not see what
-- others have written meanwhile, but a function's next one does. No row: there is no such fulfilment.
create or replace function locked_fulfilment(its_id text) returns setof fulfilment
language plpgsql as $$
begin
    perform from customer_order where order_id = order_of(its_id) for no key update;
    return query select * from fulfilment
    where order_no = order_no_of(its_id) and fulfilment_id = its_id;
end $$;

-- A carrier's scan, whole: the parcel is found, its order is locked, and what follows is written.
-- Answers 'new', 'repeat' (it came before, and nothing is changed), or 'not handed over': the parcel
-- moves, but is still here. Then nothing is changed either, and the caller hands it over first.
--
-- domain.fulfilment.tracking knows what a status means, and says it here: `overtakes` are the statuses
-- that this one takes the place of, `moves` whether the carrier has the parcel, and `ends_as` what the
-- story calls an end; null for a status that is none.
create or replace function carrier_scan(
    its_carrier text, its_number text, its_event text, its_status text, its_time timestamptz,
    its_detail text, overtakes text[], moves boolean, ends_as text,
    out answer text, out part_id text
) language plpgsql as $$
declare
    part   fulfilment;
    parcel shipment;
    before text;
    told   jsonb;
begin
    -- Carriers recycle numbers: a parcel that already has this event comes first, then one that has not
    -- ended, then the newest hand-over.
    select p.fulfilment_id into part_id
    from shipment p join fulfilment f using (order_no, fulfilment_id)
    where p.carrier = its_carrier and p.tracking_number = its_number and p.label = 'bought'
    order by exists (select from carrier_event e
                     where e.order_no = p.order_no and e.fulfilment_id = p.fulfilment_id
                       and e.event_id = its_event) desc,
             (f.state in ('labelled', 'shipped')) desc, p.handed_over_at desc nulls last,
             p.fulfilment_id
    limit 1;
    if part_id is null then
        perform refuse('not_found', format('no parcel has %s number %s', its_carrier, its_number));
    end if;

    select * into part from locked_fulfilment(part_id);
    select * into parcel from shipment
    where order_no = part.order_no and fulfilment_id = part_id;

    select status into before from carrier_event
    where order_no = part.order_no and fulfilment_id = part_id and event_id = its_event;
    if before <> its_status then
        perform refuse('conflict', format(
            'carrier event %s of %s came before with status %s, not %s; nothing was changed',
            its_event, part_id, before, its_status));
    elsif before is not null then
        answer := 'repeat';
        return;
    elsif part.state = 'labelled' and moves then
        answer := 'not handed over';
        return;
    end if;

    answer := 'new';
    insert into carrier_event (order_no, fulfilment_id, event_id, status, happened_at, detail)
    values (part.order_no, part_id, its_event, its_status, its_time, nullif(its_detail, ''));
    -- The time of the last scan never goes back, and is never later than now.
    update shipment
    set carrier_status = case when carrier_status = any(overtakes) then its_status
                              else carrier_status end,
        last_scan_at = greatest(last_scan_at, least(its_time, moment()))
    where order_no = part.order_no and fulfilment_id = part_id;

    if part.state not in ('labelled', 'shipped') then
        -- A late or impossible scan is kept and told, and leaves the fulfilment as it is.
        if part.state <> 'delivered' and moves then
            insert into order_event (order_no, effect, what, who, why, data)
            values (part.order_no, format('scan:%s:%s', part_id, its_event),
                    'unexpected carrier scan', 'carrier ' || its_carrier,
                    format('%s, but the parcel is %s here', its_status, part.state),
                    jsonb_build_object('fulfilment_id', part_id));
        end if;
    elsif ends_as is not null and parcel.carrier_status = any(overtakes) then
        select jsonb_build_object('units', coalesce(jsonb_object_agg(line_id, picked), '{}'))
        into told
        from fulfilment_line
        where order_no = part.order_no and fulfilment_id = part_id and picked > 0;
        if ends_as = 'delivered' then
            update order_line l set delivered = l.delivered + p.picked
            from fulfilment_line p
            where p.order_no = part.order_no and p.fulfilment_id = part_id and p.picked > 0
              and (l.order_no, l.line_id) = (p.order_no, p.line_id);
        end if;
        update fulfilment
        set state = case ends_as when 'delivered' then 'delivered' else 'exception' end,
            changed_at = moment()
        where order_no = part.order_no and fulfilment_id = part_id;
        insert into order_event (order_no, effect, what, who, why, data)
        values (part.order_no, format('%s:%s', ends_as, part_id), ends_as, 'carrier ' || its_carrier,
                nullif(its_detail, ''), told || jsonb_build_object('fulfilment_id', part_id));
        -- The return window begins at this time: a clock that is ahead must not make it longer.
        perform report_to_step('await_delivery:' || part_id, order_of(part_id), null,
                               told || jsonb_build_object(
                                   'outcome', ends_as, 'at', least(its_time, moment())));
    end if;
end $$;
