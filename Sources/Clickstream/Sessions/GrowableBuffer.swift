/// Plain values in memory that grows by half and keeps its capacity when it is emptied.
///
/// An array would check bounds and uniqueness on every access; the loops over a million rows here
/// read and write through `base`. Indices are the owner's responsibility.
struct GrowableBuffer<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private(set) var capacity: Int

  init(capacity: Int = 16) {
    self.capacity = capacity
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// Bytes of memory held.
  var byteCount: Int { capacity * MemoryLayout<Element>.stride }

  /// The elements, until the next change of the buffer.
  var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

  mutating func removeAll() { count = 0 }

  @inline(__always)
  mutating func append(_ element: Element) {
    if count == capacity { reserve(1) }
    (base + count).initialize(to: element)
    count &+= 1
  }

  mutating func append(_ source: UnsafeBufferPointer<Element>) {
    guard let start = source.baseAddress else { return }
    reserve(source.count)
    (base + count).initialize(from: start, count: source.count)
    count &+= source.count
  }

  mutating func append(repeating element: Element, count additional: Int) {
    reserve(additional)
    (base + count).initialize(repeating: element, count: additional)
    count &+= additional
  }

  /// Makes room for `additional` more elements.
  @inline(never)
  mutating func reserve(_ additional: Int) {
    guard capacity &- count < additional else { return }
    let enlarged = max(count + additional, capacity + capacity / 2)
    let moved = UnsafeMutablePointer<Element>.allocate(capacity: enlarged)
    moved.moveInitialize(from: base, count: count)
    base.deallocate()
    (base, capacity) = (moved, enlarged)
  }
}
