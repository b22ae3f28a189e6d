-- What must be true of money: what is charged, paid back, disputed and given as credit: each query finds what breaks it. See ../audit.sql.

-- name: money_in_order()
select order_id, order_money.currency, charged as charged_minor, authorized as authorized_minor,
       capture_granted as capture_granted_minor, captured as captured_minor,
       refund_granted as refund_granted_minor, refunded as refunded_minor, released as released_minor
from order_money join customer_order using (order_no)
where not (0 <= refunded and refunded <= refund_granted and refund_granted <= charged
           and refunded <= captured and captured <= capture_granted and capture_granted <= charged
           and 0 <= released and capture_granted + released <= authorized)
order by order_id;

-- name: money_is_its_payments()
-- The sums of an order against its charges, payments and refunds; and those of each authorization, charge
-- and refund against the operations that are about it. What was charged by hand needs no authorization:
-- it counts as one.
with paid as (
    select order_no,
           sum(amount_minor) filter (where
               kind = 'authorize' and state = 'succeeded'
               or kind = 'capture' and provider = 'by_hand' and state <> 'failed') as authorized,
           sum(amount_minor) filter (where kind = 'capture' and state <> 'failed')
               as capture_granted,
           sum(amount_minor) filter (where kind = 'capture' and state = 'succeeded') as captured,
           -- What a company has paid back beyond what was charged is of no refund, and in no sum.
           sum(amount_minor) filter (
               where kind = 'refund' and state = 'succeeded'
                 and (part_of is not null or strpos(payment_key, ':elsewhere:') = 0)) as refunded,
           sum(released) as released,
           count(*) filter (where kind = 'void' and state = 'succeeded') as voids
    from payment group by order_no
), due as (
    select order_no, sum(amount_minor) as charged, sum(captured_minor) as captured
    from charge group by order_no
), owed as (
    select order_no, sum(amount_minor) as granted, sum(issued_minor - came_back_minor) as issued
    from refund group by order_no
), about as (
    select order_no, authorization_key,
           sum(amount_minor) filter (where kind = 'capture' and state <> 'failed')
               as capture_granted,
           sum(amount_minor) filter (where kind = 'capture' and state = 'succeeded') as captured,
           sum(amount_minor) filter (where kind = 'refund' and state <> 'failed')
               as refund_granted,
           sum(amount_minor) filter (where kind = 'refund' and state = 'succeeded') as refunded
    from payment where authorization_key is not null group by order_no, authorization_key
), issued as (
    select order_no, part_of as refund_id, sum(amount_minor) as issued
    from payment where kind = 'refund' and state = 'succeeded' group by order_no, part_of
)
select o.order_id, m.currency, c.what, c.kept as kept_minor, coalesce(c.done, 0) as done_minor
from order_money m
join customer_order o using (order_no)
left join paid using (order_no)
left join due using (order_no)
left join owed using (order_no)
cross join lateral (values
    ('charged', m.charged, due.charged),
    ('captured of what is charged', m.captured, due.captured),
    ('authorized', m.authorized, paid.authorized),
    ('asked to be captured', m.capture_granted, paid.capture_granted),
    ('captured', m.captured, paid.captured),
    ('owed back', m.refund_granted, owed.granted),
    ('refunded', m.refunded, paid.refunded),
    ('paid back of what is owed', m.refunded, owed.issued),
    ('released', m.released, paid.released)
) as c (what, kept, done)
where c.kept <> coalesce(c.done, 0)
union all
select a.order_id, a.currency, c.what || ' by ' || a.payment_key, c.kept, coalesce(c.done, 0)
from payment a
left join about on about.order_no = a.order_no and about.authorization_key = a.payment_key
cross join lateral (values
    ('authorized', (select t.amount_minor from payment_authorization t
                    where t.order_no = a.order_no and t.authorization_key = a.payment_key), a.amount_minor),
    ('asked to be captured', a.capture_granted, about.capture_granted),
    ('captured', a.captured, about.captured),
    ('asked to be refunded', a.refund_granted, about.refund_granted),
    ('refunded', a.refunded, about.refunded)
) as c (what, kept, done)
where a.kind = 'authorize' and c.kept is distinct from coalesce(c.done, 0)
union all
select o.order_id, r.currency, 'paid back for ' || r.refund_id, r.issued_minor - r.came_back_minor,
       coalesce(issued.issued, 0)
