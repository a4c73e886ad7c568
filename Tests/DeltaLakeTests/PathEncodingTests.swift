import Testing

@testable import DeltaLake

struct PathEncodingTests {
  @Test(arguments: [
    ("plain-1.parquet", "plain-1.parquet"), ("d=2026-01-01/x.parquet", "d=2026-01-01/x.parquet"),
    ("a b", "a%20b"), ("a%b", "a%25b"), ("ü", "%C3%BC"), ("?#\"", "%3F%23%22"), ("", ""),
  ])
  func `names are encoded as the path of a URI and decoded again`(name: String, path: String) {
    #expect(PathEncoding.encode(name) == path)
    #expect(PathEncoding.decode(path) == name)
  }

  @Test(arguments: [
    ("c=a%20b%252Fü%2525/f", "c=a b%2Fü%25/f"), ("100%", "100%"), ("%zz", "%zz"), ("%4", "%4"),
    ("%c3%bc", "ü"),
  ])
  func `paths of other writers are decoded`(path: String, name: String) {
    #expect(PathEncoding.decode(path) == name)
  }

  @Test(arguments: [
    ("false", "c=false"), ("a b/ü%", "c=a b%2Fü%25"), ("2026-01-02 03:04", "c=2026-01-02 03%3A04"),
    ("", "c=__HIVE_DEFAULT_PARTITION__"), (nil, "c=__HIVE_DEFAULT_PARTITION__"),
  ])
  func `partition folders are named as Hive names them`(value: String?, folder: String) {
    #expect(PathEncoding.partitionFolder("c", value) == folder)
  }
}
