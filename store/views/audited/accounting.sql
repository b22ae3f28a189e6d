-- What must be true of the books, and of invoices and credit notes: each query finds what breaks it. See ../audit.sql.

-- name: entry_balances()
select coalesce(o.order_id, e.effect) as order_id, e.effect,
       coalesce(p.currency, m.currency) as currency,
       coalesce(sum(p.amount_minor), 0) as sum_minor, count(p.account) as postings
from journal_entry e
left join posting p using (entry_id)
left join order_money m using (order_no)
left join customer_order o using (order_no)
group by e.entry_id, p.currency, m.currency, o.order_no
having coalesce(sum(p.amount_minor), 0) <> 0 or count(p.account) = 0
order by o.order_id, e.effect;

-- name: entry_is_a_payment()
-- Every capture and refund that succeeded is booked once, with its amount, and so is a refund that came
-- back; and no other entry moves an order's cash, but for what companies and banks keep of it.
select coalesce(p.order_id, e.order_id) as order_id, coalesce(p.payment_key, e.effect) as payment_key,
       coalesce(p.currency, e.currency) as currency, coalesce(p.amount, 0) as paid_minor,
       coalesce(e.moved, 0) as booked_minor
from (
    select order_id, payment_key, currency,
           case kind when 'refund' then -amount_minor else amount_minor end as amount
    from payment
    where kind in ('capture', 'refund') and amount_minor > 0
      and (state = 'succeeded' or code = 'came_back')
    union all
    select order_id, payment_key || ':came_back', currency, amount_minor
    from payment where code = 'came_back'
) p
full join (
    select o.order_id, e.effect, coalesce(p.currency, min(m.currency)) as currency,
           sum(p.amount_minor) filter (where p.account in (
               'cash_in_transit', 'store_credit_liability', 'gift_card_liability', 'voucher_liability',
               'exchange_clearing', 'trade_receivables', 'write_offs')) as moved,  -- what a bank has paid back was written off before
           count(*) filter (where p.account = 'cash_in_transit') as cash,
           count(*) filter (where p.account in ('provider_fees', 'disputes')) as kept
    from journal_entry e
    left join posting p using (entry_id)
    left join order_money m using (order_no)
    join customer_order o using (order_no)
    where not starts_with(e.effect, 'dispute:')
    group by e.entry_id, p.currency, o.order_no
) e on (e.effect, e.order_id, e.currency) = (p.payment_key, p.order_id, p.currency)
where coalesce(p.amount, 0) <> coalesce(e.moved, 0)
  and (p.payment_key is not null or e.cash > 0 and e.kept = 0)
order by order_id, payment_key;

-- name: entry_is_before_its_closing()
select coalesce(o.order_id, e.effect) as order_id, e.effect, e.booked_on, c.through
from journal_entry e left join customer_order o using (order_no)
cross join lateral (
    select min(through) as through from closing
    where seller = e.seller and through >= e.booked_on and closed_at < e.at
) c
where c.through is not null
order by order_id, e.effect;

-- name: inventory_is_stock()
-- Units that a seller owns: on its shelves, and under way from there.
select sku, seller, coalesce(h.quantity, 0) as quantity, coalesce(o.units, 0) as owned
from holding h
full join (
    select sku, seller, sum(units) as units from (
        select sku, location, on_hand as units from stock
        union all
        select l.sku, t.from_location, l.sent - l.arrived - l.lost
        from transfer_line l join transfer t using (transfer_id)
    ) there join location using (location)
    group by sku, seller
) o using (sku, seller)
where coalesce(h.quantity, 0) <> coalesce(o.units, 0)
order by sku, seller;

-- name: inventory_value_is_booked()
-- What a seller's units of a SKU have cost, and their share of what it has booked as inventory. No units have
-- cost nothing.
select sku, seller, currency, c.what, coalesce(v.value_minor, 0) as kept_minor, c.said as said_minor
from inventory_value v
full join (
    select g.sku, e.seller, g.currency, sum(g.value_minor) as value_minor
    from inventory_posting g join journal_entry e using (entry_id)
    group by g.sku, e.seller, g.currency
) p using (sku, seller, currency)
left join holding h using (sku, seller)
cross join lateral (values
    ('its movements', coalesce(p.value_minor, 0)),
    ('there are none of it', case when h.quantity > 0 then coalesce(v.value_minor, 0) else 0 end)
) as c (what, said)
where coalesce(v.value_minor, 0) <> c.said
order by sku, seller, currency, c.what;

