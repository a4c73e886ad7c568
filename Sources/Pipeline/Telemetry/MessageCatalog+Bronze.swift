extension MessageCatalog {
  static let bronze = [
    CatalogMessage(
      "CHECKPOINT_MISSING", "d376f5f69d1048eb8c443eed42471b89", "Tables without their checkpoint",
      cause: "The tables hold batches of a query whose checkpoint directory is gone or was never "
        + "restored. Starting anew would store records twice.",
      remedy:
        "Restore the checkpoint directory, or make it again from the tables: `shopmetricsctl "
        + "checkpoint rebuild`, which says what it would do until `--yes` is given."),
    CatalogMessage(
      "QUERY_CHANGED", "3442b4c1c70247f8ab636370c5385682",
      "The checkpoint and a table belong to different queries",
      cause: "A checkpoint directory was copied from elsewhere, or its `metadata` was written "
        + "anew. The line names both query ids.",
      remedy: "Restore tables and checkpoint from the same moment, or make the checkpoint again "
        + "from the tables: `shopmetricsctl checkpoint rebuild`."),
    CatalogMessage(
      "CHECKPOINT_DAMAGED", "741390283b2b4b48bb2d768c1d338592", "A file of a checkpoint is damaged",
      cause: "A file is missing, cut short or altered: a disk fault, or somebody edited it.",
      remedy: "`shopmetricsctl checkpoint show` names it. Restore it from a backup as new as the "
        + "tables, or `shopmetricsctl checkpoint rebuild`."),
    CatalogMessage(
      "STATE_CONTRADICTS", "71cce6214b24494099c8cd01b65b6fc8",
      "Checkpoint and tables are not from the same moment",
      cause: "One of them was restored from a backup, or changed by another program.",
      remedy:
        "`shopmetricsctl verify` prints the details. Restore both from the same moment; for "
        + "Silver `shopmetricsctl silver rebuild --yes`."),
    CatalogMessage(
      "CONCURRENT_QUERY", "c726004d48d14fe7b4ec02fcee8427cc", "Another program runs the same query",
      cause: "The offsets of the next batch were logged by somebody else, such as Spark with this "
        + "checkpoint.",
      remedy: "Stop the other program, then `systemctl start shopmetricsd`. One writer per state "
        + "directory."),
    CatalogMessage(
      "COLUMN_TYPE_CHANGED", "0c2b351f04d842b4b69a72333ac9ad86",
      "A declared column has another type in the table",
      cause: "The type of an entry of [[columns]] was changed after rows were stored with the old "
        + "one.",
      remedy: "Set the type back, or declare a column with another name."),
    CatalogMessage(
      "TABLE_SCHEMA", "0301c70bded14bd2a0534b240790f949",
      "A table's columns are not those that are expected",
      cause: "Another program removed a column or changed its type.",
      remedy: "Restore _delta_log from a backup that is as new as the checkpoint, and keep other "
        + "writers away. `shopmetricsctl verify` checks the rest."),
    CatalogMessage(
      "TABLE_MISSING", "4051387eb17246f3b8bc546b57a2fadf",
      "A table is gone while a batch has rows for it",
      cause: "The table's directory was removed or moved away.",
      remedy: "Restore it; for a Silver table, `shopmetricsctl silver rebuild --yes`."),
    CatalogMessage(
      "TABLE_DAMAGED", "92739c679ae946a692686ccdfb54e009",
      "A table's files do not hold what they must",
      cause: "A data file or a commit cannot be read, or another program wrote it.",
      remedy:
        "`shopmetricsctl verify` lists what is wrong. Restore those files from a backup; for "
        + "Silver `shopmetricsctl silver rebuild --yes`."),
    CatalogMessage(
      "TABLE_CONFLICT", "3cd135b98f994ad7a013b86d4cf49e7f",
      "Another writer took the table's next version",
      cause: "Another program committed to the table at the same moment.",
      remedy:
        "The next run tries again. If it goes on, find the other writer: `DESCRIBE HISTORY` in "
        + "Spark, or the newest files of _delta_log."),
    CatalogMessage(
      "TABLE_REWRITTEN", "741507089b26407189c94cc419c34076",
      "Another program took out a file in the middle of a batch",
      cause:
        "Rows were deleted or files merged by another program while a batch replaced the same "
        + "file.",
      remedy:
        "For Silver `shopmetricsctl silver rebuild --yes` with the daemon stopped. For dead "
        + "letters restore their table to the version before the other program's, then start the daemon. "
        + "Keep that program away while the daemon runs."),
  ]
}
