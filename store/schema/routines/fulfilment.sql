-- Fulfilments under their order's lock, and what warehouses and carriers tell of them.

-- Locks the order, and then reads the fulfilment: a statement that waits for a lock does not see what
-- others have written meanwhile, but a function's next one does.
create or replace function locked_fulfilment(its_id text) returns setof fulfilment
language plpgsql as $$
begin
    perform from customer_order where order_id = order_of(its_id) for no key update;
    return query select * from fulfilment
    where order_no = order_no_of(its_id) and fulfilment_id = its_id;
    if not found then
        perform refuse('not_found', format(
            'there is no fulfilment %s; see `orderloom warehouse tasks`', its_id));
    end if;
end $$;

-- Whether a fact is recorded already; a different report of the same is a conflict. If it is new, its part
-- of the order must be in the expected state. The caller holds the order's lock, and has read the part's
-- state under it. `content`: what the report says.
create or replace function told_before(
    its_part text, its_state text, is_recalled boolean, expected text, its_effect text, content jsonb
) returns boolean language plpgsql as $$
declare
    done   record;
    others text;
    held   text;
begin
    select * into done from effect_of(order_of(its_part), its_effect);
    if done.is_done then
        if exists (select from jsonb_each(content) c
                   where done.its_answer -> c.key is distinct from c.value) then
            perform refuse('conflict', its_effect
                || ' was reported before, and differently; nothing was changed');
        end if;
        return true;
    elsif its_state = expected then
        return false;
    elsif is_recalled then
        select string_agg(data ->> 'fulfilment_id', ', ' order by event_id) into others
        from order_event where order_no = done.the_no and data ->> 'instead_of' = its_part;
        perform refuse('illegal_transition', its_part || ' was recalled: the order or some of its units '
            || 'were cancelled; put the goods back' || coalesce('; ' || others || ' took its place', ''));
    elsif its_state = 'packed' and expected = 'labelled' then
        select note into held from order_hold
        where order_no = done.the_no and released_at is null and reason = 'payment';
        if held is not null then
            perform refuse('illegal_transition', format('%s waits for its payment (%s): keep it; it gets '
                'its label, and can be handed over, when the order is paid', its_part, held));
        end if;
    end if;
    perform refuse('illegal_transition', format(
        '%s is %s; this can be reported when it is %s', its_part, its_state, expected));
end $$;

-- Refuses what nobody may do with the goods of an order that is held. The caller holds the order's lock.
create or replace function refuse_while_held(its_part text, its_no bigint) returns void language plpgsql as $$
declare
    why text := kept_here_by(its_no);
begin
    if why is not null then
        perform refuse('illegal_transition', format(
            '%s is held (%s); `orderloom release %s` ends it, and until then nothing is picked or handed over',
            its_part, why, order_of(its_part)), 'order_held', 'release_order cancel_order');
    end if;
end $$;

-- Refuses what nobody may do with goods before their first day of sale. The caller holds the order's lock.
create or replace function refuse_before_first_day(its_part text, its_no bigint) returns void language plpgsql as $$
declare
    day date := not_before(its_no, its_part);
begin
    if day is not null then
        perform refuse('illegal_transition', format(
            '%s is on sale from %s, and until then nothing of it is picked or handed over', its_part, day),
            'before_first_day');
    end if;
end $$;

-- The last hold of an order that kept its goods here has ended: its parcels go on. The time of their stage begins
-- anew, and the relay has labels bought for those that are packed.
create or replace function parcels_go_on() returns trigger language plpgsql as $$
begin
    if kept_here_by(new.order_no) is null then
        update fulfilment set changed_at = moment(), woken_at = null
        where order_no = new.order_no and state in ('open', 'picking', 'picked', 'packed', 'labelled');
        perform pg_notify('parcel_packed', '');
    end if;
    return null;
end $$;
create or replace trigger hold_has_ended after update of released_at on order_hold for each row
    when (old.released_at is null and new.released_at is not null and new.reason <> 'payment')
    execute function parcels_go_on();

-- A fact of a fulfilment: the effect with its answer, and the story. If a person was told that the
-- fulfilment is late, and it goes on, the order is told.
create or replace function tell_fact(
    part fulfilment, its_effect text, its_what text, its_who text, its_why text, its_answer jsonb,
    goes_on_as text
) returns void language plpgsql as $$
begin
    insert into effect (order_no, effect, answer) values (part.order_no, its_effect, its_answer);
    insert into order_event (order_no, effect, what, who, why, data)
    values (part.order_no, its_effect, its_what, its_who, its_why,
            jsonb_build_object('fulfilment_id', part.fulfilment_id) || coalesce(its_answer, '{}'));
    if part.overdue and goes_on_as is not null then
        perform report_to_step('pick_pack_ship:' || part.fulfilment_id, order_of(part.fulfilment_id), null,
                               jsonb_build_object('outcome', 'goes_on', 'state', goes_on_as), true);
    end if;
end $$;

-- picking → picked, or cancelled where nothing was found. `counted`: the units that were found of every
-- line; null: all of them. Those that were not found are no longer picked from, but stay allocated: the
-- caller takes them off the stock. Answers what was picked and what is missing, and whether that is new.
-- Where units were taken out while they were being picked, a count of more than is left is refused: it says
-- what has changed, and the picker reports what is left.
create or replace function parcel_picked(
    its_id text, counted jsonb, its_who text, out outcome jsonb, out is_new boolean
) language plpgsql as $$
declare
    part     fulfilment;
    its_fact text := 'pick:' || its_id;
    found_   jsonb;
    missing  jsonb;
    lacking  bigint;
    is_all   boolean := counted is null;
    too_many text;