-- name: inventory_account_is_its_goods()
select coalesce(o.order_id, e.effect) as order_id, e.effect, currency,
       coalesce(p.amount_minor, 0) as booked_minor, coalesce(g.value_minor, 0) as goods_minor
from (select * from posting where account = 'inventory') p
full join (
    select entry_id, currency, sum(value_minor) as value_minor from inventory_posting
    group by entry_id, currency
) g using (entry_id, currency)
join journal_entry e using (entry_id)
left join (select order_no, order_id from customer_order) o using (order_no)
where coalesce(p.amount_minor, 0) <> coalesce(g.value_minor, 0)
order by order_id, e.effect, currency;

-- name: accounts_are_what_is_owed()
-- What is claimed from the customer is what is due for what left, and not paid; what is left to be paid back
-- is what was granted and not issued. In the end nothing is left to be sent.
with booked as (
    select e.order_no,
           sum(p.amount_minor) filter (where p.account = 'receivables') as receivables,
           sum(p.amount_minor) filter (where p.account = 'deferred_revenue') as deferred,
           sum(p.amount_minor) filter (where p.account = 'refunds_payable') as payable
    from journal_entry e join posting p using (entry_id) group by e.order_no
), owed as (
    select order_no, sum(amount_minor - issued_minor + came_back_minor) as owed
    from refund group by order_no
), due as (
    select order_no, sum(amount_minor - captured_minor) as due
    from charge where not ahead group by order_no
)
select o.order_id, m.currency, o.decision, c.account, coalesce(c.booked, 0) as booked_minor,
       c.due as due_minor
from customer_order o
join order_money m using (order_no)
left join booked using (order_no)
left join owed using (order_no)
left join due using (order_no)
cross join lateral (values
    ('receivables', booked.receivables, coalesce(due.due, 0), true),
    ('deferred_revenue', booked.deferred, 0, o.decision in ('rejected', 'cancelled', 'closed')),
    ('refunds_payable', booked.payable, -coalesce(owed.owed, 0), true)
) as c (account, booked, due, by_now)
where c.by_now and coalesce(c.booked, 0) <> c.due
order by o.order_id, c.account;

-- name: carrier_claim_is_booked()
-- What carriers pay for parcels, less what they got back, against what is booked as owed by them.
select o.order_id, coalesce(c.currency, b.currency) as currency, coalesce(c.owed, 0) as owed_minor, coalesce(b.booked, 0) as booked_minor
from (
    select order_no, currency::text as currency,
           sum(paid_minor) filter (where turned_up is distinct from 'given_back') as owed
    from carrier_claim group by order_no, currency
) c
full join (
    select e.order_no, p.currency::text as currency, sum(p.amount_minor) as booked
    from journal_entry e join posting p using (entry_id)
    where p.account = 'carrier_claims' group by e.order_no, p.currency
) b on (b.order_no, b.currency) = (c.order_no, c.currency)
join customer_order o on o.order_no = coalesce(c.order_no, b.order_no)
where coalesce(c.owed, 0) <> coalesce(b.booked, 0)
order by o.order_id;

-- name: carrier_fee_is_booked()
-- What carriers charge for parcels that they stop on their way, against what is booked as owed to them.
select o.order_id, coalesce(c.currency, b.currency) as currency, coalesce(c.owed, 0) as owed_minor, coalesce(b.booked, 0) as booked_minor
from (
    select order_no, currency::text as currency, sum(fee_minor) as owed
    from interception where fee_minor > 0 group by order_no, currency
) c
full join (
    select e.order_no, p.currency::text as currency, -sum(p.amount_minor) as booked
    from journal_entry e join posting p using (entry_id)
    where p.account = 'carrier_payables' group by e.order_no, p.currency
) b on (b.order_no, b.currency) = (c.order_no, c.currency)
join customer_order o on o.order_no = coalesce(c.order_no, b.order_no)
where coalesce(c.owed, 0) <> coalesce(b.booked, 0)
order by o.order_id;

-- name: numbers_have_no_holes()
-- Numbers are unique, so there are as many as from the first to the last.
select seller, kind, replace(series, '{year}', year::text) as series,
       coalesce(c.last_number - c.first_number + 1, 0) as given, coalesce(c.last_number, 0) as last_number,
       coalesce(d.documents, 0) as documents, coalesce(d.last, 0) as last
