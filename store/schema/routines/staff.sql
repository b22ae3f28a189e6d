-- What people wrote about tasks of an order whose customer is erased goes, whoever they gave it to.
create or replace function task_care_forgets_person() returns trigger language plpgsql as $$
begin
    delete from task_care using customer_order o where o.order_no = new.order_no and subject = o.order_id;
    return null;
end $$;
create or replace trigger task_care_forgets_person after update of erased_at on order_person
    for each row when (new.erased_at is not null and old.erased_at is null)
    execute function task_care_forgets_person();
