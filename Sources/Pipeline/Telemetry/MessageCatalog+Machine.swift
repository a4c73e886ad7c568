extension MessageCatalog {
  static let machine = [
    CatalogMessage(
      "CONFIGURATION_INVALID", "77d57287954940e9a5c31d76c0f7b1c4",
      "The configuration has errors; the daemon did not start",
      cause: "One line of the journal for each error, with file, line and column.",
      remedy:
        "`shopmetricsd --check-config` shows them with the source line. Correct the file, then "
        + "`systemctl start shopmetricsd`."),
    CatalogMessage(
      "LOCK_HELD", "ed933516835c45b6bc6d55a0fe17778a",
      "Another process holds the state directory",
      cause: "A second daemon, a run in the foreground or an operator's command is at work on it.",
      remedy:
        "Wait for it or stop it; the line names its process id. `systemctl status shopmetricsd` "
        + "shows the service's."),
    CatalogMessage(
      "SYSTEM_CALL", "fbd17c1786614d85b2be8d71a3300615",
      "A system call failed before anything was published",
      cause: "The line names the call, the path and the error.",
      remedy:
        "Make the path usable again, `namei -l PATH` shows who owns what. The next run tries "
        + "again; a restart is not needed."),
    CatalogMessage(
      "SYNC_FAILED", "71fa3a0d54334f74a82f1e1bef69f12b",
      "The disk did not confirm what was written",
      cause:
        "fsync failed, or a name was published and could not be made durable. What a power cut "
        + "would leave is unknown, so the daemon ended (exit status 74).",
      remedy: "`journalctl -k -p err` shows faults of the disk. systemd starts the daemon again, "
        + "which reads what is really there; `shopmetricsctl verify` checks everything."),
    CatalogMessage(
      "FILE_DAMAGED", "69640f762ea04ead9c51991bf211c927",
      "A file that was just written reads back differently",
      cause: "Disk, controller or memory return wrong data. The file was not committed.",
      remedy: "Check disk and memory before anything else, then `shopmetricsctl verify`."),
    CatalogMessage(
      "INTERNAL", "ba7f5b5cd68a4b769e5b95d9e06a7bba", "An error that the program does not know",
      cause: "This is a fault of the program.",
      remedy:
        "Report it with the output of `journalctl -u shopmetricsd -b -o short-iso`. The next "
        + "run tries again."),
  ]
}
