/// Random identifiers in the form of RFC 9562, version 4.
package enum RandomUUID {
  /// 36 lower-case characters.
  package static func text() -> String {
    let high = (UInt64.random(in: .min ... .max) & ~0xF000) | 0x4000
    let low = (UInt64.random(in: .min ... .max) & ~(0b11 << 62)) | (0b10 << 62)
    let digits = hexadecimal(high) + hexadecimal(low)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }

  private static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
