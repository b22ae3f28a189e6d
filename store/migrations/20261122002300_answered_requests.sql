-- migrate:up

-- What an order answered to requests that have an id. Written when the order ends: until then its
-- workflow knows them. `digest` is that of what was asked: a repeat is told from another request.
create table answered_request (
    order_id    text not null references orders,
    request_id  text not null,
    digest      text not null,
    outcome     jsonb not null,
    answered_at timestamptz not null default clock_timestamp(),
    primary key (order_id, request_id)
);

-- migrate:down

drop table answered_request;
