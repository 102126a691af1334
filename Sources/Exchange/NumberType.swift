/// The kinds of numbers that a safetensors file may hold, by their names there. Only the floats are read.
enum NumberType: String {
  case float32 = "F32", float16 = "F16", bfloat16 = "BF16"
  case int64 = "I64", int32 = "I32", int16 = "I16", int8 = "I8"
  case uint64 = "U64", uint32 = "U32", uint16 = "U16", uint8 = "U8", bool = "BOOL"

  var isFloat: Bool { [.float32, .float16, .bfloat16].contains(self) }

  /// Bytes of a number.
  var size: Int {
    switch self {
    case .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// The value of 16 bits: IEEE 754 binary16, or the upper half of a binary32.
  func float(_ bits: UInt16) -> Float {
    if self == .bfloat16 { return Float(bitPattern: UInt32(bits) << 16) }
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 31), fraction = UInt32(bits & 1023)
    switch exponent {
    case 0: return sign * Float(fraction) * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(bitPattern: UInt32(exponent + 112) << 23 | fraction << 13)
    }
  }
}
