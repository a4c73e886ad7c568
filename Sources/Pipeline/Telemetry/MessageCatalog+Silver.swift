extension MessageCatalog {
  static let silver = [
    CatalogMessage(
      "BRONZE_MISSING", "8a796134d725474daec9906607d025b2", "Silver has no Bronze table to read",
      cause: "Nothing was ingested yet, or the table was moved away.",
      remedy: "It comes with the first records. If it was there before, restore it."),
    CatalogMessage(
      "BRONZE_EMPTY", "6c8e3e55ed394362a8ddcc1eacf8004c", "There are no rows to make Silver from",
      cause: "A rebuild was asked for before anything was ingested.",
      remedy: "Let the daemon ingest first: `systemctl start shopmetricsd`."),
    CatalogMessage(
      "BRONZE_RECREATED", "ece14190707b45399c6fa25fd36a884c",
      "Silver was built from another Bronze table",
      cause: "clickstream_raw was made anew or replaced.",
      remedy: "Restore the table that Silver was built from, or `shopmetricsctl silver rebuild "
        + "--yes`."),
    CatalogMessage(
      "BRONZE_LOG_GAP", "badad990415443a7aa086ea79b5c0292",
      "Commits of Bronze that Silver has not read are gone",
      cause: "Bronze's log was cleaned up by another program, or restored from an older backup.",
      remedy: "Restore _delta_log, or `shopmetricsctl silver rebuild --yes`."),
    CatalogMessage(
      "BRONZE_REWRITTEN", "646230ef7d314cc098ab7624ee5aadba", "Rows were taken out of Bronze",
      cause: "Another program deleted or updated rows of clickstream_raw. Silver would keep them.",
      remedy: "`shopmetricsctl silver rebuild --yes` makes Silver from what Bronze holds now."),
    CatalogMessage(
      "BRONZE_SCHEMA", "d12f1c63b0c84a698f419d27fa4b1e2f",
      "Bronze lacks a column that Silver needs",
      cause: "Another program changed the schema of clickstream_raw.",
      remedy: "Restore _delta_log of clickstream_raw from a backup."),
    CatalogMessage(
      "BRONZE_FILE_MISSING", "3ab2699ef6ea41e99b3720a34b7b46d3",
      "A file of Bronze that Silver must read is gone",
      cause: "VACUUM with too short a retention, or a person, removed it.",
      remedy:
        "Restore the file, or `shopmetricsctl silver rebuild --yes`, which needs all files that "
        + "Bronze's newest version names."),
    CatalogMessage(
      "BRONZE_ROW", "c610f6e135b54349986c572703edc628", "A row of Bronze breaks the table's rules",
      cause: "Another program wrote rows without an event time or without their origin.",
      remedy: "Correct the rows and their writer. `shopmetricsctl verify` finds all of them."),
    CatalogMessage(
      "SESSION_GAP_CHANGED", "f7feff8a45504ebeb80053fe41bd80d2",
      "Silver was built with another session gap",
      cause: "silver.session_gap was changed. Sessions of two gaps are not mixed.",
      remedy:
        "Set it back, or `systemctl stop shopmetricsd`, `shopmetricsctl silver rebuild --yes`, "
        + "`systemctl start shopmetricsd`."),
    CatalogMessage(
      "SESSION_RULES_CHANGED", "fe8d01961f5b471fb58447d44a25bef8",
      "Silver was built by other rules than this program's",
      cause: "The program was upgraded, and the meaning of a session changed.",
      remedy:
        "`systemctl stop shopmetricsd`, `shopmetricsctl silver rebuild --yes`, `systemctl start "
        + "shopmetricsd`."),
    CatalogMessage(
      "SESSIONS_DAMAGED", "51817271ef0f4834a49eb5f025168030",
      "The tables of Silver contradict each other",
      cause: "Another program changed clickstream_sessions or clickstream_events.",
      remedy:
        "`systemctl stop shopmetricsd`, `shopmetricsctl silver rebuild --yes`, `systemctl start "
        + "shopmetricsd`."),
    CatalogMessage(
      "REBUILD_DAMAGED", "a6b1d5df859948f49feaee3419278556",
      "A rebuild that was begun cannot be gone on with",
      cause: "Files of its folder were removed or altered.",
      remedy: "Remove the folder that the line names, then `shopmetricsctl silver rebuild --yes`."),
  ]
}
