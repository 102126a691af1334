import CKernels

/// Layer normalisation (Ba, Kiros & Hinton 2016) over rows of channels, and its gradients.
public enum LayerNormalization {
  /// How rows lie: `count` rows of `channels`, `stride` floats apart. Lanes after the channels become zero.
  public struct Rows: Sendable {
    public var count: Int, channels: Int, stride: Int

    public init(count: Int, channels: Int, stride: Int) {
      (self.count, self.channels, self.stride) = (count, channels, stride)
    }
  }

  /// Rows whose gradients are summed on their own before they are added to the total, which keeps rounding small.
  private static let rowsPerBlock = 64

  /// output = (x − mean) / √(variance + epsilon) · scale + shift, with the mean and the biased variance of each row; in
  /// place if wanted. `scale` and `shift` are dense `[channels]`, or both nil for 1 and 0.
  public static func forward(
    _ rows: Rows, epsilon: Float, input: UnsafePointer<Float>, scale: UnsafePointer<Float>?,
    shift: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let piece = max(1, 32_768 / rows.stride)
    compute.forEachChunk((rows.count + piece - 1) / piece) { chunk, _ in
      let start = chunk * piece * rows.stride
      var job = nr_layer_norm_job(
        input: input + start, scale: scale, shift: shift, output: output + start,
        rows: Int64(min(piece, rows.count - chunk * piece)), channels: Int64(rows.channels),
        pixel: Int64(rows.stride), epsilon: epsilon)
      compute.kernels.layer_norm(&job)
    }
  }

  /// Floats of scratch that `backward` needs: the sums of scale and shift for each chunk, and those of a block.
  public static func scratchFloats(channels: Int) -> Int { 4 * maximalChunks * paddedChannels(channels) }

  /// The gradients of the loss from that by the output: by the input (in place of either if wanted), and where wanted by
  /// scale and shift, dense `[channels]`. `scale` is nil for 1.
  public static func backward(
    _ rows: Rows, epsilon: Float, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    scale: UnsafePointer<Float>?, inputGradient: UnsafeMutablePointer<Float>,
    parameterGradients: (scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>)?,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let width = paddedChannels(rows.channels), chunks = RowChunks(rows: rows.count)
    compute.forEachChunk(chunks.count) { chunk, _ in
      let sums = scratch + 4 * chunk * width, block = sums + 2 * width, range = chunks[chunk]
      compute.kernels.fill(0, sums, Int64(2 * width))
      for first in stride(from: range.lowerBound, to: range.upperBound, by: rowsPerBlock) {
        let start = first * rows.stride
        compute.kernels.fill(0, block, Int64(2 * width))
        var job = nr_layer_norm_gradient_job(
          input: input + start, gradient: outputGradient + start, scale: scale, output: inputGradient + start,
          scale_gradient: parameterGradients == nil ? nil : block,
          shift_gradient: parameterGradients == nil ? nil : block + width,
          rows: Int64(min(rowsPerBlock, range.upperBound - first)), channels: Int64(rows.channels),
          pixel: Int64(rows.stride), epsilon: epsilon)
        compute.kernels.layer_norm_gradient(&job)
        compute.kernels.accumulate(block, 1, sums, Int64(2 * width))
      }
    }
    guard let parameterGradients else { return }
    for chunk in 1..<max(1, chunks.count) {
      compute.kernels.accumulate(scratch + 4 * chunk * width, 1, scratch, Int64(2 * width))
    }
    parameterGradients.scale.update(from: scratch, count: rows.channels)
    parameterGradients.shift.update(from: scratch + width, count: rows.channels)
  }
}