from document_counter c
full join (
    select seller, kind, series, year, count(*) as documents, max(running) as last
    from document group by seller, kind, series, year
) d using (seller, kind, series, year)
where (c.last_number - c.first_number + 1, c.last_number) is distinct from (d.documents, d.last)
order by seller, kind, series, year;

-- name: document_adds_up()
-- Lines, allowance, fee for restocking, rounding, shipping and fees are the amounts of the document's own row, and so are the rows
-- by rate together. Fees are part of the row's shipping.
select d.number, d.seller, d.currency, a.what, a.kept as kept_minor, a.printed as printed_minor
from document d
cross join lateral (
    select coalesce(sum((l ->> 'net_minor')::numeric), 0) as net,
           coalesce(sum((l ->> 'tax_minor')::numeric), 0) as tax,
           coalesce(sum((l ->> 'total_minor')::numeric), 0) as total
    from jsonb_array_elements(d.content -> 'lines') l
) l
cross join lateral (
    select coalesce(sum(net_minor), 0) as net, coalesce(sum(tax_minor), 0) as tax,
           coalesce(sum(total_minor), 0) as total
    from jsonb_to_recordset(d.content -> 'fees')
        as f (net_minor numeric, tax_minor numeric, total_minor numeric)
) f
cross join lateral (
    select coalesce(sum(net_minor), 0) as net, coalesce(sum(tax_minor), 0) as tax,
           (d.content ->> 'rounding_minor')::numeric as rounding
    from jsonb_to_recordset(d.content -> 'taxes') as t (net_minor numeric, tax_minor numeric)
) t
cross join lateral (
    values ('goods', d.goods_minor,
            l.net + (d.content ->> 'allowance_minor')::numeric
            - coalesce((d.content ->> 'restocking_minor')::numeric, 0) + t.rounding),
           ('net by rate', d.goods_minor + d.shipping_minor, t.net + t.rounding),
           ('tax by rate', d.tax_minor + d.shipping_tax_minor, t.tax),
           ('tax', d.tax_minor, l.tax + (d.content ->> 'allowance_tax_minor')::numeric
                                - coalesce((d.content ->> 'restocking_tax_minor')::numeric, 0)),
           ('shipping', d.shipping_minor, (d.content ->> 'shipping_minor')::numeric + f.net),
           ('tax on shipping', d.shipping_tax_minor,
            (d.content ->> 'shipping_tax_minor')::numeric + f.tax),
           ('a total', d.amount_minor, (d.content ->> 'total_minor')::numeric),
           ('lines with tax', l.net + l.tax, l.total),
           ('fees with tax', f.net + f.tax, f.total)
) as a (what, kept, printed)
where a.kept is distinct from a.printed
order by d.number, a.what;

-- name: document_is_dated_in_order()
select d.number, d.seller, d.issued_on, b.issued_on as before
from document d
join document b on (b.seller, b.kind, b.series, b.year, b.running)
                   = (d.seller, d.kind, d.series, d.year, d.previous)
where d.issued_on < b.issued_on
order by d.number;

-- name: order_is_of_one_seller()
-- An order's documents and entries are its seller's, but what is booked of goods, which is their owner's.
select o.order_id, o.seller, w.what, w.seller as whose
from customer_order o
join (
    select order_no, seller, number as what from document
    union all
    select order_no, seller, effect from journal_entry e
    where order_no is not null and not exists (select from inventory_posting g where g.entry_id = e.entry_id)
) w using (order_no)
where w.seller <> o.seller
order by o.order_id, w.what;

-- name: sellers_agree()
-- What one seller claims from another, that one owes.
select seller, counterpart, currency, sum(owed) as owed_minor
from (
    select least(e.seller, e.counterpart) as seller, greatest(e.seller, e.counterpart) as counterpart,
           p.currency, p.amount_minor as owed
    from journal_entry e join posting p using (entry_id)
    where p.account = 'intercompany' and e.counterpart is not null
    union all
    select e.seller, null, p.currency, 0  -- its other side is not known
    from journal_entry e join posting p using (entry_id)
    where p.account = 'intercompany' and e.counterpart is null
) between_two
group by seller, counterpart, currency
having sum(owed) <> 0 or counterpart is null
order by seller, counterpart, currency;