from refund r join customer_order o using (order_no) left join issued using (order_no, refund_id)
where r.issued_minor - r.came_back_minor <> coalesce(issued.issued, 0)
union all
select o.order_id, m.currency, 'captured for ' || c.charge_id, c.captured_minor,
       coalesce(sum(p.amount_minor), 0)
from charge c
join customer_order o using (order_no)
join order_money m using (order_no)
left join payment p on p.order_no = c.order_no and p.kind = 'capture' and p.state = 'succeeded'
    and p.part_of = c.charge_id
group by o.order_id, c.charge_id, c.captured_minor, m.currency
having c.captured_minor <> coalesce(sum(p.amount_minor), 0)
union all
select o.order_id, m.currency,
       case when m.voided then 'voided, without a void among its payments;'
            else 'not voided, with a void among its payments;' end, 0, 0
from order_money m join customer_order o using (order_no) left join paid using (order_no)
where m.voided <> (coalesce(paid.voids, 0) > 0)
order by order_id, what;

-- name: money_is_worth_of_units()
-- What is charged and not owed back, against the worth of the units that are charged and not paid
-- back, and what was invoiced against the worth of the units that went out (first_net, first_tax). To the
-- cent in the end, where nothing was billed that was decided after a refund; what is on record of either can come in another
-- sequence. Until then, and there, the sequence moves at most one minor unit per line, component,
-- and entry of the journal. Refunds for no unit, and of units without their shipping, are known by
-- their amounts alone. What the seller keeps when goods come back is worth of no unit. A lower price that was met
-- before a line was charged is known by the line.
with line as (
    select order_no, coalesce(charged - refunded, 0) as kept, coalesce(invoiced, 0) as invoiced, ordered,
           goods_minor::numeric - coalesce((reduced).goods, 0) as goods,
           tax_minor::numeric - coalesce((reduced).tax, 0) as tax,
           shipping_minor::numeric as shipping, shipping_tax_minor::numeric as shipping_tax,
           includes_tax as incl
    from order_line left join order_line_money using (order_no, line_id)
), worth as (
    select order_no, count(*) as lines,
           sum(first_net(goods, tax, kept, ordered, incl)
               + first_net(shipping, shipping_tax, kept, ordered, incl)) as net,
           sum(first_tax(goods, tax, kept, ordered, incl)
               + first_tax(shipping, shipping_tax, kept, ordered, incl)) as tax,
           sum(first_net(goods, tax, invoiced, ordered, incl)) as goods_out,
           sum(first_net(shipping, shipping_tax, invoiced, ordered, incl)) as shipping_out,
           sum(first_tax(goods, tax, invoiced, ordered, incl)
               + first_tax(shipping, shipping_tax, invoiced, ordered, incl)) as tax_out
    from line group by order_no
), booked as (
    select e.order_no, count(distinct e.entry_id) as entries,
           coalesce(sum(-p.amount_minor) filter (where p.account in ('revenue', 'rounding')), 0)
               as goods,
           coalesce(sum(-p.amount_minor) filter (where p.account = 'shipping_income'), 0)
               as shipping,
           coalesce(sum(-p.amount_minor) filter (where p.account = 'tax_payable'
               and starts_with(e.effect, 'invoice:')), 0) as tax
    from journal_entry e join posting p using (entry_id) group by e.order_no
), given as (
    select order_no,
           sum((kept).goods + (kept).tax + (kept).shipping + (kept).shipping_tax) as kept,
           bool_or(kind in ('units', 'shipping', 'goodwill', 'price_match', 'claim', 'elsewhere')) as by_amount
    from refund group by order_no
)
select o.order_id, m.currency, c.rule, c.what, c.kept as kept_minor, c.worth as worth_minor
from order_money m
join customer_order o using (order_no)
join worth using (order_no)
left join booked using (order_no)
left join given using (order_no)
cross join lateral (values
    ('money', 'charged and not owed back', m.charged - m.refund_granted - coalesce(given.kept, 0),
     worth.net + worth.tax),
    ('ledger', 'booked as revenue', coalesce(booked.goods, 0), goods_out),
    ('ledger', 'booked as tax', coalesce(booked.tax, 0), tax_out),
    ('ledger', 'booked as shipping', coalesce(booked.shipping, 0), shipping_out)
) as c (rule, what, kept, worth)
where not coalesce(given.by_amount, false) and abs(c.kept - c.worth) > case
    when o.decision in ('rejected', 'cancelled', 'closed') and not m.billed_after_refund then 0
    else 4 * lines * (coalesce(booked.entries, 0) + 2) end
