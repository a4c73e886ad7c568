"""Sessions the plain way: one pass over sorted lists, written without a look at the SQL.

It is the second opinion on the oracle (`test_silver_oracle.py`), never on the daemon.
"""


def visitor(event):
    return event["session_id"] if event["customer_id"] is None else event["customer_id"]


def unique_events(rows):
    """One event for each visitor, time and event id: the one that arrived first."""
    kept = {}
    for row in rows:
        key = visitor(row), row["event_ts"], row["event_id"]
        if key not in kept or arrival(row) < arrival(kept[key]):
            kept[key] = row
    return list(kept.values())


def arrival(row):
    return row["ingested_at"], row["kafka_partition"], row["kafka_offset"]


def sessions(rows, gap):
    """session id -> session, for rows as dictionaries with times in microseconds."""
    of_visitor = {}
    for event in unique_events(rows):
        of_visitor.setdefault(visitor(event), []).append(event)
    found = {}
    for name, events in of_visitor.items():
        events.sort(key=lambda event: event["event_ts"])
        begin = 0
        for position in range(1, len(events) + 1):
            at_end = position == len(events)
            if at_end or events[position]["event_ts"] - events[position - 1]["event_ts"] > gap:
                session = summary(name, events[begin:position])
                found[session["session_id"]] = session
                begin = position
    return found


def summary(name, events):
    first, last = events[0]["event_ts"], events[-1]["event_ts"]
    kinds = [event["event_type"] for event in events]
    identified = any(event["customer_id"] is not None for event in events)
    return {
        "session_id": f"{name}-{first}", "customer_id": name if identified else None,
        "session_date": first // 86_400_000_000, "first_event_ts": first, "last_event_ts": last,
        "session_duration_secs": (last - first) // 1_000_000, "event_count": len(events),
        "page_view_count": kinds.count("page_view"),
        "add_to_cart_count": kinds.count("add_to_cart"),
        "purchase_count": kinds.count("purchase"), "search_count": kinds.count("search"),
        "converted": "purchase" in kinds,
    }
