-- What a job says of a person goes with that person.

-- Texts about the order, and files that tell of it: a printed slip has an address, and an export what people
-- typed. A file goes as a whole, because it would be wrong without a part of it; one that is not whole yet fails
-- its job. What a running job has read and not written yet, it reads anew: the first update waits for a part
-- that is just being written, and whoever begins to read after it waits for this transaction.
create or replace function jobs_forget_person() returns trigger language plpgsql as $$
declare
    its_id   text;
    its_time timestamptz;
begin
    with at_work as (
        select job_id from job
        where ended_at is null and (kind in ('export_orders', 'export_customers') or kind like 'print_%')
        order by job_id for no key update
    )
    update job set erased = erased + 1 from at_work where job.job_id = at_work.job_id;
    select order_id, received_at into its_id, its_time from customer_order where order_no = new.order_no;
    update job_item set answer = null, detail = case when detail is not null then '[erased]' end, faults = null
    where reference = its_id and outcome is not null and (answer is not null or detail is not null);
    with gone as (
        delete from job_part p where p.job_id in (
            select job_id from job_part where its_time between since and until)
        returning p.job_id
    )
    update job set state = 'failed', ended_at = moment(), total = done,
                   failure = 'a customer was erased whose order was in its file already: export once more',
                   failure_code = 'erased'
    where ended_at is null and job_id in (select job_id from gone);
    delete from job_part p where p.job_id in (
        select i.job_id from job_item i join job j using (job_id)
        where i.reference = its_id and j.kind like 'print_%');
    -- The reason that was typed for many orders; and whose orders were asked for.
    update job set options = jsonb_set(options, '{reason}', '"[erased]"')
    where ended_at is not null and kind = 'cancel_orders' and options ->> 'reason' <> '[erased]'
      and job_id in (select job_id from job_item where reference = its_id);
    update job set options = jsonb_set(options, '{note}', '"[erased]"')
    where ended_at is not null and kind in ('hold_orders', 'release_orders', 'charge_orders')
      and options ->> 'note' <> '[erased]'
      and job_id in (select job_id from job_item where reference = its_id);
    update job set options = jsonb_set(options, '{customer_id}', '"[erased]"')
    where ended_at is not null and options ->> 'customer_id' = old.customer_id;
    update job set options = jsonb_set(options, '{where,customer_id}', '"[erased]"')
    where ended_at is not null and options #>> '{where,customer_id}' = old.customer_id;
    return null;
end $$;
create or replace trigger jobs_forget_person after update of erased_at on order_person
    for each row when (new.erased_at is not null and old.erased_at is null) execute function jobs_forget_person();
