import CKernels

/// Operations on each float, or on rows of channels, by themselves.
///
/// Flat operations take any count; for a channel-padded buffer it is `ImageShape.floats`, and zero padding lanes stay
/// zero. The result may be one of the inputs (in place), unless said otherwise.
public enum Elementwise {
  /// result = value, everywhere.
  public static func fill(_ value: Float, result: UnsafeMutablePointer<Float>, count: Int, compute: Compute) {
    forEachPiece(count, compute) { compute.kernels.fill(value, result + $0, $1) }
  }

  /// result = input.
  public static func copy(
    _ input: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>, count: Int, compute: Compute
  ) {
    forEachPiece(count, compute) { (result + $0).update(from: input + $0, count: Int($1)) }
  }

  /// result = input · factor.
  public static func scale(
    _ input: UnsafePointer<Float>, by factor: Float, result: UnsafeMutablePointer<Float>, count: Int,
    compute: Compute
  ) {
    forEachPiece(count, compute) { compute.kernels.scale(input + $0, factor, result + $0, $1) }
  }

  /// result = result + factor · input, each rounded once.
  public static func accumulate(
    _ input: UnsafePointer<Float>, times factor: Float = 1, into result: UnsafeMutablePointer<Float>, count: Int,
    compute: Compute
  ) {
    forEachPiece(count, compute) { compute.kernels.accumulate(input + $0, factor, result + $0, $1) }
  }

  /// The sum of a · b, in double precision and a fixed order that no number of threads changes.
  public static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, compute: Compute) -> Double {
    compute.kernels.dot(a, b, Int64(count))
  }

  /// result = the sum of one or more terms, added from the first to the last.
  public static func add(
    _ terms: UnsafeBufferPointer<UnsafePointer<Float>>, result: UnsafeMutablePointer<Float>, count: Int,
    compute: Compute
  ) {
    // The kernel takes all terms from the same place on, so that a large sum is one pass over the result.
    guard terms.count > 1 else { return copy(terms[0], result: result, count: count, compute: compute) }
    forEachPiece(count, compute) { start, length in
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: terms.count) { moved in
        for index in 0..<terms.count { moved[index] = terms[index] + start }
        compute.kernels.sum(moved.baseAddress!, Int64(terms.count), result + start, length)
      }
    }
  }

  /// result = function(input), with the function's parameters.
  public static func unary(
    _ function: nr_unary, _ input: UnsafePointer<Float>, parameters: (Float, Float) = (0, 0),
    result: UnsafeMutablePointer<Float>, count: Int, compute: Compute
  ) {
    forEachPiece(count, compute) {
      compute.kernels.unary(function.rawValue, input + $0, parameters.0, parameters.1, result + $0, $1)
    }
  }

  /// result = function(a, b), with the function's parameters.
  public static func binary(
    _ function: nr_binary, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, parameters: (Float, Float) = (0, 0),
    result: UnsafeMutablePointer<Float>, count: Int, compute: Compute
  ) {
    forEachPiece(count, compute) {
      compute.kernels.binary(
        function.rawValue, a + $0, 1, b + $0, 1, parameters.0, parameters.1, result + $0, $1)
    }
  }

  /// Calls the body for pieces of a flat buffer: where it starts, and how long it is.
  private static func forEachPiece(_ count: Int, _ compute: Compute, _ body: (_ start: Int, _ count: Int64) -> Void) {
    let length = 32_768
    compute.forEachChunk((count + length - 1) / length) { chunk, _ in
      let start = chunk * length
      body(start, Int64(min(length, count - start)))
    }
  }
}
