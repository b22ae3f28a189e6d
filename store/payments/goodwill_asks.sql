-- name: asked(order_id, request_id)$
-- What was asked for under a request's id, where a person still has to decide it; null: nothing.
select e.data from order_event e
where e.order_no = order_no_of(:order_id) and e.effect = 'refund:' || :request_id and e.what = 'goodwill asked for'
  and exists (select from attention a
              where a.order_no = e.order_no and a.step = 'goodwill ' || :request_id and a.resolved_at is null);