order by o.order_id, c.what;

-- name: refund_is_within_what_was_charged()
-- Of each component no more is given back than all units that were charged are worth; or all there are,
-- where the charge was refused after one of several means had paid its part.
with given as (
    select order_no, sum(goods_minor) as goods, sum(tax_minor) as tax,
           sum(shipping_minor) as shipping, sum(shipping_tax_minor) as shipping_tax
    from refund group by order_no
), taken as (
    select order_no, sum(goods_minor) as goods, sum(tax_minor) as tax,
           sum(shipping_minor) as shipping, sum(shipping_tax_minor) as shipping_tax
    from order_line l left join order_line_money m using (order_no, line_id)
    where m.charged > 0 or not exists (
        select from order_line_money other where other.order_no = l.order_no and other.charged > 0)
    group by order_no
)
select order_id, m.currency, c.what, c.given as given_minor, coalesce(c.taken, 0) as taken_minor
from given
join order_money m using (order_no)
join customer_order using (order_no)
left join taken using (order_no)
cross join lateral (values
    ('goods', given.goods, taken.goods), ('tax', given.tax, taken.tax),
    ('shipping', given.shipping, taken.shipping),
    ('tax on shipping', given.shipping_tax, taken.shipping_tax)
) as c (what, given, taken)
where c.given > coalesce(c.taken, 0)
order by order_id, c.what;

-- name: settled_line_is_paid()
-- In the end the customer has paid for what went out and neither came back nor got lost, nor was
-- paid back as it is.
select o.order_id, l.line_id, coalesce(m.charged, 0) as charged, coalesce(m.refunded, 0) as refunded,
       l.shipped, l.returned, l.lost, coalesce(m.conceded, 0) as conceded
from order_line l
join customer_order o using (order_no)
left join order_line_money m using (order_no, line_id)
where o.decision in ('rejected', 'cancelled', 'closed')
  and coalesce(m.charged - m.refunded, 0) <> l.shipped - l.returned - l.lost - coalesce(m.conceded, 0)
order by o.order_id, l.line_id;