begin
    select * into part from locked_fulfilment(its_id);
    select jsonb_object_agg(line_id, coalesce((counted ->> line_id)::bigint, quantity))
    into counted
    from fulfilment_line where order_no = part.order_no and fulfilment_id = its_id;
    select coalesce(jsonb_object_agg(line_id, quantity - (counted ->> line_id)::bigint)
                    filter (where quantity > (counted ->> line_id)::bigint), '{}'),
           coalesce(jsonb_object_agg(line_id, (counted ->> line_id)::bigint)
                    filter (where (counted ->> line_id)::bigint > 0), '{}'),
           sum(quantity - (counted ->> line_id)::bigint)
    into missing, found_, lacking
    from fulfilment_line where order_no = part.order_no and fulfilment_id = its_id;
    outcome := jsonb_build_object('picked', counted, 'missing', missing);
    -- Units may have been taken out since it was reported before: whoever says "all" says that nothing lacked.
    is_new := not told_before(its_id, part.state, part.recalled_from is not null, 'picking', its_fact,
                              case when is_all then jsonb_build_object('missing', '{}'::jsonb)
                                   else jsonb_build_object('picked', counted) end);
    if not is_new then
        select its_answer into outcome from effect_of(order_of(its_id), its_fact);
        return;
    end if;
    if its_who <> 'till' then  -- There the customer has the goods in hand already.
        perform refuse_while_held(its_id, part.order_no);
        perform refuse_before_first_day(its_id, part.order_no);
    end if;
    select string_agg(format('line %s: %s of %s taken out, pick %s', line_id, taken_out, quantity + taken_out,
                             quantity), '; ' order by line_id)
    into too_many
    from fulfilment_line
    where order_no = part.order_no and fulfilment_id = its_id and quantity < (counted ->> line_id)::bigint;
    if too_many is not null then
        perform refuse('conflict', format(
            '%s was made smaller while it was picked (%s). Put the others back, and report what is left; nothing '
            'was changed', its_id, too_many), 'fewer_wanted');
    end if;
    update fulfilment_line l set picked = (counted ->> line_id)::bigint
    where order_no = part.order_no and fulfilment_id = its_id;
    update order_line l set picked = l.picked + f.n::bigint
    from jsonb_each(found_) as f (line_id, n)
    where l.order_no = part.order_no and l.line_id = f.line_id;
    update fulfilment
    set state = case when found_ = '{}' then 'cancelled' else 'picked' end,
        changed_at = moment(), overdue = false
    where order_no = part.order_no and fulfilment_id = its_id;
    perform tell_fact(
        part, its_fact, case when lacking > 0 then 'short pick' else 'picked' end, its_who,
        case when lacking > 0
             then to_char(lacking, 'FM999,999,999,999')
                  || case when lacking = 1 then ' unit' else ' units' end || ' not found' end,
        outcome, case when lacking = 0 then 'picked' end);
    if lacking > 0 then
        perform report_to_step('pick_pack_ship:' || its_id, order_of(its_id), null,
                               jsonb_build_object('outcome', 'short', 'missing', missing), true);
    end if;
end $$;

-- The label of a parcel that is still here is not used any more: it is to be given back, and when the parcel is
-- packed it gets another one. Answers whether there was one. What is collected has none that anybody has sold.
create or replace function label_given_up(part fulfilment) returns boolean language plpgsql as $$
begin
    insert into unused_label (order_no, fulfilment_id, label_key, sold_by, tracking_number)
    select s.order_no, s.fulfilment_id, s.label_key, s.sold_by, s.tracking_number
    from shipment s
    where s.order_no = part.order_no and s.fulfilment_id = part.fulfilment_id and s.label = 'bought'
      and part.handling <> 'pick_up';
    if not found then
        return false;
    end if;
    delete from label_file where order_no = part.order_no and fulfilment_id = part.fulfilment_id;
    update shipment set label = 'voided' where order_no = part.order_no and fulfilment_id = part.fulfilment_id;
    return true;
end $$;

-- Takes units out of a fulfilment that has not left, for one who has decided that it is possible and holds the
-- order's lock; their claims on stock and their counts as allocated are his to end. Units that were picked are to
-- be put back. A closed box is to be opened, and packed again: its label is kept, or given back and bought anew.
-- Answers the id of what is to be put back, and whether a label is to be given back.
create or replace function fulfilment_made_smaller(
    its_id text, taken jsonb, keeps_label boolean, out to_put_back text, out is_label_unused boolean
) language plpgsql as $$
declare
    part      fulfilment;
    was_boxed boolean;
begin
    select * into part from fulfilment where order_no = order_no_of(its_id) and fulfilment_id = its_id;
    was_boxed := part.state in ('packed', 'labelled');
    if was_boxed or part.state = 'picked' then
        to_put_back := its_id || ':P' || 1 + (
            select count(*) from put_back p where p.order_no = part.order_no and p.fulfilment_id = its_id);
        insert into put_back (order_no, put_back_id, fulfilment_id, opens_box)
        values (part.order_no, to_put_back, its_id, was_boxed);
        insert into put_back_line (order_no, put_back_id, line_id, sku, quantity)
        select part.order_no, to_put_back, l.line_id, l.sku, t.n::bigint
        from jsonb_each(taken) as t (line_id, n)
        join fulfilment_line l on (l.order_no, l.fulfilment_id, l.line_id) = (part.order_no, its_id, t.line_id);
        update order_line l set picked = l.picked - t.n::bigint
        from jsonb_each(taken) as t (line_id, n)
        where (l.order_no, l.line_id) = (part.order_no, t.line_id);
    end if;
    update fulfilment_line l
    set quantity = l.quantity - t.n::bigint, taken_out = l.taken_out + t.n::bigint,
        picked = l.picked - t.n::bigint
    from jsonb_each(taken) as t (line_id, n)
    where (l.order_no, l.fulfilment_id, l.line_id) = (part.order_no, its_id, t.line_id);
    if was_boxed then
        delete from effect where order_no = part.order_no and effect = 'pack:' || its_id;
        update fulfilment set state = 'picked', changed_at = moment(), woken_at = null
        where order_no = part.order_no and fulfilment_id = its_id;
    end if;
    is_label_unused := false;
    if not keeps_label then
        is_label_unused := label_given_up(part);
    end if;
