"""query.py STATE BEFORE AFTER: what the tables say, asked with DuckDB as an analyst would.

BEFORE and AFTER are versions of the sessions table: without the late events, and with them.
DuckDB's delta extension comes from PyPI with the other readers; `INSTALL delta` gets the same.
"""

import sys
from importlib.resources import files

import duckdb

VIEWS = """
CREATE VIEW bronze   AS FROM delta_scan('file://{state}/bronze/clickstream_raw');
CREATE VIEW events   AS FROM delta_scan('file://{state}/silver/clickstream_events');
CREATE VIEW sessions AS FROM delta_scan('file://{state}/silver/clickstream_sessions');
CREATE VIEW sessions_before AS
  FROM delta_scan('file://{state}/silver/clickstream_sessions', version = {before});
CREATE VIEW sessions_after AS
  FROM delta_scan('file://{state}/silver/clickstream_sessions', version = {after});
"""
QUESTIONS = [
    ("How many sessions have a page view, also something in the cart, also a purchase?", """
SELECT count(*) AS sessions,
       count(*) FILTER (page_view_count > 0) AS viewed,
       count(*) FILTER (page_view_count > 0 AND add_to_cart_count > 0) AS and_cart,
       count(*) FILTER (page_view_count > 0 AND add_to_cart_count > 0 AND converted) AS and_bought,
       round(100 * and_bought / viewed, 1) AS percent
FROM sessions
"""),
    ("Which sessions were the longest?", """
SELECT coalesce(customer_id, '(anonymous)') AS customer, first_event_ts,
       session_duration_secs // 60 AS minutes, event_count AS events, converted, is_final
FROM sessions ORDER BY session_duration_secs DESC LIMIT 5
"""),
    ("Which sessions were final when late events came and corrected them?", """
SELECT after.session_id, before.event_count AS events_before, after.event_count AS events_after,
       before.session_duration_secs // 60 AS minutes_before,
       after.session_duration_secs // 60 AS minutes_after
FROM sessions_before before JOIN sessions_after after ON after.customer_id = before.customer_id
 AND after.first_event_ts <= before.first_event_ts AND after.last_event_ts >= before.last_event_ts
WHERE before.is_final AND after.event_count > before.event_count
ORDER BY events_after - events_before DESC, after.session_id LIMIT 5
"""),
    ("Were duplicates dropped, and is every unique event in one session?", """
SELECT (SELECT count(*) FROM bronze) AS events_in_bronze,
       (SELECT count(*) FROM events) AS unique_events,
       (SELECT sum(event_count)::BIGINT FROM sessions) AS events_in_sessions
"""),
]


def main():
    state, before, after = sys.argv[1:]
    connection = duckdb.connect()
    extension = next(files("duckdb_extension_delta").rglob("delta.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")
    views = VIEWS.format(state=state, before=before, after=after).strip()
    connection.execute(views)
    print(views)
    for question, query in QUESTIONS:
        print(f"\n{question}\n\n{query.strip()}", flush=True)
        print(connection.sql(query), end="", flush=True)


main()
