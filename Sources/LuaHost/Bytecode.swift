/// The format of stripped Lua 5.4 bytecode (`ldump.c`, format 0), as far as leaving the line numbers out needs it.
struct Bytecode {
  private let input: [UInt8]
  private var at = 0
  private var output: [UInt8] = []

  /// The bytecode without the lines on which functions begin and end.
  static func withoutLines(_ code: [UInt8]) -> [UInt8] {
    var reader = Bytecode(input: code)
    // Signature, version, format, check data, sizes, test numbers, then the number of upvalues.
    reader.copy(4 + 1 + 1 + 6 + 3 + 8 + 8 + 1)
    reader.function(isOutermost: true)
    return reader.output
  }

  private init(input: [UInt8]) { self.input = input }

  private mutating func copy(_ count: Int) {
    let end = min(at + count, input.count)
    output += input[at..<end]
    at = end
  }

  /// A number of 7-bit groups, the last one marked.
  private mutating func number() -> Int {
    var value = 0
    while at < input.count {
      let byte = input[at]
      at += 1
      value = value << 7 | Int(byte & 0x7F)
      if byte & 0x80 != 0 { break }
    }
    return value
  }

  private mutating func copyNumber() -> Int {
    let start = at
    let value = number()
    output += input[start..<at]
    return value
  }

  private mutating func copyString() {
    let size = copyNumber()
    if size > 1 { copy(size - 1) }
  }

  /// Where the outermost function finds its upvalues is a matter of the code around it, and left out too.
  private mutating func function(isOutermost: Bool = false) {
    copyString()
    _ = number()
    _ = number()
    copy(3)
    copy(4 * copyNumber())
    for _ in 0..<copyNumber() { constant() }
    let upvalues = copyNumber()
    if isOutermost { at += 3 * upvalues } else { copy(3 * upvalues) }
    for _ in 0..<copyNumber() { function() }
    copy(copyNumber())
    for _ in 0..<copyNumber() {
      _ = copyNumber()
      _ = copyNumber()
    }
    for _ in 0..<copyNumber() {
      copyString()
      _ = copyNumber()
      _ = copyNumber()
    }
    for _ in 0..<copyNumber() { copyString() }
  }

  private mutating func constant() {
    copy(1)
    switch output.last {
    case 0x03, 0x13: copy(8)
    case 0x04, 0x14: copyString()
    default: break
    }
  }
}