end $$;

-- A parcel that is still here goes to another address, or by another service: its label is to be given back, and
-- another one is bought under the same number. Nothing is done where it has none. Answers whether it had one.
create or replace function label_bought_anew(its_id text) returns boolean language plpgsql as $$
declare
    part fulfilment;
begin
    select * into part from fulfilment where order_no = order_no_of(its_id) and fulfilment_id = its_id;
    if not label_given_up(part) then
        return false;
    end if;
    if part.state = 'labelled' then
        update fulfilment set state = 'packed', changed_at = moment(), overdue = false, woken_at = null
        where order_no = part.order_no and fulfilment_id = its_id;
        perform pg_notify('parcel_packed', its_id);
    end if;
    return true;
end $$;

-- Units that were taken out are back on the shelf. A repeat changes nothing.
create or replace function goods_put_back(its_id text, its_who text) returns void
language plpgsql as $$
declare
    todo put_back;
begin
    perform from customer_order where order_id = order_of(its_id) for no key update;
    select * into todo from put_back where order_no = order_no_of(its_id) and put_back_id = its_id;
    if not found then
        perform refuse('not_found', format(
            'there is nothing to put back as %s; see `orderloom warehouse tasks`', its_id));
    elsif todo.done_at is not null then
        return;
    end if;
    update put_back set done_at = moment() where order_no = todo.order_no and put_back_id = its_id;
    insert into order_event (order_no, effect, what, who, data)
    select todo.order_no, 'put_back:' || its_id, 'put back', its_who,
           jsonb_build_object('fulfilment_id', todo.fulfilment_id, 'put_back_id', its_id,
                              'units', jsonb_object_agg(line_id, quantity))
    from put_back_line where order_no = todo.order_no and put_back_id = its_id;
end $$;

-- picked → packed, in this box and of this weight, where somebody says so. The relay is called at commit, and has the parcel's label bought. Not while units that were
-- taken out are still to be put back: they may be in the box.
create or replace function parcel_packed(its_id text, its_who text, its_box text, its_grams integer) returns void
language plpgsql as $$
declare
    part     fulfilment;
    its_fact text := 'pack:' || its_id;
    left_in  text;
begin
    select * into part from locked_fulfilment(its_id);
    if told_before(its_id, part.state, part.recalled_from is not null, 'picked', its_fact, '{}') then
        return;
    end if;
    select string_agg(format('%s × %s (%s)', l.quantity, l.sku, l.put_back_id), ', ' order by l.put_back_id, l.line_id)
    into left_in
    from put_back p join put_back_line l using (order_no, put_back_id)
    where p.order_no = part.order_no and p.fulfilment_id = its_id and p.done_at is null;
    if left_in is not null then
        perform refuse('illegal_transition', format(
            '%s has become smaller: first put back %s (`orderloom warehouse put-back`), then close the box', its_id,
            left_in), 'put_back_first');
    end if;
    update fulfilment set state = 'packed', changed_at = moment(), overdue = false, box = its_box, grams = its_grams
    where order_no = part.order_no and fulfilment_id = its_id;
    perform pg_notify('parcel_packed', its_id);
    perform tell_fact(part, its_fact, 'packed', its_who, null,
                      nullif(jsonb_strip_nulls(jsonb_build_object('box', its_box, 'grams', its_grams)), '{}'), 'packed');
end $$;

-- The label of a parcel is printed, for the how manyth time. From the second time on, the story says who has it.
create or replace function label_printed(its_id text, its_who text) returns integer language plpgsql as $$
declare
    part fulfilment;
begin
    select * into part from locked_fulfilment(its_id);
    update fulfilment set label_prints = label_prints + 1
    where order_no = part.order_no and fulfilment_id = its_id
    returning * into part;
    if part.label_prints > 1 then
        insert into order_event (order_no, effect, what, who, data)
        values (part.order_no, 'print:' || its_id || ':' || part.label_prints, 'label printed again', its_who,
                jsonb_build_object('fulfilment_id', its_id, 'times', part.label_prints));
    end if;
    return part.label_prints;
end $$;

-- The intent to buy a parcel's label, before the carrier is asked, for one who has looked whether it is paid
-- (`holds`, by the money that he has `seen`; null: what he has seen stays). Answers `wanted`, or `again` with what
-- became of it; or why not: `recalled`, `unpaid`, or `changed` where the money is another one since he looked.
-- `held`: an order hold keeps it here; whoever ends that has the relay ask again.
-- `its_carriers`: service → carrier, "" for every other service; it is chosen once.
-- `waits`: it has its label, and the hand-over is awaited anew; the duty that looks for authorizations which end
-- then tells it again. A parcel that was opened and packed again has kept its label, or gets another one.
create or replace function label_wanted(
    its_id text, its_key text, its_carriers jsonb, holds boolean, seen text, its_charge bigint, its_renewal interval,
    out answer text, out shipping jsonb, out parcel jsonb
) language plpgsql as $$
declare
    part fulfilment;
