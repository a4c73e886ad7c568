/// What a failed system call means.
extension MessageCatalog {
  static let disk = [
    CatalogMessage(
      "LOW_DISK", "e3be2296742042ad85e211d05064d876", "Too little is free for a run to start",
      cause: "The file system of storage.state_directory has less free than storage.min_free.",
      remedy: "Make room: `shopmetricsctl tables` says what the tables take. The next run tries "
        + "again."),
    CatalogMessage(
      "FREE_SPACE_UNKNOWN", "2b2936bb20cf4426b3df10b62970525c",
      "It cannot be told how much of the disk is free",
      cause: "The file system does not answer statvfs. The run starts all the same.",
      remedy: "Look at the mount: `findmnt -T /var/lib/shopmetrics`."),
    CatalogMessage(
      "DISK_FULL", "767bb27d6e3749da94718a391f8c0b82",
      "A file system has no room",
      cause: "Its blocks or its inodes are used up (ENOSPC). What was half written was removed.",
      remedy:
        "Make room: `df -h` and `df -i` of the path in the line show what is missing. The next "
        + "run goes on by itself."),
    CatalogMessage(
      "DISK_QUOTA", "3fac2a74092649058dbbc9bfbfab3462",
      "A disk quota is used up",
      cause: "The quota of the daemon's user or project does not allow another file or block "
        + "(EDQUOT).",
      remedy: "Raise it or make room. The next run goes on by itself."),
    CatalogMessage(
      "DISK_READ_ONLY", "a60eedf354e54227aea1260a33434b8a",
      "A directory cannot be written to",
      cause: "The file system is mounted read-only, often by the kernel after an error, or the "
        + "directory is outside of what the unit's sandbox lets the service write (EROFS).",
      remedy: "`findmnt -T PATH` tells which. A directory outside /var/lib/shopmetrics needs "
        + "`ReadWritePaths=PATH` in `systemctl edit shopmetricsd`. The next run goes on by "
        + "itself."),
    CatalogMessage(
      "DISK_NO_ACCESS", "93fe3133ef4e40e6a6f61d6c33768219",
      "The daemon's user may not use a path",
      cause:
        "Owner, mode, an attribute of the file or the unit's sandbox forbid it (EACCES, EPERM).",
      remedy: "`namei -l PATH` and `lsattr -d PATH` tell which. A directory outside "
        + "/var/lib/shopmetrics needs `ReadWritePaths=PATH` in `systemctl edit shopmetricsd`. The "
        + "next run goes on by itself."),
    CatalogMessage(
      "DISK_ERROR", "10bc4f7bd3e44e35b2463380aa75978c",
      "The disk could not read or write",
      cause: "The kernel reports an input/output error of the disk (EIO). Nothing was published.",
      remedy:
        "`journalctl -k -p err` shows the disk's faults. Replace it if they come back, then "
        + "`shopmetricsctl verify`. The next run tries again."),
    CatalogMessage(
      "TOO_MANY_FILES", "db99514f9c544cd1a72a8ae1f2c0f731",
      "The process or the machine has too many open files",
      cause: "The limit of the service or of the machine is reached (EMFILE, ENFILE).",
      remedy:
        "Raise `LimitNOFILE=` in `systemctl edit shopmetricsd`; `sysctl fs.file-nr` shows the "
        + "machine's use. The next run tries again."),
    CatalogMessage(
      "FILE_TOO_LARGE", "a45b4fe98c144e0b86e6bba3c026e7da",
      "A file may not become that large",
      cause: "The limit of the service or of the file system is reached (EFBIG).",
      remedy: "Raise `LimitFSIZE=` in `systemctl edit shopmetricsd`. The next run tries again."),
    CatalogMessage(
      "NO_RESOURCES", "f747913a4f4f4219a3f9c735f6549316",
      "The process can have no more threads or descriptors",
      cause: "A limit of the service or of the machine is reached.",
      remedy:
        "`systemctl show -P TasksCurrent shopmetricsd` tells how many threads there are; raise "
        + "`TasksMax=` or `LimitNOFILE=` in `systemctl edit shopmetricsd`. The next run tries "
        + "again."),
    CatalogMessage(
      "LOCK_LOST", "cf504f87f81c4b438bd2a48e665e3198",
      "The lock file was removed or replaced while it was held",
      cause:
        "Somebody tidied up the state directory. A second process can have started since; the "
        + "daemon ended before it wrote anything more (exit status 74).",
      remedy:
        "See with `fuser /var/lib/shopmetrics/lock` that nobody else is at work. systemd starts "
        + "the daemon again. Leave the file alone."),
  ]
}
