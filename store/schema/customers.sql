-- Customers, as those know them who speak with them: one for each id that a channel gave, and one for each mail
-- address under which guests have ordered. Names, phones and addresses stand in the orders' persons alone.

create table customer (
    customer_no bigint      generated always as identity primary key,
    -- By which its orders are recognised (customer_key in routines/customers.sql): `id:` and the channel's id, or
    -- `mail:` and the address of a guest. Of one who is erased: `erased:` and the number, for ever.
    key         text        not null constraint customer_is_known_once unique,
    made_at     timestamptz not null default moment(),
    erased_at   timestamptz,
    constraint erased_customer_is_known_by_number_alone check ((erased_at is null) = (key not like 'erased:%'))
);