begin
    select * into part from locked_fulfilment(its_id);
    if part.recalled_from is not null then
        answer := 'recalled';
        return;
    elsif seen is not null and (select p.seen from paying_of(order_of(its_id)) p) <> seen then
        answer := 'changed';
        return;
    elsif part.state <> 'packed' then
        update shipment s set to_charge_minor = its_charge, renew_before = its_renewal, unpaid_at = null
        where s.order_no = part.order_no and s.fulfilment_id = its_id
          and (s.to_charge_minor, s.renew_before, s.unpaid_at)
              is distinct from (its_charge, its_renewal, null::timestamptz);
        answer := 'waits';
        return;
    elsif kept_here_by(part.order_no) is not null then
        answer := 'held';
        return;
    elsif not holds then
        answer := 'unpaid';
        return;
    end if;
    shipping := document_of(part.order_no) -> 'shipping';
    update shipment s set to_charge_minor = its_charge, renew_before = its_renewal, unpaid_at = null
    where s.order_no = part.order_no and s.fulfilment_id = its_id and s.label = 'bought'
      and s.service = shipping ->> 'service';
    if found then
        update fulfilment set state = 'labelled', changed_at = moment(), overdue = false
        where order_no = part.order_no and fulfilment_id = its_id;
        answer := 'waits';
        return;
    end if;
    insert into shipment as s (order_no, fulfilment_id, label_key, label, service, sold_by, to_charge_minor,
                               renew_before, box, grams)
    values (part.order_no, its_id, its_key, 'requested', shipping ->> 'service',
            case when part.handling = 'digital' then 'codes'
                 when part.handling = 'drop_ship' then 'supplier'
                 when part.handling = 'service' then 'appointment'
                 when part.handling like 'x:%' then 'workshop'
                 else coalesce(its_carriers ->> (shipping ->> 'service'), its_carriers ->> '') end,
            its_charge, its_renewal, part.box, part.grams)
    on conflict (order_no, fulfilment_id) do update
    set label = 'requested', asked_at = moment(), service = excluded.service, sold_by = excluded.sold_by,
        to_charge_minor = excluded.to_charge_minor, renew_before = excluded.renew_before, unpaid_at = null,
        carrier = null, tracking_number = null, box = excluded.box, grams = excluded.grams,
        label_key = its_key || ':' || 1 + (select count(*) from unused_label u
                                           where u.order_no = s.order_no and u.fulfilment_id = its_id)
    where s.label = 'voided';
    answer := case when found then 'wanted' else 'again' end;
    if answer = 'again' then
        update shipment s set asked_at = moment()
        where s.order_no = part.order_no and s.fulfilment_id = its_id and s.label = 'requested';
    end if;
    select to_jsonb(s) into parcel
    from shipment s where s.order_no = part.order_no and s.fulfilment_id = its_id;
    if parcel ->> 'service' <> shipping ->> 'service' then
        perform refuse('conflict', format(
            'a label of %s was asked for before, with service %s; a parcel has one label', its_id,
            parcel ->> 'service'));
    end if;
end $$;

-- A label is bought: requested → bought, and packed → labelled. Neither where the parcel was recalled meanwhile;
-- `is_late`: its purchase counts as never made by now, or the label is not used any more. Its files are kept with
-- it; `its_note` is about those that cannot be.
create or replace function label_recorded(
    its_id text, its_key text, its_carrier text, its_number text, media_types text[], contents bytea[], its_note text,
    out is_recalled boolean, out is_late boolean
) language plpgsql as $$
declare
    part   fulfilment;
    parcel supplier_parcel;
begin
    select * into part from locked_fulfilment(its_id);
    is_recalled := part.recalled_from is not null;
    if part.handling = 'drop_ship' then
        -- The number that the supplier has told; without one it has ours.
        update supplier_parcel p set fulfilment_id = its_id
        from (select s.order_no, s.line_id, s.notice from supplier_parcel s
              join fulfilment_line l on l.order_no = s.order_no and l.fulfilment_id = its_id and l.line_id = s.line_id
              where s.order_no = part.order_no and coalesce(s.fulfilment_id, its_id) = its_id
              order by s.fulfilment_id nulls last, s.told_at limit 1) first
        where (p.order_no, p.line_id, p.notice) = (first.order_no, first.line_id, first.notice)
        returning p.* into parcel;
        its_carrier := coalesce(parcel.carrier, its_carrier);
        its_number := coalesce(parcel.tracking_number, its_number);
    end if;
    update shipment s set label = 'bought', carrier = its_carrier, tracking_number = its_number
    where s.order_no = part.order_no and s.fulfilment_id = its_id and s.label = 'requested'
      and s.label_key = its_key;
    is_late := exists (select from shipment s
                       where s.order_no = part.order_no and s.fulfilment_id = its_id
                         and (s.label = 'voided' or s.label_key <> its_key));
    insert into label_file (order_no, fulfilment_id, media_type, content)
    select part.order_no, its_id, f.media_type, f.content
    from unnest(media_types, contents) as f (media_type, content)
    where not is_late
    on conflict do nothing;
    if part.state = 'packed' and not is_late then
        update fulfilment set state = 'labelled', changed_at = moment(), overdue = false
        where order_no = part.order_no and fulfilment_id = its_id;
        if part.handling = 'pick_up' then
            insert into pick_up (order_no, fulfilment_id, code) values (part.order_no, its_id, new_code())
            on conflict do nothing;
        elsif part.handling like 'x:%' then
            insert into outside_work (order_no, fulfilment_id) values (part.order_no, its_id) on conflict do nothing;
        end if;
        perform told(
            array[order_of(its_id)], array['label:' || its_id], array[null::jsonb],
            array[case part.handling when 'pick_up' then 'ready to be collected' when 'digital' then 'ready to be given out'
                  when 'drop_ship' then 'sent by the supplier' when 'service' then 'ready for its appointment'
                  else case when part.handling like 'x:%' then 'ready for the workshop' else 'label bought' end end],
            array['orderloom'], array[its_note],
            array[jsonb_build_object('fulfilment_id', its_id, 'carrier', its_carrier,
                                     'tracking_number', its_number)], false);
    end if;