-- name: document_is_of_its_entrys_month()
-- So that the documents of a month add up to what is booked in it.
select d.number, d.seller, d.issued_on, e.booked_on
from document d
join journal_entry e on e.order_no = d.order_no
    and e.effect = case d.kind when 'invoice' then 'invoice:' else 'granted:' end || d.part_id
where date_trunc('month', d.issued_on) <> date_trunc('month', e.booked_on)
order by d.number;

-- name: tax_of_a_month_is_booked()
-- A seller's documents of a month, less its credit notes, are the revenue and the tax that it has booked in it.
with printed as (
    select seller, date_trunc('month', issued_on)::date as month, currency,
           sum(case kind when 'invoice' then 1 else -1 end * (t.net + (content ->> 'rounding_minor')::numeric))
               as net,
           sum(case kind when 'invoice' then 1 else -1 end * t.tax) as tax
    from document d
    cross join lateral (
        select coalesce(sum(net_minor), 0) as net, coalesce(sum(tax_minor), 0) as tax
        from jsonb_to_recordset(d.content -> 'taxes') as t (net_minor numeric, tax_minor numeric)
    ) t
    group by 1, 2, 3
), booked as (
    select e.seller, date_trunc('month', e.booked_on)::date as month, p.currency,
           coalesce(-sum(p.amount_minor) filter (where p.account <> 'tax_payable'), 0) as net,
           coalesce(-sum(p.amount_minor) filter (where p.account = 'tax_payable'), 0) as tax
    from journal_entry e join posting p using (entry_id)
    where (starts_with(e.effect, 'invoice:') or starts_with(e.effect, 'granted:'))
      and p.account in ('revenue', 'shipping_income', 'rounding', 'refunds', 'tax_payable')
    group by 1, 2, 3
)
select seller, to_char(month, 'YYYY-MM') as month, currency, a.what, coalesce(a.printed, 0) as printed_minor,
       coalesce(a.booked, 0) as booked_minor
from printed full join booked using (seller, month, currency)
cross join lateral (values
    ('tax', printed.tax, booked.tax), ('net', printed.net, booked.net)
) as a (what, printed, booked)
where coalesce(a.printed, 0) <> coalesce(a.booked, 0)
order by seller, month, currency, a.what;

-- name: book_day_is_its_entries()
-- What a day was added up to is what its entries come to, on both sides of each account.
with added as (
    select seller, max(day) as through from book_day group by seller
)
select seller, day, what, sum(kept)::bigint as kept, sum(booked)::bigint as booked
from (
    select seller, day, 'entries' as what, entries as kept, 0 as booked from book_day
    union all
    select e.seller, e.booked_on, 'entries', 0, 1
    from added join journal_entry e on e.seller = added.seller and e.booked_on <= added.through
    union all
    select a.seller, a.day, side.what || ' ' || a.account || ' ' || a.currency, side.amount, 0
    from book_day_account a
    cross join lateral (values ('debit', a.debit_minor), ('credit', a.credit_minor)) as side (what, amount)
    union all
    select e.seller, e.booked_on,
           case when p.amount_minor > 0 then 'debit ' else 'credit ' end || p.account || ' ' || p.currency, 0,
           abs(p.amount_minor)
    from added join journal_entry e on e.seller = added.seller and e.booked_on <= added.through
    join posting p using (entry_id)
) every
group by seller, day, what having sum(kept) <> sum(booked)
order by seller, day, what;

-- name: closed_balance_is_its_entries()
-- What a closing has carried forward is that of the closing before it, and what was booked between the two.
with closed as (
    select seller, through, lag(through) over (partition by seller order by through) as before from closing
)
select seller, through, account, currency, sum(kept)::bigint as kept_minor, sum(booked)::bigint as booked_minor
from (
    select seller, through, account, currency, amount_minor as kept, 0 as booked from closed_balance
    union all
    select c.seller, c.through, b.account, b.currency, 0, b.amount_minor
    from closed c join closed_balance b on (b.seller, b.through) = (c.seller, c.before)
    union all
    select c.seller, c.through, p.account, p.currency, 0, p.amount_minor
    from closed c join journal_entry e on e.seller = c.seller
        and e.booked_on > coalesce(c.before, '-infinity') and e.booked_on <= c.through
    join posting p using (entry_id)
) every
group by seller, through, account, currency having sum(kept) <> sum(booked);
