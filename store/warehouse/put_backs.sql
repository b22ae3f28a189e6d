-- Units that were taken out of fulfilments. The function stands in schema/routines/fulfilment.sql.

-- name: done(put_back_id, who)$
select goods_put_back(:put_back_id, :who);
