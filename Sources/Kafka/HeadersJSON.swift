internal import CRdKafka

/// Record headers as JSON (RFC 8259) with values in Base64 (RFC 4648): they are any bytes.
enum HeadersJSON {
  static func text(_ headers: OpaquePointer) -> String {
    var out: [UInt8] = [UInt8(ascii: "[")]
    var index = 0
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while rd_kafka_header_get_all(headers, index, &name, &value, &size)
      == RD_KAFKA_RESP_ERR_NO_ERROR
    {
      out.append(contentsOf: index == 0 ? "[\"".utf8 : ",[\"".utf8)
      appendEscaped(name.map { String(cString: $0) } ?? "", to: &out)
      out.append(contentsOf: "\",".utf8)
      appendValue(value.map { UnsafeRawBufferPointer(start: $0, count: size) }, to: &out)
      out.append(UInt8(ascii: "]"))
      index += 1
    }
    out.append(UInt8(ascii: "]"))
    return String(decoding: out, as: UTF8.self)
  }

  private static func appendValue(_ value: UnsafeRawBufferPointer?, to out: inout [UInt8]) {
    guard let value else {
      out.append(contentsOf: "null".utf8)
      return
    }
    out.append(UInt8(ascii: "\""))
    appendBase64(value, to: &out)
    out.append(UInt8(ascii: "\""))
  }

  private static func appendEscaped(_ name: String, to out: inout [UInt8]) {
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        out.append(UInt8(ascii: "\\"))
        out.append(byte)
      case 0..<0x20:
        out.append(contentsOf: "\\u00".utf8)
        out.append(hexDigits[Int(byte >> 4)])
        out.append(hexDigits[Int(byte & 15)])
      default:
        out.append(byte)
      }
    }
  }

  private static let hexDigits = [UInt8]("0123456789abcdef".utf8)
  private static let alphabet = [UInt8](
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func appendBase64(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    var index = 0
    while index < bytes.count {
      let have = min(3, bytes.count - index)
      let second = have > 1 ? UInt32(bytes[index + 1]) : 0
      let third = have > 2 ? UInt32(bytes[index + 2]) : 0
      let group = UInt32(bytes[index]) << 16 | second << 8 | third
      out.append(alphabet[Int(group >> 18)])
      out.append(alphabet[Int(group >> 12 & 63)])
      out.append(have > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
      out.append(have > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
      index += 3
    }
  }
}
