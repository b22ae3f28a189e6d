-- Days of the books that are over, added up.

-- name: add_up_a_day()$
-- A seller's first day that is over and not added up → added up. Null: all days of all sellers are. The function
-- stands in schema/routines/accounting.sql.
select added.day
from seller s cross join lateral (select book_day_added(s.seller) as day) added
where added.day is not null limit 1;
