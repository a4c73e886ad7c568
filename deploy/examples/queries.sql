-- The tables of shopmetricsd with five engines. Readers may read at any moment; each gets the
-- newest complete version. Whoever reads is in the group: adduser NAME shopmetrics

-- ## DuckDB                                                      INSTALL delta; LOAD delta;

-- From a page view to the cart to a purchase, day by day.
SELECT session_date,
       count(*) FILTER (page_view_count > 0) AS viewed,
       count(*) FILTER (page_view_count > 0 AND add_to_cart_count > 0) AS and_cart,
       count(*) FILTER (page_view_count > 0 AND add_to_cart_count > 0 AND converted) AS and_bought
FROM delta_scan('file:///var/lib/shopmetrics/silver/clickstream_sessions')
GROUP BY session_date ORDER BY session_date;

-- What cannot be read as an event, and why.
SELECT failure_reason, count(*) AS records, max(ingested_at) AS newest
FROM delta_scan('file:///var/lib/shopmetrics/bronze/clickstream_dead_letter')
GROUP BY failure_reason ORDER BY records DESC;

-- ## Polars         pl.SQLContext(sessions=pl.scan_delta(
--                     "/var/lib/shopmetrics/silver/clickstream_sessions")).execute(QUERY).collect()

SELECT session_date, count(*) AS sessions, avg(session_duration_secs) AS seconds
FROM sessions WHERE is_final GROUP BY session_date ORDER BY session_date;

-- ## Spark          with Delta's extension and catalog, as its Quick Start says; do not write

SELECT s.session_id, e.event_ts, e.event_type, e.page
FROM delta.`/var/lib/shopmetrics/silver/clickstream_sessions` s
JOIN delta.`/var/lib/shopmetrics/silver/clickstream_events` e
  ON e.customer_id = s.customer_id AND e.event_ts BETWEEN s.first_event_ts AND s.last_event_ts
WHERE s.converted ORDER BY s.session_id, e.event_ts;

-- ## ClickHouse     the path has to lie below its user_files_path: mount or link it there

SELECT event_type, count() AS events
FROM deltaLakeLocal('/var/lib/clickhouse/user_files/shopmetrics/bronze/clickstream_raw')
GROUP BY event_type ORDER BY events DESC;

-- ## Trino          catalog with connector.name=delta_lake, fs.native-local.enabled=true,
--                   local.location=/var/lib/shopmetrics,
--                   delta.register-table-procedure.enabled=true

CALL delta.system.register_table(
  schema_name => 'shop', table_name => 'sessions',
  table_location => 'local:///silver/clickstream_sessions');
SELECT session_date, count(*) AS sessions FROM delta.shop.sessions GROUP BY session_date;
