import Foundation

/// A message of Protocol Buffers that is being written, field by field (protobuf.dev, "Encoding"). No more of the format
/// than ONNX files need.
struct ProtocolBuffer {
  private(set) var data = Data()

  /// A whole number, of any integer type or enumeration.
  mutating func add(_ field: Int, _ value: Int) {
    write(UInt64(field << 3))
    write(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: Float) {
    write(UInt64(field << 3 | 5))
    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
  }

  mutating func add(_ field: Int, _ text: String) { add(field, bytes: Data(text.utf8)) }

  mutating func add(_ field: Int, _ message: ProtocolBuffer) { add(field, bytes: message.data) }

  mutating func add(_ field: Int, bytes: Data) {
    write(UInt64(field << 3 | 2))
    write(UInt64(bytes.count))
    data.append(bytes)
  }

  /// Seven bits to a byte, the lowest first.
  private mutating func write(_ value: UInt64) {
    var rest = value
    while rest > 127 {
      data.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    data.append(UInt8(rest))
  }
}
