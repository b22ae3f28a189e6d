create or replace trigger order_event_append_only before update or delete on order_event
    for each row execute function append_only();
create or replace trigger order_event_not_truncated before truncate on order_event
    for each statement execute function append_only();
