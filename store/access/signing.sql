-- What this installation signs with.

-- name: secret(purpose, drawn)$
-- The first one that was drawn for the purpose, whoever drew it.
with made as (
    insert into signing_secret (purpose, secret) values (:purpose, :drawn)
    on conflict do nothing
    returning secret
)
select secret from made union all select secret from signing_secret where purpose = :purpose;

-- name: known(purpose)$
select secret from signing_secret where purpose = :purpose;
