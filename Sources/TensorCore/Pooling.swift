import CKernels
import Diagnostics

/// The sizes of a two-dimensional pooling, checked once. Input `[batch, inputHeight, inputWidth, channels]`, output
/// `[batch, outputHeight, outputWidth, channels]`, both channel-padded NHWC.
public struct PoolingGeometry: Hashable, Sendable {
  public let batch: Int, inputHeight: Int, inputWidth: Int, channels: Int
  public let kernel: Extent, stride: Extent, padding: Extent, dilation: Extent
  public let outputHeight: Int, outputWidth: Int

  /// Checks the sizes and infers the output's. Throws a `recipe` fault for sizes below 1, a window larger than the
  /// padded input, or padding of more than half of the window (which would leave windows without a pixel).
  public init(
    batch: Int, inputHeight: Int, inputWidth: Int, channels: Int, kernel: Extent, stride: Extent,
    padding: Extent = Extent(0), dilation: Extent = Extent(1)
  ) throws {
    try requirePositive([
      ("batch", batch), ("height", inputHeight), ("width", inputWidth), ("channels", channels),
    ])
    self.batch = batch
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    (outputHeight, outputWidth) = try windowPositions(
      height: inputHeight, width: inputWidth, kernel: kernel, stride: stride, padding: padding, dilation: dilation)
    guard padding.height * 2 <= kernel.height, padding.width * 2 <= kernel.width else {
      throw Fault(
        .recipe, "pooling pads more than half of its window",
        expected: "at most \(kernel.height / 2), \(kernel.width / 2)", got: "\(padding.height), \(padding.width)")
    }
  }

  /// `[batch, inputHeight, inputWidth, channels]`.
  public var input: ImageShape { ImageShape(n: batch, h: inputHeight, w: inputWidth, c: channels) }
  /// `[batch, outputHeight, outputWidth, channels]`.
  public var output: ImageShape { ImageShape(n: batch, h: outputHeight, w: outputWidth, c: channels) }
}

/// Pooling and its gradients. Results are overwritten and never share memory with the inputs.
public enum Pooling {
  /// output = the largest value of each window; padding doesn't take part, NaN wins.
  ///
  /// - Parameters:
  ///   - argmax: Receives, for each float of the output, the position in the window (row by row) of its first largest
  ///     value: `output.floats` numbers.
  public static func maximum(
    _ g: PoolingGeometry, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    argmax: UnsafeMutablePointer<Int32>, compute: Compute
  ) {
    forEachImage(g, input, g.input, output, g.output, argmax, compute) { compute.kernels.max_pool(&$0) }
  }

  /// inputGradient = at each pixel, the sum of the gradients of the outputs that took their value from it.
  public static func maximumBackward(
    _ g: PoolingGeometry, outputGradient: UnsafePointer<Float>, argmax: UnsafePointer<Int32>,
    inputGradient: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let argmax = UnsafeMutablePointer(mutating: argmax)
    forEachImage(g, outputGradient, g.output, inputGradient, g.input, argmax, compute) {
      compute.kernels.max_pool_gradient(&$0)
    }
  }

  /// output = the mean of each window.
  ///
  /// - Parameters:
  ///   - countPadding: Divide by the whole window (PyTorch's default), or by its pixels inside of the image.
  public static func average(
    _ g: PoolingGeometry, countPadding: Bool, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    forEachImage(g, input, g.input, output, g.output, nil, compute) {
      $0.count_padding = countPadding ? 1 : 0
      compute.kernels.average_pool(&$0)
    }
  }

  /// The gradient of `average`: each output's gradient is shared by the pixels of its window.
  public static func averageBackward(
    _ g: PoolingGeometry, countPadding: Bool, outputGradient: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    forEachImage(g, outputGradient, g.output, inputGradient, g.input, nil, compute) {
      $0.count_padding = countPadding ? 1 : 0
      compute.kernels.average_pool_gradient(&$0)
    }
  }

  /// output `[n, c]` = the mean over the pixels of each image.
  public static func globalAverage(
    _ shape: ImageShape, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let width = shape.pixelStride, pixels = shape.h * shape.w
    compute.forEachChunk(shape.n) { image, _ in
      let mean = output + image * width
      compute.kernels.sum_rows(input + image * pixels * width, Int64(pixels), Int64(width), mean)
      compute.kernels.scale(mean, 1 / Float(pixels), mean, Int64(width))
    }
  }

  /// inputGradient = the gradient of its image's mean, divided by the pixels of the image.
  public static func globalAverageBackward(
    _ shape: ImageShape, outputGradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    let width = shape.pixelStride, pixels = shape.h * shape.w
    compute.forEachChunk(shape.n) { image, _ in
      let target = inputGradient + image * pixels * width
      compute.kernels.scale(outputGradient + image * width, 1 / Float(pixels), target, Int64(width))
      for pixel in 1..<max(1, pixels) { (target + pixel * width).update(from: target, count: width) }
    }
  }

  private static func forEachImage(
    _ g: PoolingGeometry, _ source: UnsafePointer<Float>, _ sourceShape: ImageShape,
    _ result: UnsafeMutablePointer<Float>, _ resultShape: ImageShape, _ argmax: UnsafeMutablePointer<Int32>?,
    _ compute: Compute, _ body: (inout nr_pool_job) -> Void
  ) {
    compute.forEachChunk(g.batch) { image, _ in
      var job = nr_pool_job()
      job.input = source + image * (sourceShape.floats / g.batch)
      job.output = result + image * (resultShape.floats / g.batch)
      job.argmax = argmax.map { $0 + image * (g.output.floats / g.batch) }
      (job.height, job.width, job.pixel) = (Int64(g.inputHeight), Int64(g.inputWidth), Int64(g.input.pixelStride))
      (job.output_height, job.output_width) = (Int64(g.outputHeight), Int64(g.outputWidth))
      (job.kernel_height, job.kernel_width) = (Int64(g.kernel.height), Int64(g.kernel.width))
      (job.stride_height, job.stride_width) = (Int64(g.stride.height), Int64(g.stride.width))
      (job.padding_height, job.padding_width) = (Int64(g.padding.height), Int64(g.padding.width))
      (job.dilation_height, job.dilation_width) = (Int64(g.dilation.height), Int64(g.dilation.width))
      body(&job)
    }
  }
}