-- name: tally_is_its_parts()
-- What a line counts of its money, against the charges, refunds and invoices behind it. All of these change
-- in one transaction, so they agree at every moment.
with charged as (
    select order_no, u.key as line_id, sum(u.value::bigint) as units
    from charge, jsonb_each(units) u group by order_no, u.key
), refunded as (
    select order_no, u.key as line_id, sum(u.value::bigint) as units
    from refund, jsonb_each(units) u group by order_no, u.key
), invoiced as (
    select order_no, l ->> 'line_id' as line_id, sum((l ->> 'quantity')::bigint) as units
    from document, jsonb_array_elements(content -> 'lines') l
    where kind = 'invoice' group by order_no, l ->> 'line_id'
), back as (
    select order_no, line_id, sum(quantity) as units
    from order_return join return_line using (order_no, return_id)
    where paid_early and state = 'in_transit' group by order_no, line_id
)
select o.order_id, l.line_id, c.what, coalesce(c.counted, 0) as counted, coalesce(c.behind, 0) as behind
from order_line l
join customer_order o using (order_no)
left join order_line_money m using (order_no, line_id)
left join charged using (order_no, line_id)
left join refunded using (order_no, line_id)
left join invoiced using (order_no, line_id)
left join back using (order_no, line_id)
cross join lateral (values
    ('charged', m.charged, charged.units), ('refunded', m.refunded, refunded.units),
    ('invoiced', m.invoiced, invoiced.units), ('paid back on their way', m.on_way, back.units)
) as c (what, counted, behind)
where coalesce(c.counted, 0) <> coalesce(c.behind, 0)
order by o.order_id, l.line_id, c.what;

-- name: tallies_add_up()
-- The amounts of an order's lines, against its charges, its refunds and its documents. A refund of a mere
-- amount is of no line, and can leave a later one, or an invoice, less to give. A refund with a charge's id
-- gives back what was paid of a refused charge, which is no more counted for any line.
with line as (
    select order_no,
           sum((charged_worth).goods + (charged_worth).tax
               + (charged_worth).shipping + (charged_worth).shipping_tax) as charged,
           sum((refunded_worth).goods + (refunded_worth).tax
               + (refunded_worth).shipping + (refunded_worth).shipping_tax) as refunded,
           sum((invoiced_worth).goods + (invoiced_worth).tax
               + (invoiced_worth).shipping + (invoiced_worth).shipping_tax
               - (credited_worth).goods - (credited_worth).tax
               - (credited_worth).shipping - (credited_worth).shipping_tax) as invoiced
    from order_line_money group by order_no
), due as (
    select order_no, sum(amount_minor) as charged from charge c
    where not exists (select from refund r
                      where r.order_no = c.order_no and r.refund_id = c.charge_id)
    group by order_no
), given as (
    select order_no, sum(amount_minor + k.kept) as refunded, sum(k.kept) as kept,
           bool_or(kind in ('shipping', 'goodwill', 'claim', 'elsewhere')) as by_amount
    from refund r
    cross join lateral (
        select (r.kept).goods + (r.kept).tax + (r.kept).shipping + (r.kept).shipping_tax as kept) k
    where not exists (select from charge c
                      where c.order_no = r.order_no and c.charge_id = r.refund_id)
    group by order_no
), printed as (
    select order_no, sum(case kind when 'invoice' then amount_minor else -amount_minor end) as invoiced
    from document group by order_no
)
select o.order_id, m.currency, c.what, coalesce(c.kept, 0) as kept_minor, coalesce(c.done, 0) as done_minor
from order_money m
join customer_order o using (order_no)
left join line using (order_no)
left join due using (order_no)
left join given using (order_no)
left join printed using (order_no)
cross join lateral (values
    ('charged', line.charged, due.charged, false),
    ('refunded', line.refunded, given.refunded, given.by_amount),
    ('invoiced', line.invoiced, printed.invoiced - coalesce(given.kept, 0), given.by_amount)
) as c (what, kept, done, inexact)
where not coalesce(c.inexact, false) and coalesce(c.kept, 0) <> coalesce(c.done, 0)
order by o.order_id, c.what;

-- name: settled_money_is_done()
-- Nothing is owed, but for what a bank sent back while a person is asked about it, and for what came late;
-- nothing is held, no outcome is open. What an operator did by hand, outside, is on record as the resolution of the step.
select o.order_id, m.currency, o.decision, 'still owed' as what,
       m.refund_granted - m.refunded as amount_minor
