-- Tax by rate, out of what is printed on invoices and credit notes.

-- name: taxes(seller, first, last)
-- Invoices less credit notes of these days by currency and rate, the highest rate first; and the same (`is_whole` is
-- false) by the country that the goods went to. Both of one look at the documents.
select grouping(d.country) = 1 as is_whole, d.country, d.currency, t.rate, t.category,
       sum(s.sign * t.net_minor)::bigint as net_minor,
       sum(s.sign * t.tax_minor)::bigint as tax_minor,
       sum(s.sign * (t.net_minor + t.tax_minor))::bigint as total_minor
from document d
cross join lateral (select case d.kind when 'invoice' then 1 else -1 end as sign) s
cross join lateral jsonb_to_recordset(d.taxes)
    as t (rate text, category text, net_minor numeric, tax_minor numeric)
where d.seller = :seller and d.issued_on between :first and :last
  -- Of all documents, the index passes over those of other times; see store/accounting/documents.sql.
  and d.kind in ('invoice', 'credit_note') and d.issued_at > :first::date - 31 and d.issued_at < :last::date + 2
group by grouping sets ((d.currency, t.rate, t.category), (d.country, d.currency, t.rate, t.category))
order by d.country nulls last, d.currency, t.rate::numeric desc nulls last, t.category nulls first;

-- name: sums(seller, first, last)
-- The same of all rates, and the tax that is booked on these days.
with printed as (
    select d.currency, sum(s.sign * (d.tax_minor + d.shipping_tax_minor)) as tax,
           sum(s.sign * d.rounding_minor) as rounding,
           sum(s.sign * d.amount_minor) as total
    from document d
    cross join lateral (select case d.kind when 'invoice' then 1 else -1 end as sign) s
    where d.seller = :seller and d.issued_on between :first and :last
      -- Of all documents, the index passes over those of other times; see store/accounting/documents.sql.
      and d.kind in ('invoice', 'credit_note') and d.issued_at > :first::date - 31 and d.issued_at < :last::date + 2
    group by d.currency
), booked as (
    select currency, sum(tax) as tax
    from (
        select currency, credit_minor - debit_minor as tax from book_day_account
        where seller = :seller and day between :first and :last and account = 'tax_payable'
        union all
        select p.currency, -p.amount_minor
        from journal_entry e
        cross join lateral (select * from posting p where p.entry_id = e.entry_id offset 0) p
        where e.seller = :seller and e.booked_on between :first and :last and p.account = 'tax_payable'
          and e.booked_on > coalesce((select max(day) from book_day where seller = :seller), '-infinity')
    ) every
    group by currency
)
select currency,
       (coalesce(printed.total, 0) - coalesce(printed.tax, 0) - coalesce(printed.rounding, 0))::bigint
           as net_minor,
       coalesce(printed.tax, 0)::bigint as tax_minor,
       coalesce(printed.rounding, 0)::bigint as rounding_minor,
       coalesce(printed.total, 0)::bigint as total_minor,
       coalesce(booked.tax, 0)::bigint as booked_minor
from printed full join booked using (currency)
order by currency;
