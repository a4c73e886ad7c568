internal import CZlib

/// Hadoop's checksum files: `.<name>.crc` beside `<name>`.
///
/// Layout: `crc`, a zero byte, the chunk size as a big-endian 32-bit number, then one big-endian
/// CRC-32 (the polynomial of zlib) for each chunk of 512 bytes.
package enum HadoopChecksum {
  private static let chunkSize = 512
  private static let header: [UInt8] = [0x63, 0x72, 0x63, 0x00, 0, 0, 0x02, 0x00]

  /// The sidecar's bytes for a file's bytes.
  package static func sidecar(of bytes: [UInt8]) -> [UInt8] {
    var sidecar = header
    for start in stride(from: 0, to: bytes.count, by: chunkSize) {
      let checksum = crc(bytes[start..<min(start + chunkSize, bytes.count)])
      sidecar.append(contentsOf: bigEndian(checksum))
    }
    return sidecar
  }

  /// Checks a file's bytes against its sidecar.
  /// - Throws: names the file and the first chunk that does not fit, or the sidecar itself.
  package static func verify(
    _ bytes: [UInt8], sidecar: [UInt8], path: String
  ) throws(CorruptFileError) {
    let expected = Self.sidecar(of: bytes)
    guard sidecar != expected else { return }
    guard sidecar.starts(with: header), sidecar.count == expected.count else {
      throw CorruptFileError(
        path: path, byteOffset: nil,
        expected: "a file of the length that \(Files.sidecarPath(of: path)) covers",
        found: "\(bytes.count) bytes and \(sidecar.count) bytes of checksums")
    }
    let difference = zip(expected, sidecar).enumerated().first { $0.element.0 != $0.element.1 }
    let chunk = ((difference?.offset ?? header.count) - header.count) / 4
    throw CorruptFileError(
      path: path, byteOffset: chunk * chunkSize,
      expected: "CRC-32 as in \(Files.sidecarPath(of: path))", found: "other bytes")
  }

  private static func crc(_ chunk: ArraySlice<UInt8>) -> UInt32 {
    chunk.withUnsafeBufferPointer { buffer in
      UInt32(truncatingIfNeeded: crc32(0, buffer.baseAddress, UInt32(buffer.count)))
    }
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
