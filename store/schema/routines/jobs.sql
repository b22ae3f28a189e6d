-- What a job says of a person goes with that person.

-- Texts about the order, and files that tell of it: a printed slip has an address, and an export what people
-- typed. A file goes as a whole, because it would be wrong without a part of it.
create or replace function jobs_forget_person() returns trigger language plpgsql as $$
declare
    its_id   text;
    its_time timestamptz;
begin
    select order_id, received_at into its_id, its_time from customer_order where order_no = new.order_no;
    update job_item set answer = null, detail = case when detail is not null then '[erased]' end, faults = null
    where reference = its_id and outcome is not null and (answer is not null or detail is not null);
    delete from job_part p where p.job_id in (
        select job_id from job_part where its_time between since and until);
    delete from job_part p where p.job_id in (
        select i.job_id from job_item i join job j using (job_id)
        where i.reference = its_id and j.kind like 'print_%');
    return null;
end $$;
create or replace trigger jobs_forget_person after update of erased_at on order_person
    for each row when (new.erased_at is not null and old.erased_at is null) execute function jobs_forget_person();
