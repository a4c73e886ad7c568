internal import Clickstream
internal import DurableIO
internal import StreamCheckpoint

/// The place of a query's checkpoint among its copies, and how another one gets there.
///
///     checkpoints/clickstream_bronze                        the checkpoint
///     checkpoints/clickstream_bronze.2026-11-24T15-09-00Z   a copy of it as it was
///     checkpoints/.work                                     unfinished; the next one removes it
struct CheckpointPlace {
  let live: String
  private let work: String
  private let publisher: Publisher

  init(_ live: String, work: String, _ publisher: Publisher) {
    self.live = live
    self.work = work
    self.publisher = publisher
  }

  private var fresh: String { "\(work)/new" }

  /// Copies the checkpoint beside itself, whole or not at all.
  ///
  /// The files of a checkpoint never change, so second names for them are a copy.
  /// - Returns: the copy's path; `nil` when there is no checkpoint.
  func backUp() throws -> String? {
    guard try Files.exists(live) else { return nil }
    let copy = "\(work)/copy"
    try publisher.removeTree(copy)
    try link(live, to: copy)
    let name = try freeName()
    try publisher.moveDirectory(copy, to: name, role: .checkpointFolder)
    try publisher.removeTree(work)
    return name
  }

  private func link(_ folder: String, to other: String) throws {
    try Files.makeDirectories(other)
    for name in try Files.list(folder) {
      let (path, copy) = ("\(folder)/\(name)", "\(other)/\(name)")
      if try Files.status(path)?.isDirectory == true {
        try link(path, to: copy)
      } else {
        try publisher.link(path, to: copy, role: .checkpointFolder)
      }
    }
    try publisher.syncDirectory(other, role: .checkpointFolder)
  }

  /// The checkpoint's name with the time, and a number where that is taken.
  private func freeName() throws -> String {
    let time = EventTime.format(wallClockMilliseconds() * 1000).prefix(19)
    let stamp = String(time.map { $0 == ":" ? "-" : $0 }) + "Z"
    var name = "\(live).\(stamp)"
    var number = 1
    while try Files.exists(name) {
      number += 1
      name = "\(live).\(stamp)-\(number)"
    }
    return name
  }

  /// An empty checkpoint that is nobody's yet.
  func makeFresh() throws -> CheckpointDirectory {
    try publisher.removeTree(fresh)
    return CheckpointDirectory(path: fresh, publisher: publisher)
  }

  /// The fresh checkpoint takes the place of the one that is there, in one step.
  ///
  /// That one must have been copied: it is removed.
  func takeFresh() throws {
    if try Files.exists(live) {
      try publisher.exchangeDirectories(fresh, live, role: .checkpointFolder)
    } else {
      try publisher.moveDirectory(fresh, to: live, role: .checkpointFolder)
    }
    try publisher.removeTree(work)
  }
}
