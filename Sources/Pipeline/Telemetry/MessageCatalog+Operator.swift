/// What `shopmetricsctl` refuses, and the daemon when it is asked.
extension MessageCatalog {
  static let operations = [
    CatalogMessage(
      "CONTROL_SOCKET", "3d069748133f4a0aa083d362d4c76dca", "The control socket cannot be opened",
      cause:
        "Something that is no socket is in its place, its directory is missing, or the path is "
        + "too long. Runs go on by the schedule.",
      remedy: "Remove what is in the way, or set control.socket to another path; then `systemctl "
        + "restart shopmetricsd`."),
    CatalogMessage(
      "DAEMON_NOT_RUNNING", "68c33e9f67d8495280da742d092cc606", "There is no daemon to ask",
      cause:
        "Nobody listens at the control socket: the service is stopped, or its control.socket is "
        + "another one.",
      remedy:
        "`systemctl start shopmetricsd`. Without the service, `shopmetricsd run --once` makes "
        + "one run."),
    CatalogMessage(
      "CONTROL_NO_ANSWER", "b4dd075ec0f8459b8b6e5d0674029388", "The daemon did not answer",
      cause: "It is overloaded or hangs, or the caller may not use the socket.",
      remedy:
        "`systemctl status shopmetricsd` shows its state without the socket. Asking needs root "
        + "or the group shopmetrics."),
    CatalogMessage(
      "CONTROL_FORBIDDEN", "2486811fc9664aef890d33cc97692ce2",
      "The caller may not change what the daemon does",
      cause: "Members of the group shopmetrics may ask; only root and the daemon's own user may "
        + "start, pause and resume runs.",
      remedy: "Run the command as root."),
    CatalogMessage(
      "CONTROL_REQUEST", "eca9a74488e04fdc9f9a6cc37247bcce",
      "A request to the control socket is none",
      cause:
        "Another program than `shopmetricsctl` talks to the socket, or one of another version.",
      remedy:
        "Compare `shopmetricsctl --version` with `shopmetricsd --version`; restart the daemon "
        + "after an upgrade."),
    CatalogMessage(
      "CONTROL_STOPPING", "0b58c1d2264546fabef40e85094ff734",
      "The daemon is stopping and takes no more commands",
      cause: "It was told to stop.",
      remedy: "`systemctl start shopmetricsd`, then ask again."),
    CatalogMessage(
      "NO_STREAM", "81c3ef9a4d094d7aa7830d9364af6391", "There is no stream to move yet",
      cause: "No batch was ever planned, so there is no position to change.",
      remedy: "Set kafka.starting_offsets to where the first run is to begin."),
    CatalogMessage(
      "SKIP_RANGE", "af7843c6641e4206a006689e888188df", "The offsets to skip do not fit",
      cause:
        "The partition is none of the topic's, or the range does not begin where the stream is, "
        + "or goes beyond the partition's end.",
      remedy: "`shopmetricsctl lag` shows where each partition is and ends."),
    CatalogMessage(
      "CHECKPOINT_SOUND", "7d788a00c247417fa1727f8fa2eaf144", "The checkpoint needs no rebuild",
      cause: "It is whole and fits the tables.",
      remedy: "Nothing. `shopmetricsctl checkpoint show` prints what it holds."),
    CatalogMessage(
      "REBUILD_IMPOSSIBLE", "5f734db33ac64f9bbe2e374d3e2e4513",
      "The checkpoint cannot be made again from the tables",
      cause: "The tables hold no batch of the stream, or do not say how far it was read.",
      remedy: "Restore the checkpoint from a backup that is as new as the tables, or start anew: "
        + "`shopmetricsctl checkpoint reset`."),
    CatalogMessage(
      "STATE_DIRECTORY", "fb78b62e38b0467187c1a90c43257228",
      "The directory for new tables cannot be used",
      cause: "It holds tables already, lies inside a table, or is not the daemon's.",
      remedy:
        "Name another one, or make it: `install -d -m 0750 -o shopmetrics -g shopmetrics DIR`."),
  ]
}
