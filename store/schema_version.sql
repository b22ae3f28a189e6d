-- Which version of Orderloom has made a database's schema.

-- name: has_note()^
-- Whether it is told here, and, where it is not, whether dbmate has ever made anything here.
select exists (select from pg_attribute where attrelid = to_regclass('routine_set')
               and attname = 'migrations') as noted,
       to_regclass('schema_migrations') is not null as migrated;

-- name: applied()
-- Which files dbmate has run, by their numbers.
select version from schema_migrations order by version;

-- name: note()^
select digest, migrations::text as migrations, applied_at from routine_set order by set_id desc limit 1;

-- name: take_note(digest, migrations)!
insert into routine_set (digest, migrations) values (:digest, :migrations::text::jsonb);