end $$;

-- A workshop takes the work on a fulfilment: wanted → begun. Answers whether it has it: not where it was stopped, or
-- another attempt has taken its place. A repeat gives the same answer.
create or replace function work_begun(its_id text, its_attempt integer) returns boolean language plpgsql as $$
begin
    perform from locked_fulfilment(its_id);
    update outside_work set state = 'begun', changed_at = moment()
    where order_no = order_no_of(its_id) and fulfilment_id = its_id and attempt = its_attempt and state = 'wanted';
    return found or exists (
        select from outside_work where order_no = order_no_of(its_id) and fulfilment_id = its_id
                                   and attempt = its_attempt and state = 'begun');
end $$;

-- A workshop's work has ended. Answers whether that is news.
create or replace function work_ended(its_id text, its_attempt integer, as_state text, its_words text) returns boolean
language plpgsql as $$
begin
    perform from locked_fulfilment(its_id);
    update outside_work set state = as_state, said = nullif(its_words, ''), changed_at = moment()
    where order_no = order_no_of(its_id) and fulfilment_id = its_id and attempt = its_attempt
      and state in ('wanted', 'begun');
    return found;
end $$;

-- Somebody wants a workshop's goods back, and holds the order's lock. Answers whether they are to be had: not while
-- the workshop works on them. Work that nobody has begun, or that has failed, is stopped with that.
create or replace function work_stopped(its_id text) returns boolean language plpgsql as $$
begin
    update outside_work set state = 'stopped', changed_at = moment()
    where order_no = order_no_of(its_id) and fulfilment_id = its_id and state in ('wanted', 'failed');
    return not exists (select from outside_work
                       where order_no = order_no_of(its_id) and fulfilment_id = its_id and state = 'begun');
end $$;

-- A person has said that failed work is tried again.
create or replace function work_wanted_again(its_id text) returns void language plpgsql as $$
begin
    perform from locked_fulfilment(its_id);
    update outside_work set state = 'wanted', attempt = attempt + 1, said = null, changed_at = moment()
    where order_no = order_no_of(its_id) and fulfilment_id = its_id and state = 'failed';
end $$;

-- Before that nobody was to do anything about a fulfilment: its first day of sale, or its appointment. Null: there is
-- none.
create or replace function due_since(its_no bigint, its_id text) returns timestamptz language sql stable as $$
    select greatest(
        (select begins_at from appointment where order_no = its_no and fulfilment_id = its_id),
        (select max(i.available_from::timestamp at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))
         from reservation r join item i using (sku) join location l using (location)
         where r.order_no = its_no and r.fulfilment_id = its_id and r.quantity > 0))
$$;

-- Whether a service is so near that it is not cancelled any more, by its order's policy.
create or replace function appointment_is_firm(its_id text) returns boolean language sql stable as $$
    select exists (
        select from appointment a
        join fulfilment f using (order_no, fulfilment_id) join customer_order o using (order_no)
        where a.order_no = order_no_of(its_id) and a.fulfilment_id = its_id
          and f.state in ('picking', 'picked', 'packed', 'labelled')
          and a.begins_at <= moment() + coalesce((o.policy ->> 'appointment_firm')::interval, '0'))
$$;

-- A time for a service is agreed, for the first time or another one; null: it was not given at its time, and another
-- one is to be agreed. A repeat changes nothing. The promise follows, as a day of the place that gives it.
create or replace function appointment_made(its_id text, its_time timestamptz, its_who text, its_note text) returns void
language plpgsql as $$
declare
    part   fulfilment;
    before appointment;
    day    date;
begin
    select * into part from locked_fulfilment(its_id);
    select * into before from appointment where order_no = part.order_no and fulfilment_id = its_id;
    if part.handling <> 'service' then
        perform refuse('refused', its_id || ' has no service that is given at an appointment', 'not_a_service');
    elsif before.order_no is not null and before.begins_at is not distinct from its_time then
        return;
    elsif part.state not in ('open', 'picking', 'picked', 'packed', 'labelled') then
        perform refuse('illegal_transition', format('%s is %s: nothing is to be agreed any more', its_id, part.state),
                       'service_is_over');
    elsif its_time <= moment() then
        perform refuse('refused', format('%s is over already: agree on a later time', in_utc(its_time)),
                       'in_the_past');
    elsif its_time is null and coalesce(before.begins_at > moment(), true) then
        perform refuse('illegal_transition', format('%s cannot have been missed: its appointment is %s', its_id,
                       coalesce('at ' || in_utc(before.begins_at), 'still to be agreed')), 'not_missed');
    end if;
    insert into appointment (order_no, fulfilment_id, begins_at) values (part.order_no, its_id, its_time)
    on conflict (order_no, fulfilment_id) do update
    set begins_at = excluded.begins_at,
        missed = appointment.missed + case when excluded.begins_at is null then 1 else 0 end;
    select (its_time at time zone coalesce(l.calendar ->> 'time_zone', 'UTC'))::date into day
    from location l where l.location = part.location;
    update fulfilment set promised_leave = day, promised_on = day, changed_at = moment(), overdue = false
    where order_no = part.order_no and fulfilment_id = its_id;
    insert into order_event (order_no, effect, what, who, why, data)
    values (part.order_no, 'appointment:' || its_id,
            case when its_time is null then 'appointment missed' when before.begins_at is null then 'appointment made'
                 else 'appointment moved' end,
            its_who, nullif(its_note, ''),
            jsonb_build_object('fulfilment_id', its_id, 'begins_at', its_time));
