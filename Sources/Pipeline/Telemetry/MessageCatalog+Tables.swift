extension MessageCatalog {
  /// One for each kind of `DeltaError`.
  static let tables = [
    CatalogMessage(
      "TABLE_INVALID_ACTION", "ba57dd72d3ab499ca4581ebcc91ccb22",
      "A line of a table's log is not an action",
      cause: "A file in _delta_log was altered, or written by a program with errors.",
      remedy: "Restore the file that the line names; its content cannot be guessed."),
    CatalogMessage(
      "TABLE_TORN_COMMIT", "ee7d841af32b446b97f09304c001efa8", "A commit of a table is cut short",
      cause: "A power cut hit a program that does not sync its files, or the disk lost data.",
      remedy: "Restore the file from a backup. Check the disk: `journalctl -k -p err`."),
    CatalogMessage(
      "TABLE_GAP_IN_LOG", "800cacc5f56d4d2c8a9acdea5c3acdd3", "A commit of a table is missing",
      cause: "A file of _delta_log was removed, or only a part of the table was restored.",
      remedy: "Restore the missing file. Never remove files of _delta_log by hand."),
    CatalogMessage(
      "TABLE_REWRITTEN_LOG", "64934cf9ebb94336bc4036e0d91f58cb",
      "A table's log was replaced while the daemon used it",
      cause: "The table was restored, or made anew, under a running daemon.",
      remedy:
        "The next run reads it again. To restore tables, `systemctl stop shopmetricsd` first."),
    CatalogMessage(
      "TABLE_DAMAGED_CHECKPOINT", "1bd6aa1aa44644ccaef41d5b338147a2",
      "A checkpoint file of a table's log cannot be read",
      cause: "The file is damaged, and the commits that it replaces are gone.",
      remedy: "Restore it from a backup, or move it away when all commits up to its version are "
        + "there."),
    CatalogMessage(
      "TABLE_UNSUPPORTED_TO_READ", "b19ed35f933d406a946c884f28f5ef03",
      "A table asks for a feature that cannot be read here",
      cause:
        "Another writer raised the table's protocol, as for deletion vectors or column mapping.",
      remedy: "Undo that change with the program that made it, or restore the table."),
    CatalogMessage(
      "TABLE_UNSUPPORTED_TO_WRITE", "37e8dc09e83e4b4da7a18af22903c349",
      "A table asks for a feature that cannot be written here",
      cause: "Another writer set a property or raised the protocol of the table.",
      remedy: "Remove the property, as `ALTER TABLE ... UNSET TBLPROPERTIES` does in Spark."),
    CatalogMessage(
      "TABLE_INVALID_SCHEMA", "5b9a672f1bed4013a11f2a35f15e7fce", "A table's schema cannot be used",
      cause: "The schema in the log is not valid, or has a type that is not supported.",
      remedy: "Restore _delta_log from a backup, and find the program that changed it."),
    CatalogMessage(
      "TABLE_RULE_OF_TABLE", "6d242ba098544ae99dccd2d6c2cef2c4",
      "A commit would break a rule of the table",
      cause:
        "A property such as delta.appendOnly forbids what the commit does, or another program "
        + "removed a file that it replaces.",
      remedy: "Undo the change of the property, and stop the other program."),
    CatalogMessage(
      "TABLE_MISSING_DATA_FILE", "fa07f2184d5044a39ae0486fe1e8d63f",
      "A data file is gone or has another size",
      cause: "Another program or a person removed or changed a file of the table.",
      remedy: "Restore the file from a backup. `shopmetricsctl verify` lists every such file."),
    CatalogMessage(
      "TABLE_TOO_MANY_CONFLICTS", "b4068e060ba24d1185c747d6d35858ce",
      "Other writers keep taking a table's next version",
      cause: "Ten other commits came first, one after the other.",
      remedy: "The next run tries again. Find the other writer; one writer per table."),
    CatalogMessage(
      "TABLE_CLOCK_WENT_BACK", "d4e54b1df1e84c1099afb54f71ee5cae",
      "The clock is behind the table's newest commit",
      cause: "The clock was set back, or commits were made while it was ahead. Nothing is removed "
        + "while no age can be told; data are written all the same.",
      remedy: "Set the clock right: `timedatectl`."),
  ]
}
