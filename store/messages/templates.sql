-- Sellers' own templates of messages.

-- name: source_of(seller, kind, language)$
select source from message_template where seller = :seller and kind = :kind and language = :language;

-- name: find(seller)
select seller, kind, language, length(source) as characters, set_at, set_by
from message_template where :seller::text is null or seller = :seller order by seller, kind, language;

-- name: save(seller, kind, language, source, who)!
insert into message_template (seller, kind, language, source, set_by)
values (:seller, :kind, :language, :source, :who)
on conflict (seller, kind, language) do update
set source = excluded.source, set_by = excluded.set_by, set_at = moment();

-- name: remove(seller, kind, language)!
delete from message_template where seller = :seller and kind = :kind and language = :language;
