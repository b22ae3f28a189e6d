-- Orders' answers to requests with an id, for repeats that come after their end.

-- name: keep_answer(order_id, request_id, digest, outcome)!
-- Once per request. If a step runs again, the newest answer counts: the caller got that one.
insert into answered_request (order_no, request_id, digest, outcome)
values (order_no_of(:order_id), :request_id, :digest, :outcome)
on conflict (order_no, request_id) do update
set digest = excluded.digest, outcome = excluded.outcome;

-- name: find_answer(order_id, request_id)^
select digest, outcome from answered_request
where order_no = order_no_of(:order_id) and request_id = :request_id;
