extension MessageCatalog {
  static let kafka = [
    CatalogMessage(
      "KAFKA_UNAVAILABLE", "5f89100663e241949a5d4afa709e5eda", "The brokers could not be used",
      cause: "They are down, cannot be reached, or did not answer within kafka.connect_timeout or "
        + "kafka.stall_timeout. The line says which broker said what.",
      remedy: "The next run tries again; nothing is lost while Kafka keeps the records. Try "
        + "`shopmetricsd --check-config --online`. A broker that closes the connection at once "
        + "often expects TLS: see kafka.security.protocol."),
    CatalogMessage(
      "KAFKA_AUTHENTICATION", "8c7c8aeda7fd4105adaafb4d655b6af6",
      "The brokers do not believe who we are",
      cause: "Wrong user, password or mechanism.",
      remedy: "Correct kafka.security or the credential, then try `shopmetricsd --check-config "
        + "--online` and reload the service. SCRAM with librdkafka before 2.6.1 never works "
        + "against Kafka 4: use PLAIN over TLS or certificates; `shopmetricsd --version` shows "
        + "the library."),
    CatalogMessage(
      "KAFKA_AUTHORIZATION", "b8f7c0f3274246fb996680b356974525",
      "The brokers do not let us read the topic",
      cause: "The user that we are to the brokers has no right to describe or to read it.",
      remedy:
        "Grant it, for example `kafka-acls.sh --add --allow-principal User:shop --operation "
        + "Read --topic clickstream-events`. The next run tries again."),
    CatalogMessage(
      "KAFKA_TLS", "6bbd3f0ecfc1497b83324643e407952f", "No TLS connection with the brokers",
      cause: "A certificate has expired, is for another host or comes from an authority that "
        + "kafka.security.ca_file does not hold; or one side speaks TLS and the other does not.",
      remedy:
        "Correct the broker's certificate, or protocol and files in kafka.security; then try "
        + "`shopmetricsd --check-config --online`. Renewed files are taken up by the next run."),
    CatalogMessage(
      "OFFSETS_NOT_MIRRORED", "584288515a43411c86d01ba7bea33fd4",
      "The position was not shown to the consumer group",
      cause: "kafka.mirror_group names a group that has members, or that we may not write, or its "
        + "coordinator did not answer.",
      remedy: "Use a group of its own, and grant Read on it. No record depends on it: only "
        + "`kafka-consumer-groups.sh --describe` shows old offsets until a run succeeds."),
    CatalogMessage(
      "KAFKA_TOPIC_MISSING", "14eb843a14744677ac09e41338e1ff4b", "The topic is not there",
      cause: "kafka.topic names a topic that the cluster does not have, or that we may not see.",
      remedy:
        "Create it, correct kafka.topic, or grant the right to describe it. The next run tries "
        + "again."),
    CatalogMessage(
      "KAFKA_PROPERTY", "212c508ebcc0467e97a6bc78addcc21b",
      "A property of librdkafka was not accepted",
      cause: "kafka.librdkafka holds a property that the linked library does not know or refuses.",
      remedy:
        "Correct it; `shopmetricsd --check-config` checks it, `shopmetricsd --version` shows "
        + "the library."),
    CatalogMessage(
      "KAFKA_DATA_LOSS", "05764a54a2d547f0a713e1337486f9be",
      "Kafka no longer holds records that the checkpoint needs",
      cause: "Retention or an operator removed them before they were read. The line names the "
        + "partition and the offsets.",
      remedy:
        "If they can be restored in Kafka, do it; the next run goes on. If not, `shopmetricsctl "
        + "checkpoint accept-loss` says what would be given up, and with `--yes` goes on behind "
        + "the gap and leaves a dead letter with the reason data_loss. loss.on_missing_data = "
        + "\"continue\" does so by itself."),
    CatalogMessage(
      "PARTITIONS_DELETED", "bb44898a59bb49738e3ff2e40f5be426",
      "The topic has fewer partitions than before",
      cause: "A topic cannot lose partitions: it was deleted and made again under the same name.",
      remedy:
        "Keep the tables. Give the new topic a storage.state_directory of its own, or start "
        + "anew with `shopmetricsctl checkpoint reset`."),
    CatalogMessage(
      "LOG_TRUNCATED", "fb4891be6dfc472ab081201c7607a39f",
      "A partition ends before the offset that was already read",
      cause: "An unclean leader election lost the newest records, or the topic was made again.",
      remedy:
        "The tables hold records that Kafka no longer has. Find out which with `shopmetricsctl "
        + "checkpoint show`, then `shopmetricsctl checkpoint reset`; new records with the old "
        + "offsets would otherwise never be read."),
    CatalogMessage(
      "TOPIC_RECREATED", "cddb57dd5ef44feb932aaf644746ab64",
      "The topic is another one of the same name",
      cause: "The newest record that was read stands no longer at its offset: another one does. "
        + "The topic was deleted and made again, or its log was replaced.",
      remedy: "Nothing was read from it. Keep the tables and begin anew beside them with "
        + "`shopmetricsctl checkpoint reset --new-tables DIR`, or restore the topic."),
    CatalogMessage(
      "CONTINUITY_UNPROVEN", "13c8b1a2dfa944a9a4d99951185037dc",
      "It cannot be told whether the topic is still the same",
      cause: "The newest record that was read is no longer in the topic, through retention or "
        + "compaction, so there is nothing to compare. Offsets fit, and reading went on.",
      remedy: "None, when retention explains it: runs that follow each other faster than it do not "
        + "see this. Else compare the topic's records with the newest rows of Bronze."),
    CatalogMessage(
      "WRONG_CLUSTER", "0a88f49a9dbe4e6ab95adb18e8a7cedd",
      "The brokers belong to another cluster than the checkpoint",
      cause: "kafka.brokers was changed to another cluster, or the cluster was made anew. Its "
        + "offsets mean other records.",
      remedy:
        "Set kafka.brokers back, or give the new cluster a storage.state_directory of its own."),
    CatalogMessage(
      "TOPIC_CHANGED", "b393a010da2f44abbae40062b7e7a048",
      "The checkpoint belongs to another topic",
      cause: "kafka.topic was changed. Offsets of one topic mean nothing in another.",
      remedy: "Set kafka.topic back, or give the new topic a storage.state_directory of its own."),
    CatalogMessage(
      "KAFKA_RECORDS_UNREADABLE", "acc072603bb942309120579e4f158f13",
      "A broker serves records that cannot be read",
      cause:
        "A checksum does not match, a batch cannot be decompressed, or its compression is not "
        + "supported. The line names the partition and the offset.",
      remedy: "Look at the segment with kafka-dump-log on the broker. When the records are lost: "
        + "`shopmetricsctl checkpoint skip --partition P --from OFFSET --to OFFSET`."),
    CatalogMessage(
      "PARTITION_STALLED", "5cbf3de0daa34fd59ce8c42a899bf11e",
      "A partition gave nothing although records wait in it",
      cause: "For kafka.stall_timeout no record came, without an error from the brokers. A "
        + "transaction that was never ended does this.",
      remedy: "The next run tries again. `kafka-transactions.sh find-hanging` finds open "
        + "transactions; look at the broker that leads the partition."),
    CatalogMessage(
      "STARTING_OFFSETS", "49aca5d32977460290103696f3650adf",
      "kafka.starting_offsets does not fit the topic",
      cause:
        "It is JSON and leaves out a partition, or names an offset that the partition does not "
        + "hold.",
      remedy:
        "Name every partition; -2 is its beginning, -1 its end. Only the very first run reads "
        + "it."),
    CatalogMessage(
      "RUN_TIMEOUT", "cc1dbcb9b2714052a189225605a54d70",
      "One batch took longer than schedule.run_timeout allows",
      cause:
        "Brokers or disk are too slow for the batch. Nothing of it was committed; the batches "
        + "before it are.",
      remedy: "The next run goes on with the same batch. Raise schedule.run_timeout, or lower "
        + "limits.max_offsets_per_batch for the batches after it."),
  ]
}
