import TensorCore
import TestSupport
import Testing

/// Runs an operation on every compute: each result must be within `tolerance` of the reference, and those with a fused
/// multiply-add must have the same bits, whatever the vector width and the number of threads.
func expectAgreement(
  _ reference: [Double], within tolerance: Double = 1e-6, sourceLocation: SourceLocation = #_sourceLocation,
  _ operation: (Compute) throws -> [Float]
) throws {
  var first: [Float]?
  for compute in try allComputes() {
    let result = try operation(compute)
    #expect(worstError(result, reference) < tolerance, label(compute), sourceLocation: sourceLocation)
    if compute.kernelSet.fusesMultiplyAdd {
      if let first { #expect(first == result, label(compute), sourceLocation: sourceLocation) }
      first = result
    }
  }
}

/// The channels of padded rows; expects zero padding lanes.
func checkedUnpadded(
  _ buffer: GuardedBuffer, channels: Int, sourceLocation: SourceLocation = #_sourceLocation
) -> [Float] {
  let (dense, zero) = unpadded(buffer, channels: channels)
  #expect(zero, "padding lanes are zero", sourceLocation: sourceLocation)
  return dense
}
