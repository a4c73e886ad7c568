/// What the log says about a table, without its files.
struct TableState {
  var version: Int64 = -1
  var tableProtocol: TableProtocol?
  var metadata: TableMetadata?
  var transactions: [String: SetTransaction] = [:]

  /// Takes over one action; the newest one of its kind counts (Delta protocol, "Action
  /// Reconciliation").
  mutating func apply(_ action: Action) {
    switch action {
    case .metadata(let new): metadata = new
    case .protocolVersions(let new): tableProtocol = new
    case .transaction(let new): transactions[new.appID] = new
    case .add, .remove, .commitInfo, .unknown: break
    }
  }

  mutating func apply(_ actions: [Action], version: Int64) {
    for action in actions { apply(action) }
    self.version = version
  }
}