end $$;

-- A code that a person can read out: seven letters and digits of which none looks like another, by the server's own
-- strong chance. 35 bits, of which a stranger can try some hundred a day.
create or replace function new_code() returns text language sql volatile as $$
    select string_agg(substr('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', 1 + get_byte(b.bytes, 8 + n) % 32, 1), '')
    from (select uuid_send(gen_random_uuid()) as bytes) b, generate_series(1, 7) as n
$$;

-- Whether a code is the one for which goods are given out. Answers `right`, `wrong`, `too_many` (five wrong ones in
-- a row: none is looked at for a quarter of an hour), `given_up` (the goods go back to stock), or `not_ready`. A wrong
-- one is counted, so the caller commits. A repeat after the goods were given out is answered in the same way.
create or replace function code_tried(its_id text, its_code text) returns text language plpgsql as $$
declare
    part  fulfilment;
    ready pick_up;
begin
    select * into part from locked_fulfilment(its_id);
    select * into ready from pick_up p where p.order_no = part.order_no and p.fulfilment_id = its_id;
    if part.recalled_from is not null then
        return 'given_up';
    elsif ready.code is null then
        return 'not_ready';
    elsif ready.wrong_tries >= 5 and ready.tried_at > moment() - interval '15 minutes' then
        return 'too_many';
    elsif upper(regexp_replace(its_code, '[^A-Za-z0-9]', '', 'g')) <> ready.code then
        update pick_up p
        set wrong_tries = case when p.wrong_tries >= 5 then 1 else p.wrong_tries + 1 end, tried_at = moment()
        where p.order_no = part.order_no and p.fulfilment_id = its_id;
        return 'wrong';
    end if;
    update pick_up p set wrong_tries = 0, tried_at = null
    where p.order_no = part.order_no and p.fulfilment_id = its_id and p.wrong_tries > 0;
    return 'right';
end $$;

-- Gives out the codes of a fulfilment that is being handed over, the oldest first. The caller holds the locks of the
-- order and of the stock, so no code is given to two. Answers how many are lacking; a repeat gives none.
create or replace function licences_given(its_id text) returns bigint language plpgsql as $$
declare
    lacking bigint;
begin
    if exists (select from licence l where l.order_no = order_no_of(its_id) and l.fulfilment_id = its_id) then
        return 0;
    end if;
    with wanted as materialized (
        select l.order_no, l.line_id, r.sku, r.location, l.picked * r.per_unit as units,
               sum(l.picked * r.per_unit) over (partition by r.sku, r.location order by l.line_id) as up_to,
               sum(l.picked * r.per_unit) over (partition by r.sku, r.location) as of_sku
        from fulfilment_line l join reservation r using (order_no, fulfilment_id, line_id)
        where l.order_no = order_no_of(its_id) and l.fulfilment_id = its_id and l.picked > 0
    ), free as materialized (
        select f.licence_no, w.sku, w.location, row_number() over (partition by w.sku, w.location order by f.licence_no) as n
        from (select distinct sku, location, of_sku from wanted) w
        cross join lateral (
            select c.licence_no from licence c
            where c.sku = w.sku and c.location = w.location and c.given_at is null
            order by c.licence_no limit w.of_sku) f
    ), given as (
        update licence c
        set order_no = w.order_no, fulfilment_id = its_id, line_id = w.line_id, given_at = moment()
        from free f join wanted w on (w.sku, w.location) = (f.sku, f.location) and f.n > w.up_to - w.units and f.n <= w.up_to
        where c.licence_no = f.licence_no
        returning c.licence_no
    )
    select (select sum(units) from wanted) - (select count(*) from given) into lacking;
    return lacking;
end $$;

-- What a hand-over is decided on, under the order's lock and that of the parcel's stock, which are taken here.
-- `is_told`: it was reported before, and nothing else is answered. `since`: it has its label. `lines`: what is claimed for the parcel.
-- `held`: the units of each of their SKUs that the owner of these goods has, and what they have cost. `paying`: where it is still to be charged.
-- `may_leave`: false where a carrier has taken it already, whatever holds its order.
create or replace function hand_over_look(
    its_id text, may_leave boolean, out is_told boolean, out carrier text, out since timestamptz, out lines jsonb, out held jsonb,
    out to_charge bigint, out paying jsonb, out tallies jsonb, out basis jsonb
) language plpgsql as $$
declare
    part  fulfilment;
    goods text[];
begin
    select * into part from locked_fulfilment(its_id);
    is_told := told_before(its_id, part.state, part.recalled_from is not null, 'labelled',
                           'handover:' || its_id, '{}');
    carrier := (select s.carrier from shipment s
                where s.order_no = part.order_no and s.fulfilment_id = its_id);
    if is_told then
        return;
    end if;
    if may_leave then
        perform refuse_while_held(its_id, part.order_no);
        perform refuse_before_first_day(its_id, part.order_no);
    end if;
    since := part.changed_at;
    select coalesce(jsonb_agg(to_jsonb(l) order by l.line_id), '[]') into lines
    from (select line_id, min(location) as location, min(quantity) as units,
                 jsonb_object_agg(sku, per_unit) as parts
          from reservation
          where order_no = part.order_no and fulfilment_id = its_id and quantity > 0
          group by line_id) l;
    goods := array(select distinct sku from reservation
                   where order_no = part.order_no and fulfilment_id = its_id and quantity > 0);
    perform from locked_stock(goods);
    select coalesce(jsonb_object_agg(g.sku, held_by(l.seller, g.sku)), '{}')
    into held from unnest(goods) as g (sku), location l where l.location = part.location;
    to_charge := coalesce((select s.to_charge_minor from shipment s
                           where s.order_no = part.order_no and s.fulfilment_id = its_id), 0);
    if to_charge > 0 then
        select to_jsonb(p) into paying from paying_of(order_of(its_id)) p;
    end if;
    tallies := coalesce(paying -> 'tallies', (select to_jsonb(t) from tallies_of(part.order_no) t));
    select to_jsonb(b) into basis from document_basis(order_of(its_id), 'invoice', its_id) b;
