extension MessageCatalog {
  static let events = [
    CatalogMessage(
      "STARTING", "16884109f769458b831f8c449127f5dd", "The daemon starts",
      cause:
        "The service was started; the line names its version, librdkafka and the configuration.",
      remedy: "Nothing. `READY` follows when checkpoints and tables are read and repaired."),
    CatalogMessage(
      "READY", "8f37cb1f787145e3b2a0fbee651cd778", "The daemon is ready",
      cause: "Configuration, lock, checkpoints and tables are in order. Kafka was not asked yet.",
      remedy: "Nothing. `shopmetricsctl status` says when the next run starts."),
    CatalogMessage(
      "STOPPED", "420166661b424bb7852c27e10883230c", "The daemon has stopped",
      cause: "It was told to by SIGTERM or SIGINT. A batch that was under way is finished by the "
        + "next start, exactly.",
      remedy: "Nothing. `systemctl start shopmetricsd` goes on where it stopped."),
    CatalogMessage(
      "RELOADED", "ef19730fde7f42ec8dd25ec0a59a3ee5", "A changed configuration was taken over",
      cause: "`systemctl reload shopmetricsd`, or SIGHUP, and the file is good.",
      remedy: "Nothing. The settings are in force from the next run on."),
    CatalogMessage(
      "RELOAD_REFUSED", "a4e9014512a141028f41d5b2e17d8d9d",
      "The changed configuration was refused; the old settings stay",
      cause: "The file has errors, or changes what only a restart may change. The line says which.",
      remedy:
        "`shopmetricsd --check-config` shows every error with its line. Correct the file, then "
        + "`systemctl reload shopmetricsd`; for settings that need it, `systemctl restart "
        + "shopmetricsd`."),
    CatalogMessage(
      "RUN_OK", "d0f14bd398354fc2b62d9fa4b87fd19f", "A run ended well",
      cause: "Everything that the topic held when the run began is committed.",
      remedy:
        "Nothing. Dead letters, if there are any, are in clickstream_dead_letter with their "
        + "reason."),
    CatalogMessage(
      "RUN_STOPPED", "e6ffd226caa945eb8b26d4575f838b10", "A run was ended before its planned end",
      cause: "The daemon was told to stop, or the run had lasted for schedule.run_timeout. The "
        + "batches before that are committed.",
      remedy: "Nothing. The next run takes up the rest. If every run ends like this the backlog "
        + "grows: `shopmetricsctl lag` tells; raise schedule.run_timeout."),
    CatalogMessage(
      "PAUSED", "f54f365fd2254361b3c19ac3409ed6b4", "Runs are paused",
      cause:
        "An operator said `shopmetricsctl pause`. A run that was under way goes on to its end.",
      remedy: "`shopmetricsctl resume`. Kafka keeps records only for its retention time."),
    CatalogMessage(
      "RESUMED", "c3ae018dfecc4bc0b3a3a7970afd9d8c", "Runs go on after a pause",
      cause: "An operator said `shopmetricsctl resume`.",
      remedy: "Nothing."),
    CatalogMessage(
      "RECOVERY", "ccb03361f52745f88435263252fe47dd",
      "A checkpoint was compared with its tables at the start",
      cause:
        "Each start does this. The row in the line says what was found: A a new stream, B all "
        + "complete, C a batch to be read again with its logged offsets, D a batch to be "
        + "finished.",
      remedy: "Nothing. After a crash rows C and D are expected; no record is lost or doubled."),
    CatalogMessage(
      "LEFTOVERS_REMOVED", "ad65b718540e4cd89cbb8198b1c29717",
      "Files of an interrupted batch were removed",
      cause:
        "A crash or a stop came after data files were written and before the commit that names "
        + "them. No reader ever saw them.",
      remedy: "Nothing."),
    CatalogMessage(
      "RECOVERED", "cc4c9a74112d42339d1d83cd8ae23f92", "A run succeeded after runs that failed",
      cause: "What stood in the way is gone. The line says how many runs had failed.",
      remedy: "Nothing. What was missed is read by the runs from now on."),
    CatalogMessage(
      "ALERT", "7333dd5baf6c4d84863c09143cff09ad",
      "Somebody was told of failing runs, or of their end",
      cause: "As many runs in a row as on_failure.after says have failed, or the daemon ended "
        + "because an operator is needed, or runs succeed again. The on_failure program or webhook "
        + "took the message.",
      remedy: "The line of the failed run has the code of the error: look it up here. "
        + "`shopmetricsctl status` shows it too."),
    CatalogMessage(
      "NO_SUCCESS", "c952ba4c86724fdc89112d5f205688b5", "No run has succeeded for too long",
      cause:
        "No run has ended well for on_failure.no_success_for, whatever the reason: runs fail, "
        + "hang, or are paused.",
      remedy:
        "`shopmetricsctl status`, then `journalctl -u shopmetricsd -p warning --since -1d`. If "
        + "runs are paused: `shopmetricsctl resume`."),
    CatalogMessage(
      "ALERT_FAILED", "82c0e519b91f4db3965a4bb833e0bc8e",
      "The on_failure program or webhook did not take an alert",
      cause:
        "The program could not be started, ended with an error or took longer than a minute, or "
        + "the URL could not be reached. Nobody was told by it.",
      remedy:
        "The line has the reason. Correct on_failure, then `systemctl reload shopmetricsd`. The "
        + "program runs in the sandbox of the service."),
  ]
}
