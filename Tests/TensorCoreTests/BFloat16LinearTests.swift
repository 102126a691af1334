import TensorCore
import TestSupport
import Testing

/// The products of linear layers with operands in bfloat16.
@Suite struct BFloat16LinearTests {
  /// Rows, inputs and outputs: single ones, odd ones, less than a vector, a tile and a rest, more than a panel, a piece
  /// of the work, a chunk and two.
  static let sizes = [
    (1, 1, 1), (3, 7, 17), (2, 16, 3), (129, 33, 20), (300, 48, 70), (513, 1, 31), (520, 17, 33), (64, 65, 64),
  ]

  /// To the nearest of 8 bits, ties to even, by arithmetic; for normal numbers.
  private static func rounded(_ x: Double) -> Double {
    guard x != 0 else { return 0 }
    let unit = Double(sign: .plus, exponent: x.exponent - 7, significand: 1)
    return (x / unit).rounded(.toNearestOrEven) * unit
  }

  private static func operand(_ count: Int, _ name: String) -> (values: [Double], rounded: [Double]) {
    let values = floats(randomDoubles(count, name)).map(Double.init)
    return (values, values.map(rounded))
  }

  /// What an operation writes into a buffer of rows, its bits the same on every instruction set and any number of threads.
  private func expectAgreement(
    _ reference: [Double], channels: Int?, floats count: Int, _ layer: BFloat16Linear,
    _ operation: (Compute, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) throws {
    var first: [Float]?
    for compute in try allComputes() {
      let result = GuardedBuffer(count: count), scratch = GuardedBuffer(count: layer.scratchFloats(compute: compute))
      withExtendedLifetime((result, scratch)) { operation(compute, result.pointer, scratch.pointer) }
      let values = channels.map { checkedUnpadded(result, channels: $0) } ?? result.values
      #expect(worstError(values, reference) < 1e-6, label(compute))
      #expect(first == nil || first == values, label(compute))
      first = values
    }
  }

  @Test("Forward agrees with double precision on rounded operands", arguments: sizes, [false, true])
  func forward(size: (Int, Int, Int), hasBias: Bool) throws {
    let (rows, inputs, outputs) = size, layer = BFloat16Linear(rows: rows, inputs: inputs, outputs: outputs)
    let x = Self.operand(rows * inputs, "x"), w = Self.operand(inputs * outputs, "w")
    let b = hasBias ? floats(randomDoubles(outputs, "b")) : []
    let expected = Self.product(rows, outputs, inputs) { row, column, k in
      x.rounded[row * inputs + k] * w.rounded[k * outputs + column]
    }.enumerated().map { $1 + (hasBias ? Double(b[$0 % outputs]) : 0) }
    let input = padded(x.values, channels: inputs), weight = GuardedBuffer(floats(w.values))
    let bias = GuardedBuffer(b + [0])
    try expectAgreement(expected, channels: outputs, floats: rows * paddedChannels(outputs), layer) {
      layer.forward(
        input: input.pointer, weight: weight.pointer, bias: hasBias ? UnsafePointer(bias.pointer) : nil, output: $1,
        scratch: $2, compute: $0)
    }
  }

  @Test("The input gradient agrees with double precision on rounded operands", arguments: sizes)
  func inputGradient(size: (Int, Int, Int)) throws {
    let (rows, inputs, outputs) = size, layer = BFloat16Linear(rows: rows, inputs: inputs, outputs: outputs)
    let dy = Self.operand(rows * outputs, "dy"), w = Self.operand(inputs * outputs, "w")
    let expected = Self.product(rows, inputs, outputs) { row, column, k in
      dy.rounded[row * outputs + k] * w.rounded[column * outputs + k]
    }
    let gradient = padded(dy.values, channels: outputs), weight = GuardedBuffer(floats(w.values))
    try expectAgreement(expected, channels: inputs, floats: rows * paddedChannels(inputs), layer) {
      layer.inputGradient(
        outputGradient: gradient.pointer, weight: weight.pointer, inputGradient: $1, scratch: $2, compute: $0)
    }
  }

  @Test("The weight gradient agrees with double precision on rounded operands", arguments: sizes)
  func weightGradient(size: (Int, Int, Int)) throws {
    let (rows, inputs, outputs) = size, layer = BFloat16Linear(rows: rows, inputs: inputs, outputs: outputs)
    let x = Self.operand(rows * inputs, "x"), dy = Self.operand(rows * outputs, "dy")
    let expected = Self.product(inputs, outputs, rows) { row, column, k in
      x.rounded[k * inputs + row] * dy.rounded[k * outputs + column]
    }
    let input = padded(x.values, channels: inputs), gradient = padded(dy.values, channels: outputs)
    try expectAgreement(expected, channels: nil, floats: inputs * outputs, layer) {
      layer.weightGradient(
        input: input.pointer, outputGradient: gradient.pointer, weightGradient: $1, scratch: $2, compute: $0)
    }
  }

  private static func product(
    _ rows: Int, _ columns: Int, _ depth: Int, _ term: (Int, Int, Int) -> Double
  ) -> [Double] {
    (0..<rows * columns).map { place in
      (0..<depth).reduce(0) { $0 + term(place / columns, place % columns, $1) }
    }
  }

  // MARK: - Single numbers

  /// `torch.tensor(x).bfloat16().float()` of PyTorch 2.15, as bits.
  private static let references: [(UInt32, UInt32)] = [
    (0x3f80_0000, 0x3f80_0000), (0x3f80_8000, 0x3f80_0000), (0x3f81_8000, 0x3f82_0000), (0x3f80_7fff, 0x3f80_0000),
    (0x3f80_8001, 0x3f81_0000), (0xbf80_c000, 0xbf81_0000), (0x7f7f_ffff, 0x7f80_0000), (0x7f7f_7fff, 0x7f7f_0000),
    (0xff7f_8000, 0xff80_0000), (0x0080_0000, 0x0080_0000), (0x7f80_0000, 0x7f80_0000), (0xff80_0000, 0xff80_0000),
    (0x42f6_e979, 0x42f7_0000), (0x3eaa_aaab, 0x3eab_0000), (0xc2c8_0001, 0xc2c8_0000),
  ]

  @Test func operandsAreRoundedAsPyTorchDoes() throws {
    for compute in try allComputes() {
      for (given, expected) in Self.references {
        #expect(product(Float(bitPattern: given), 1, compute).bitPattern == expected, "\(given) on \(label(compute))")
      }
    }
  }

  @Test func notANumberStaysSo() throws {
    for compute in try allComputes() {
      for bits: UInt32 in [0x7fc0_0000, 0x7f80_0001, 0x7fff_ffff, 0xffff_ffff] {
        #expect(product(Float(bitPattern: bits), 1, compute).isNaN, label(compute))
        #expect(product(1, Float(bitPattern: bits), compute).isNaN, label(compute))
      }
    }
  }

  @Test func subnormalNumbersAreZero() throws {
    for compute in try allComputes() {
      #expect(product(Float(bitPattern: 0x000a_e398), 1e30, compute) == 0, "an operand on \(label(compute))")
      #expect(product(1e-30, 1e-12, compute) == 0, "a result on \(label(compute))")
      let all = GuardedBuffer([Float(bitPattern: 1)])
      Elementwise.scale(all.pointer, by: 2, result: all.pointer, count: 1, compute: compute)
      #expect(all.values[0] > 0, "all else still counts them, on \(label(compute))")
    }
  }

  /// The product of two numbers.
  private func product(_ x: Float, _ w: Float, _ compute: Compute) -> Float {
    let layer = BFloat16Linear(rows: 1, inputs: 1, outputs: 1)
    let input = GuardedBuffer(count: 16, value: 0), weight = GuardedBuffer([w]), output = GuardedBuffer(count: 16)
    input.pointer[0] = x
    let scratch = GuardedBuffer(count: layer.scratchFloats(compute: compute))
    return withExtendedLifetime((input, weight, output, scratch)) {
      layer.forward(
        input: input.pointer, weight: weight.pointer, bias: nil, output: output.pointer, scratch: scratch.pointer,
        compute: compute)
      return output.pointer[0]
    }
  }
}
