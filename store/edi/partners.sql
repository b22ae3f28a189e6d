-- Trading partners.

-- name: save(partner, definition, channel, supplier, address, retired, who)!
insert into edi_partner (partner, definition, channel, supplier_id, address, retired, changed_by)
values (:partner, :definition, :channel, :supplier, :address, :retired, :who)
on conflict (partner) do update
set definition = excluded.definition, channel = excluded.channel, supplier_id = excluded.supplier_id,
    address = excluded.address, retired = excluded.retired, changed_by = excluded.changed_by, changed_at = moment();

-- name: find(partner)
-- One, or all, by their names.
select definition, last_control from edi_partner
where :partner::text is null or partner = :partner order by partner;

-- name: by_address(address)^
select definition, last_control from edi_partner where address = :address and not retired;

-- name: by_supplier(supplier)^
select definition, last_control from edi_partner where supplier_id = :supplier and not retired;

-- name: next_control(partner)$
-- The number of the next interchange for it: locked until the transaction that writes it ends, so none is left out.
update edi_partner set last_control = last_control % 999999999 + 1 where partner = :partner returning last_control;

-- name: may_collect(partner)$
-- Whether it is our turn to take files from its folder, until our transaction ends: several workers look there.
select pg_try_advisory_xact_lock(hashtext('edi_folder'), hashtext(:partner));

-- name: lock(partner)$
select partner from edi_partner where partner = :partner for update;
