-- A mail server's answer may repeat what it was sent: where an order's person is erased, it goes.
create or replace function mails_erased() returns trigger language plpgsql as $$
begin
    update message
    set answer = null, why = case when why is not null then '[erased]' end
    where order_no = new.order_no and (answer is not null or why is not null);
    return null;
end $$;
create or replace trigger person_is_erased_in_mails after update of erased_at on order_person
    for each row when (new.erased_at is not null and old.erased_at is null) execute function mails_erased();