end $$;

-- labelled → shipped, whole, for one who has looked and decided: the units leave the stock with their cost
-- (`cost`: null where nothing is known of it) and the claims, the order is told, and then they are billed.
create or replace function parcel_shipped(
    its_id text, its_time timestamptz, its_who text, skus text[], locations text[], units bigint[],
    cost jsonb, its_report jsonb, bill jsonb
) returns void language plpgsql as $$
declare
    its_order text := order_of(its_id);
    its_why   text := 'parcel ' || its_id || ' handed over';
    first     bigint;
begin
    select min(movement_id) into first
    from stock_moved(
        array_fill('ship:' || its_id, array[cardinality(skus)]), skus, locations, units, units,
        array_fill(its_order, array[cardinality(skus)]), 'shipped', false, null, its_who, its_why);
    if first is not null and cost is not null then
        perform goods_valued(cost, 'ship:' || its_id || '#' || first, order_no_of(its_order),
                             'shipped: ' || its_why, 'shipped',
                             (select seller from location where location = locations[1]));
    end if;
    perform parcel_left(its_id, its_time, its_who);
    perform report_to_step('pick_pack_ship:' || its_id, its_order, null, its_report, true);
    perform goods_billed(its_id, bill);
end $$;

-- A lost parcel, which was paid back or replaced, is on its way back: the warehouse expects it. Answers its return. Once,
-- but for one that a customer was to pay for and did not: it is with the customer, and may yet come.
create or replace function parcel_found(part fulfilment, its_who text, its_detail text) returns text
language plpgsql as $$
declare
    its_return text := (
        select r.return_id from order_return r
        where r.order_no = part.order_no and r.fulfilment_id = part.fulfilment_id
          and not exists (select from order_event e
                          where e.order_no = r.order_no and e.effect = 'not_paid:' || r.return_id));
begin
    if its_return is not null then
        return its_return;
    end if;
    its_return := order_of(part.fulfilment_id) || ':R' || 1 + (
        select count(*) from order_return r where r.order_no = part.order_no);
    insert into order_return (order_no, return_id, kind, fulfilment_id, state, reason)
    values (part.order_no, its_return, 'found', part.fulfilment_id, 'approved',
            part.fulfilment_id || ' was lost, and is found');
    insert into return_line (order_no, return_id, line_id, sku, quantity)
    select l.order_no, its_return, l.line_id, l.sku, f.picked
    from fulfilment_line f join order_line l using (order_no, line_id)
    where f.order_no = part.order_no and f.fulfilment_id = part.fulfilment_id and f.picked > 0;
    insert into order_event (order_no, effect, what, who, why, data)
    values (part.order_no, 'found:' || its_return, 'found, and coming back', its_who, nullif(its_detail, ''),
            jsonb_build_object('return_id', its_return, 'fulfilment_id', part.fulfilment_id));
    return its_return;
end $$;

-- A scan from before the parcel had its number: it is about one that had the number earlier, which nobody
-- here knows, or the carrier's clock is wrong. The parcel stays as it is, and a person is asked, once.
create or replace function scan_of_another(
    part_id text, sold_at timestamptz, its_carrier text, its_event text, its_status text, its_time timestamptz
) returns void language plpgsql as $$
declare
    part fulfilment;
    said text := format('%s at %s, before %s had its label at %s', its_status, in_utc(its_time), part_id,
                        in_utc(sold_at));
begin
    select * into part from locked_fulfilment(part_id);
    insert into effect (order_no, effect) values (part.order_no, format('scan:%s:%s', part_id, its_event))
    on conflict (order_no, effect) do nothing;
    if found then
        insert into order_event (order_no, effect, what, who, why, data)
        values (part.order_no, format('scan:%s:%s', part_id, its_event), 'unexpected carrier scan',
                'carrier ' || its_carrier, said, jsonb_build_object('fulfilment_id', part_id));
        insert into attention (order_no, step, reason, allowed)
        values (part.order_no, 'late_scan ' || part_id,
                format('carrier %s says %s: ask it which parcel it means. If it is this one, report it again '
                       'with the right time; then say done', its_carrier, said),
                '{done}')
        on conflict (order_no, step) where resolved_at is null do nothing;
    end if;
end $$;

-- The return whose parcel had this number when the scan happened, where no parcel of ours (`rival`) is rather
-- meant: one that has this event already, or is on its way, or got the number later.
create or replace function return_with_number(
    its_carrier text, its_number text, its_event text, happened timestamptz, rival text
) returns text language sql stable as $$
    with parcel as (
        select l.return_id, l.asked_at,
               exists (select from return_scan s where s.order_no = l.order_no and s.return_id = l.return_id
                                                   and s.event_id = its_event) as is_told
        from return_label l
        where l.carrier = its_carrier and l.tracking_number = its_number and l.label = 'bought'
    )
    select return_id from parcel r
    where is_told or asked_at <= happened + interval '1 hour' and not exists (
        select from shipment p join fulfilment f using (order_no, fulfilment_id)
        where p.order_no = order_no_of(rival) and p.fulfilment_id = rival
          and (f.state in ('labelled', 'shipped') or p.asked_at > r.asked_at
               or exists (select from carrier_event e
                          where e.order_no = p.order_no and e.fulfilment_id = rival and e.event_id = its_event)))
    order by is_told desc, asked_at desc limit 1
