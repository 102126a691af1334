import TensorCore
import TestSupport
import Testing

/// Dense rows `[rows, channels]` put into channel-padded rows.
func padded(_ dense: [Double], channels: Int) -> GuardedBuffer {
  let width = paddedChannels(channels), rows = dense.count / channels
  let buffer = GuardedBuffer(count: rows * width, value: 0)
  for row in 0..<rows {
    for channel in 0..<channels { buffer.pointer[row * width + channel] = Float(dense[row * channels + channel]) }
  }
  return buffer
}

/// The channels of padded rows, and whether all padding lanes are zero.
func unpadded(_ buffer: GuardedBuffer, channels: Int) -> (dense: [Float], zeroPadding: Bool) {
  let width = paddedChannels(channels)
  var dense: [Float] = [], zero = true
  for start in stride(from: 0, to: buffer.count, by: width) {
    for lane in 0..<width {
      if lane < channels {
        dense.append(buffer.pointer[start + lane])
      } else {
        zero = zero && buffer.pointer[start + lane] == 0
      }
    }
  }
  return (dense, zero)
}

/// Numbers of single precision in -1 ..< 1 from a stream of their own.
func randomDoubles(_ count: Int, _ name: String) -> [Double] {
  var stream = RandomStream(seed: 7, name: name)
  return (0..<count).map { _ in Double(Float(stream.uniform(in: -1...1))) }
}

func floats(_ values: [Double]) -> [Float] { values.map { Float($0) } }

/// The largest difference between a result and its reference, relative to the largest reference value.
func worstError(_ result: [Float], _ reference: [Double]) -> Double {
  precondition(result.count == reference.count)
  let scale = max(1e-30, reference.map(abs).max() ?? 0)
  var worst = 0.0
  for (value, expected) in zip(result, reference) {
    let difference = abs(Double(value) - expected)
    worst = difference.isNaN ? .infinity : max(worst, difference)
  }
  return worst / scale
}

/// One compute for each instruction set of this CPU, and one with two threads.
func allComputes() throws -> [Compute] {
  try KernelSet.available.map { try Compute(kernels: $0) } + [Compute(threads: 2)]
}

/// A description for a failing expectation.
func label(_ compute: Compute) -> Comment { "\(compute.kernelSet.rawValue), \(compute.threads) threads" }
