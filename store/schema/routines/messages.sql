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

-- A mail may come back after its person was erased: that answer is not kept either. Who erases it just now is waited
-- for, and waits.
create or replace function answer_about_nobody() returns trigger language plpgsql as $$
declare
    is_erased boolean;
begin
    select erased_at is not null into is_erased from order_person where order_no = new.order_no for share;
    if is_erased then
        new.answer := null;
        new.why := case when new.why is not null then '[erased]' end;
    end if;
    return new;
end $$;
create or replace trigger answer_about_nobody before update of answer on message
    for each row when (new.answer is not null and new.answer is distinct from old.answer)
    execute function answer_about_nobody();