from order_money m
join customer_order o using (order_no)
left join (
    select order_no, sum(r.came_back_minor) as amount_minor
    from refund r
    where exists (
        select from payment p join attention a using (order_no)
        where p.order_no = r.order_no and p.part_of = r.refund_id and p.state = 'failed'
          and a.step = 'refund_failed ' || p.payment_key and a.resolved_at is null)
    group by order_no
) asked using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed')
  and m.refund_granted <> m.refunded + coalesce(asked.amount_minor, 0) and not is_reopened(o.order_no)
union all
select o.order_id, m.currency, o.decision, 'still to be paid by the customer', m.charged - m.captured
from order_money m join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed') and m.charged <> m.captured
union all
select o.order_id, m.currency, o.decision, 'still held on the customer''s card',
       m.authorized - m.captured - m.released
from order_money m join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed')
  and m.authorized <> m.captured + m.released and not exists (
    select from attention a
    where a.order_no = m.order_no and a.step = 'void_payment ' || o.order_id
      and starts_with(a.resolution, 'done:'))
union all
select o.order_id, p.currency, o.decision,
       'of ' || p.payment_key || ' without a known outcome (' || p.state || ')', p.amount_minor
from payment p join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed') and p.state in ('requested', 'unknown')
  and not is_reopened(o.order_no)
order by order_id, what;

-- name: dispute_is_held()
-- What a bank took back, and may keep: no more of the order is refunded, and the books say where it is. In
-- another currency than the order's, a person books it.
select o.order_id, m.currency, m.disputed as held_minor, coalesce(d.disputed, 0) as disputed_minor,
       coalesce(b.booked, 0) as booked_minor
from order_money m
join customer_order o using (order_no)
left join (
    select order_no, sum(amount_minor) filter (where t.currency = its.currency) as disputed,
           bool_or(t.currency <> its.currency) as abroad
    from dispute t join (select order_no, currency from order_money) its using (order_no)
    where state in ('needs_response', 'under_review', 'appeal_needs_response',
                    'appeal_under_review', 'lost')
    group by order_no
) d using (order_no)
left join (
    select e.order_no, sum(p.amount_minor) as booked
    from journal_entry e join posting p using (entry_id)
    where starts_with(e.effect, 'dispute:') and p.account in ('disputes', 'write_offs')
    group by e.order_no
) b using (order_no)
where m.disputed <> coalesce(d.disputed, 0) or m.disputed <> coalesce(b.booked, 0)
   or m.disputed_abroad <> coalesce(d.abroad, false)
order by o.order_id;

-- name: settled_order_is_not_held()
select o.order_id, h.reason, h.note, o.decision
from order_hold h join customer_order o using (order_no)
where o.decision in ('rejected', 'cancelled', 'closed') and h.released_at is null
order by o.order_id, h.hold_id;

-- name: exchange_is_even()
-- What a return has paid to its exchange order is what that has authorized of it, and neither released nor given
-- back; once both have ended, nothing is left on the way between them. But while an amount goes back.
select e.exchange_order_id as order_id, e.return_id, e.currency, coalesce(g.given, 0) as given_minor,
       e.authorized_minor as used_minor
from exchange_standing e
left join lateral (
    select sum(amount_minor) as given from payment p
    where p.order_no = e.order_no and p.part_of = e.return_id and p.kind = 'refund'
      and p.provider = 'exchange' and p.authorization_key is null and p.state = 'succeeded'
) g on true
where e.settled_at is not null and coalesce(g.given, 0) <> e.authorized_minor
  and not exists (select from exchange_payback b
                  where (b.order_no, b.return_id) = (e.order_no, e.return_id) and b.ended_at is null)
  and not exists (select from payment p where p.order_no = e.exchange_no and p.state in ('requested', 'unknown'))
order by order_id;

