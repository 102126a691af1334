/// The kinds of numbers that a safetensors file may hold, by their names there. Only the floats are read.
enum NumberType: String {
  case F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL

  var isFloat: Bool { [.F32, .F16, .BF16].contains(self) }

  /// Bytes of a number.
  var size: Int {
    switch self {
    case .I64, .U64: 8
    case .F32, .I32, .U32: 4
    case .F16, .BF16, .I16, .U16: 2
    case .I8, .U8, .BOOL: 1
    }
  }

  /// The value of 16 bits: IEEE 754 binary16, or the upper half of a binary32.
  func float(_ bits: UInt16) -> Float {
    if self == .BF16 { return Float(bitPattern: UInt32(bits) << 16) }
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 31), fraction = UInt32(bits & 1023)
    switch exponent {
    case 0: return sign * Float(fraction) * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(bitPattern: UInt32(exponent + 112) << 23 | fraction << 13)
    }
  }
}
