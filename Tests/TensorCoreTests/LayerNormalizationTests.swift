import Glibc
import TensorCore
import TestSupport
import Testing

@Suite struct LayerNormalizationTests {
  private static let epsilon = 1e-5

  /// The rows normalised, and the inverse deviation of each.
  private static func normalised(_ x: [Double], _ channels: Int) -> (rows: [Double], deviations: [Double]) {
    var rows: [Double] = [], deviations: [Double] = []
    for start in stride(from: 0, to: x.count, by: channels) {
      let row = x[start..<start + channels], mean = row.reduce(0, +) / Double(channels)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
      deviations.append(1 / sqrt(variance + epsilon))
      rows += row.map { ($0 - mean) / sqrt(variance + epsilon) }
    }
    return (rows, deviations)
  }

  @Test("Rows agree with double precision", arguments: [1, 3, 7, 16, 17, 192], [1, 5, 700])
  func forward(channels: Int, rows: Int) throws {
    let x = randomDoubles(rows * channels, "x").map { 3 + 2 * $0 }
    let scale = randomDoubles(channels, "scale"), shift = randomDoubles(channels, "shift")
    let normal = Self.normalised(x, channels).rows
    let expected = normal.indices.map { normal[$0] * scale[$0 % channels] + shift[$0 % channels] }
    for isDense in [false, true] {
      // Of 700 rows of three channels, some are nearly constant: what is left of them after the mean has fewer digits.
      try expectAgreement(expected, within: 1e-5) { compute in
        let input = isDense ? GuardedBuffer(floats(x)) : padded(x, channels: channels)
        let output = GuardedBuffer(count: input.count)
        let factors = GuardedBuffer(floats(scale)), shifts = GuardedBuffer(floats(shift))
        withExtendedLifetime((input, factors, shifts)) {
          LayerNormalization.forward(
            .init(count: rows, channels: channels, stride: isDense ? channels : paddedChannels(channels)),
            epsilon: Float(Self.epsilon), input: input.pointer, scale: factors.pointer, shift: shifts.pointer,
            output: output.pointer, compute: compute)
        }
        return isDense ? output.values : checkedUnpadded(output, channels: channels)
      }
    }
  }

  @Test("Gradients agree with double precision", arguments: [3, 7, 17, 192], [1, 5, 700])
  func backward(channels: Int, rows: Int) throws {
    let x = randomDoubles(rows * channels, "x"), dy = randomDoubles(rows * channels, "dy")
    let scale = randomDoubles(channels, "scale"), (normal, deviations) = Self.normalised(x, channels)
    var dx: [Double] = [], dScale = [Double](repeating: 0, count: channels), dShift = dScale
    for row in 0..<rows {
      let range = row * channels..<(row + 1) * channels, g = range.map { dy[$0] * scale[$0 % channels] }
      let mean = g.reduce(0, +) / Double(channels)
      let product = zip(g, range).reduce(0) { $0 + $1.0 * normal[$1.1] } / Double(channels)
      for (value, index) in zip(g, range) {
        dx.append((value - mean - normal[index] * product) * deviations[row])
        dScale[index % channels] += dy[index] * normal[index]
        dShift[index % channels] += dy[index]
      }
    }
    for part in 0..<3 {
      try expectAgreement([dx, dScale, dShift][part], within: 2e-5) { compute in
        let result = GuardedBuffer(count: rows * paddedChannels(channels))
        let byScale = GuardedBuffer(count: channels), byShift = GuardedBuffer(count: channels)
        let input = padded(x, channels: channels), gradient = padded(dy, channels: channels)
        let factors = GuardedBuffer(floats(scale))
        let scratch = GuardedBuffer(count: LayerNormalization.scratchFloats(channels: channels))
        withExtendedLifetime((input, gradient, factors, scratch)) {
          LayerNormalization.backward(
            .init(count: rows, channels: channels, stride: paddedChannels(channels)), epsilon: Float(Self.epsilon),
            input: input.pointer, outputGradient: gradient.pointer, scale: factors.pointer,
            inputGradient: result.pointer, parameterGradients: (byScale.pointer, byShift.pointer),
            scratch: scratch.pointer, compute: compute)
        }
        return [checkedUnpadded(result, channels: channels), byScale.values, byShift.values][part]
      }
    }
  }
}