-- name: credit_is_its_operations()
-- What accounts and authorizations say, against every operation that took effect.
with by_account as (
    select account_id, sum(balance_change) as balance, sum(authorized_change) as held
    from credit_operation group by account_id
), by_authorization as (
    select authorization_id, sum(amount_minor) filter (where kind = 'authorize') as amount,
           sum(amount_minor) filter (where kind = 'capture') as captured,
           sum(amount_minor) filter (where kind = 'refund') as refunded,
           sum(amount_minor) filter (where kind = 'void') as released,
           bool_or(kind = 'void') as voided
    from credit_operation where code is null group by authorization_id
)
select case a.kind when 'store_credit' then 'credit of ' || a.customer_id else a.account_id end as part,
       a.currency, c.what, c.kept as kept_minor,
       coalesce(c.done, 0) as done_minor
from credit_account a
left join by_account using (account_id)
cross join lateral (values
    ('on the account', a.balance_minor, by_account.balance),
    ('authorized', a.authorized_minor, by_account.held)
) as c (what, kept, done)
where c.kept <> coalesce(c.done, 0)
union all
select h.authorization_id || ' for ' || h.order_id, a.currency, c.what, c.kept, coalesce(c.done, 0)
from credit_authorization h
join credit_account a using (account_id)
left join by_authorization using (authorization_id)
cross join lateral (values
    ('authorized', h.amount_minor, by_authorization.amount),
    ('captured', h.captured_minor, by_authorization.captured),
    ('refunded', h.refunded_minor, by_authorization.refunded),
    ('released', h.released_minor, by_authorization.released)
) as c (what, kept, done)
where c.kept <> coalesce(c.done, 0)
order by part, what;

-- name: credit_is_booked()
-- What changed balances, against what is booked on the liability under the operation's key: so the
-- liability is the sum of all balances. An order's operation is booked with its outcome.
select coalesce(o.key, e.effect) as key, coalesce(o.currency, e.currency) as currency,
       coalesce(o.account, e.account) as account,
       coalesce(o.balance_change, 0) as given_minor, coalesce(e.booked, 0) as booked_minor
from (
    select c.key, c.currency, a.seller, a.kind || '_liability' as account, c.balance_change
    from credit_operation c
    join credit_account a using (account_id)
    left join payment p on p.payment_key = c.key
    where c.balance_change <> 0 and (c.order_id is null or p.state = 'succeeded')
) o
full join (
    select j.effect, p.currency, j.seller, p.account, -p.amount_minor as booked
    from journal_entry j join posting p using (entry_id)
    where p.account in ('store_credit_liability', 'gift_card_liability', 'voucher_liability')
) e on (e.effect, e.currency, e.seller, e.account) = (o.key, o.currency, o.seller, o.account)
where coalesce(o.balance_change, 0) <> coalesce(e.booked, 0)
order by key;

-- name: credit_has_our_payments()
-- Recorded as done: done there, to the cent. Done there for an order: recorded, or without an outcome
-- yet. An authorization that was given up as never made, and was made, is voided.
select coalesce(p.order_id, o.order_id) as order_id, coalesce(p.payment_key, o.key) as payment_key,
       coalesce(p.currency, o.currency) as currency,
       coalesce(p.kind || ' ' || p.state, 'nothing') as here, coalesce(p.amount_minor, 0) as kept_minor,
       coalesce(o.kind, 'nothing') as there, coalesce(o.amount_minor, 0) as done_minor
from (
    select * from credit_operation where code is null and order_id is not null
) o
full join (select * from payment where provider in ('store_credit', 'gift_card', 'voucher')) p
    on p.payment_key = o.key
where case
    when p.state = 'succeeded' then p.amount_minor > 0 and (
        o.order_id, o.currency, o.amount_minor, case o.kind when 'issue' then 'refund' else o.kind end)
        is distinct from (p.order_id, p.currency, p.amount_minor, p.kind)
    when o.key is null or p.state in ('requested', 'unknown') then false
    else not exists (
        select from credit_authorization h join payment a on a.order_id = h.order_id
        where h.authorization_id = o.authorization_id and h.voided and o.kind in ('authorize', 'void')
          and a.kind = 'authorize' and a.state = 'failed')
end
order by order_id, payment_key;
