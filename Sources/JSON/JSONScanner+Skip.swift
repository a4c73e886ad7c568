/// Which kind of container is open on each level: one bit a level, allocated once.
///
/// A bit says object. Memory is a bit for each level of the limit, so a limit of a million levels
/// costs 122 KiB and no stack.
public final class JSONNesting {
  /// The number of containers that may be open at the same time, the outermost included.
  public let maxDepth: Int
  private let words: UnsafeMutablePointer<UInt64>

  public init(maxDepth: Int) {
    precondition(maxDepth >= 1, "a JSON text of depth 0 holds no container: allow at least 1")
    self.maxDepth = maxDepth
    let count = maxDepth / 64 + 1
    words = .allocate(capacity: count)
    words.initialize(repeating: 0, count: count)
  }

  deinit { words.deallocate() }

  fileprivate func setObject(_ isObject: Bool, at depth: Int) {
    let mask: UInt64 = 1 << UInt64(depth & 63)
    if isObject { words[depth >> 6] |= mask } else { words[depth >> 6] &= ~mask }
  }

  fileprivate func isObject(at depth: Int) -> Bool {
    words[depth >> 6] >> UInt64(depth & 63) & 1 == 1
  }
}

extension JSONScanner {
  /// Consumes one value of any type and checks all of it.
  ///
  /// Iterative, so that no text can exhaust the stack. `outerDepth` is the number of containers
  /// already open around the value.
  public mutating func skipValue(
    _ nesting: JSONNesting, outerDepth: Int
  ) throws(JSONError) {
    var depth = outerDepth
    repeat {
      if try enterOrSkip(nesting, depth: &depth) { continue }
      try leaveFinished(nesting, depth: &depth, outerDepth: outerDepth)
    } while depth > outerDepth
  }

  /// Consumes a scalar or an empty container, or the opening of another container: then true, and
  /// the scanner stands at that container's first value.
  private mutating func enterOrSkip(
    _ nesting: JSONNesting, depth: inout Int
  ) throws(JSONError) -> Bool {
    guard position < count else { throw fault(.value) }
    switch base[position] {
    case 0x22: _ = try string()
    case 0x2D, 0x30...0x39: _ = try number()
    case 0x74: try literal("true")
    case 0x66: try literal("false")
    case 0x6E: try literal("null")
    case 0x7B: return try enterObject(nesting, depth: &depth)
    case 0x5B: return try enterArray(nesting, depth: &depth)
    default: throw fault(.value)
    }
    return false
  }

  private mutating func enterObject(
    _ nesting: JSONNesting, depth: inout Int
  ) throws(JSONError) -> Bool {
    try checkDepth(depth, nesting)
    position += 1
    skipWhitespace()
    if consume(0x7D) { return false }
    _ = try key(expecting: .keyOrObjectEnd)
    depth += 1
    nesting.setObject(true, at: depth)
    return true
  }

  private mutating func enterArray(
    _ nesting: JSONNesting, depth: inout Int
  ) throws(JSONError) -> Bool {
    try checkDepth(depth, nesting)
    position += 1
    skipWhitespace()
    if consume(0x5D) { return false }
    depth += 1
    nesting.setObject(false, at: depth)
    return true
  }

  private func checkDepth(_ depth: Int, _ nesting: JSONNesting) throws(JSONError) {
    if depth >= nesting.maxDepth { throw fault(.shallowerNesting, at: position, code: .tooDeep) }
  }

  /// After a value: closes the containers that end here, up to the next value or `outerDepth`.
  private mutating func leaveFinished(
    _ nesting: JSONNesting, depth: inout Int, outerDepth: Int
  ) throws(JSONError) {
    while depth > outerDepth {
      skipWhitespace()
      let isObject = nesting.isObject(at: depth)
      if consume(0x2C) {
        skipWhitespace()
        if isObject { _ = try key(expecting: .key) }
        return
      }
      guard consume(isObject ? 0x7D : 0x5D) else {
        throw fault(isObject ? .commaOrObjectEnd : .commaOrArrayEnd)
      }
      depth -= 1
    }
  }
}
