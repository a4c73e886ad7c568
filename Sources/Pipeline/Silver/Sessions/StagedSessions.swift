internal import DeltaLake

/// What the commit of a batch says about the sessions table.
struct StagedSessions {
  struct Counts: Equatable {
    /// Sessions in the hot file after the batch.
    var hot = 0
    /// Sessions that the batch has put into parked files.
    var parked = 0
    /// Sessions that no event is expected for any more, since this batch.
    var becameFinal = 0
  }

  var adds: [AddFile] = []
  var removes: [RemoveFile] = []
  /// Added files of sessions that are not final and no longer in memory.
  var quietPaths: Set<String> = []
  var counts = Counts()
}
