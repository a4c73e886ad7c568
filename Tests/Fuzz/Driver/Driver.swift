// One program for all fuzz targets; see Tests/Fuzz/fuzz.sh.
import Glibc

/// Takes any bytes; what is wrong with them is its result, never its end.
typealias FuzzTarget = (UnsafeRawBufferPointer) -> Void

private nonisolated(unsafe) let targets: [String: FuzzTarget] = [
  "parquet": readParquet,
  "event": decodeEvent,
  "json": parseJSON,
  "action": parseActions,
  "checkpoint": parseCheckpointFiles,
]

private nonisolated(unsafe) let target: FuzzTarget = {
  let name = getenv("SHOPMETRICS_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = targets[name] else {
    let known = targets.keys.sorted().joined(separator: ", ")
    print("SHOPMETRICS_FUZZ_TARGET is \"\(name)\"; targets: \(known)")
    exit(64)
  }
  return target
}()

/// libFuzzer's own loop (https://llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a library").
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The program's entry: the package manager renames `main` to this.
@_cdecl("fuzz_main")
public func fuzzMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments) { data, size in
    target(UnsafeRawBufferPointer(start: data, count: size))
    return 0
  }
}
