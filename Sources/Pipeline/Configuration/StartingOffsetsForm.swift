extension ValueForm where Value == StartingOffsets {
  static let startingOffsets = ValueForm(
    expectation: "\"earliest\", \"latest\"",
    read: { value in
      switch value {
      case .string("earliest"): .earliest
      case .string("latest"): .latest
      default: nil
      }
    },
    write: { _ in "\"earliest\"" })
}