$$;

-- A carrier's scan, whole: the parcel is found, its order is locked, and what follows is written.
-- Answers 'new', 'repeat' (it came before, and nothing is changed), 'of another' (a person is asked which
-- parcel it is about), 'of a return' (`part_id`), or 'not handed over': the parcel moves, but is still here. In
-- the last two nothing is changed, and the caller sees to the return, or hands it over first.
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
    back   text;
    sold_at timestamptz;
    -- Clocks that were never set begin in 1970, 1980 or 2000: they say nothing. Any other time is meant, however
    -- long ago: carriers tell all that a number was ever used for.
    happened timestamptz := case when its_time < '2001-01-01Z' then moment() else its_time end;
begin
    -- Carriers recycle numbers: it is about a parcel that had this number when it happened, give or take an
    -- hour between two clocks. One that already has this event comes first, then one that has not ended,
    -- then the newest hand-over.
    select p.fulfilment_id into part_id
    from shipment p join fulfilment f using (order_no, fulfilment_id)
    cross join lateral (select exists (
        select from carrier_event e
        where e.order_no = p.order_no and e.fulfilment_id = p.fulfilment_id and e.event_id = its_event
    ) as is_told) known
    where p.carrier = its_carrier and p.tracking_number = its_number and p.label = 'bought'
      and (known.is_told or p.asked_at <= happened + interval '1 hour')
    order by known.is_told desc, (p.asked_at <= happened) desc, (f.state in ('labelled', 'shipped')) desc,
             p.handed_over_at desc nulls last, p.fulfilment_id
    limit 1;
    back := return_with_number(its_carrier, its_number, its_event, happened, part_id);
    if back is not null then
        answer := 'of a return';
        part_id := back;
        return;
    elsif part_id is null then
        select p.fulfilment_id, p.asked_at into part_id, sold_at
        from shipment p join fulfilment f using (order_no, fulfilment_id)
        where p.carrier = its_carrier and p.tracking_number = its_number and p.label = 'bought'
        order by (f.state in ('labelled', 'shipped')) desc, p.asked_at desc limit 1;
        if part_id is null then
            perform refuse('not_found', format('no parcel has %s number %s', its_carrier, its_number));
        end if;
        perform scan_of_another(part_id, sold_at, its_carrier, its_event, its_status, its_time);
        answer := 'of another';
        return;
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
        -- A late or impossible scan is kept and told, and leaves the fulfilment as it is. That a delivered
        -- parcel was on its way before is no news.
        if moves and (part.state <> 'delivered' or ends_as in ('undeliverable', 'lost')) then
            insert into order_event (order_no, effect, what, who, why, data)
            values (part.order_no, format('scan:%s:%s', part_id, its_event),
                    'unexpected carrier scan', 'carrier ' || its_carrier,
                    format('%s, but the parcel is %s here', its_status, part.state),
                    jsonb_build_object('fulfilment_id', part_id));
        end if;
        if ends_as = 'undeliverable' and part.state = 'exception' and parcel.carrier_status = 'failure' then
            perform parcel_found(part, 'carrier ' || its_carrier, its_detail);
        -- It ended in another way than it was dealt with: goods or money are where nobody looks for them.
        elsif ends_as is not null and its_status <> parcel.carrier_status
           and part.state in ('delivered', 'exception') then
            insert into attention (order_no, step, reason, allowed)
            select part.order_no, 'late_scan ' || part_id,
                   case when is_kept
                        then format('carrier %s says delivered after it said failure, and the customer was paid back or '
                                    'sent others: let it be (done), have it sent back, or charge for it', its_carrier)
                        else format('carrier %s says %s after it said %s: ask it where the parcel is, put goods and '
                                    'money right by hand, and say done', its_carrier, its_status, parcel.carrier_status)
                   end,
                   case when is_kept then array['done', 'send_back', 'charge'] else array['done'] end
            from (select part.state = 'exception' and parcel.carrier_status = 'failure' and its_status = 'delivered'
                         as is_kept) it
            on conflict (order_no, step) where resolved_at is null do nothing;
        end if;
    elsif its_status = 'available_for_pickup' and its_status <> parcel.carrier_status
      and parcel.carrier_status = any(overtakes) then
        -- Some days later it goes back: the customer is to be told before that.
        insert into order_event (order_no, effect, what, who, why, data)
        values (part.order_no, format('at_pickup_point:%s:%s', part_id, its_event), 'waits at a pick-up point',
                'carrier ' || its_carrier, nullif(its_detail, ''), jsonb_build_object('fulfilment_id', part_id));
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
        -- The return window begins at this time. A clock that is ahead must not make it longer, and one that
        -- is behind not shorter than since the hand-over.
        perform report_to_step('await_delivery:' || part_id, order_of(part_id), null,
                               told || jsonb_build_object(
                                   'outcome', ends_as,
                                   'at', least(greatest(its_time, parcel.handed_over_at), moment())));
    end if;
end $$;

-- Whether a person is to see to a carrier's message: it cannot be read, or its parcel is not known after an hour, in
-- which its label may yet be bought. Several about one number are one task: the first.
create or replace function carrier_message_needs_a_person(m carrier_message) returns boolean language sql stable
return m.processed_at is null and m.last_error is not null
   and (m.tracking_number is null
        or m.received_at < moment() - interval '1 hour'
           and not exists (select from carrier_message o
                           where o.sender = m.sender and o.tracking_number = m.tracking_number
                             and o.processed_at is null and o.message_no < m.message_no));
