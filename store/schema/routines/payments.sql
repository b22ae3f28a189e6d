create or replace trigger credit_operation_append_only before update or delete on credit_operation
    for each row execute function append_only();
