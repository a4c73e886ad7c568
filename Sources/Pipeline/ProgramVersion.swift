/// What the programs call themselves.
package enum ProgramVersion {
  package static let number = "0.1.0"
  /// `commitInfo.engineInfo` of every commit.
  package static let engineInfo = "shopmetricsd/\(number)"
  /// `created_by` of every Parquet file, in the form that Parquet readers parse.
  package static let createdBy = "shopmetricsd version \(number) (build release)"
}
