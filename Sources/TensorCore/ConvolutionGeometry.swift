import Diagnostics

/// The sizes of a two-dimensional convolution, checked once.
///
/// Input `[batch, inputHeight, inputWidth, inputChannels]`, output `[batch, outputHeight, outputWidth,
/// outputChannels]`, both channel-padded NHWC; weights dense
/// `[kernelHeight][kernelWidth][inputChannels / groups][outputChannels]`.
public struct ConvolutionGeometry: Hashable, Sendable {
  public let batch: Int, inputHeight: Int, inputWidth: Int, inputChannels: Int, outputChannels: Int
  public let kernel: Extent, stride: Extent, padding: Extent, dilation: Extent
  public let groups: Int
  public let outputHeight: Int, outputWidth: Int

  /// Checks the sizes and infers the output's.
  ///
  /// - Parameters:
  ///   - kernel: Height and width of the window.
  ///   - stride: Input pixels from an output pixel to the next; it may exceed the kernel.
  ///   - padding: Zero pixels added at both ends of each axis.
  ///   - dilation: Input pixels from a tap to the next.
  ///   - groups: Each output channel sees the input channels of its group only; it divides both channel counts.
  /// - Throws: A `recipe` fault for sizes below 1, negative padding, groups that don't divide the channels, or a window
  ///   larger than the padded input.
  public init(
    batch: Int, inputHeight: Int, inputWidth: Int, inputChannels: Int, outputChannels: Int, kernel: Extent,
    stride: Extent = Extent(1), padding: Extent = Extent(0), dilation: Extent = Extent(1), groups: Int = 1
  ) throws {
    try requirePositive([
      ("batch", batch), ("height", inputHeight), ("width", inputWidth), ("input channels", inputChannels),
      ("output channels", outputChannels), ("groups", groups),
    ])
    guard inputChannels % groups == 0, outputChannels % groups == 0 else {
      throw Fault(
        .recipe, "groups don't divide the channels", expected: "a divisor of \(inputChannels) and \(outputChannels)",
        got: "groups = \(groups)")
    }
    self.batch = batch
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    (outputHeight, outputWidth) = try windowPositions(
      height: inputHeight, width: inputWidth, kernel: kernel, stride: stride, padding: padding, dilation: dilation)
  }

  /// `[batch, inputHeight, inputWidth, inputChannels]`.
  public var input: ImageShape { ImageShape(n: batch, h: inputHeight, w: inputWidth, c: inputChannels) }
  /// `[batch, outputHeight, outputWidth, outputChannels]`.
  public var output: ImageShape { ImageShape(n: batch, h: outputHeight, w: outputWidth, c: outputChannels) }
  /// Floats in the dense weights.
  public var weightCount: Int { kernel.height * kernel.width * inputsPerGroup * outputChannels }
  /// Multiply-adds of one forward pass over the batch.
  public var multiplyAdds: Int { batch * outputHeight * outputWidth * weightCount }

  var inputsPerGroup: Int { inputChannels / groups }
  var outputsPerGroup: Int { outputChannels / groups }
  var tapCount: Int { kernel.height * kernel.width }
  /// Each channel on its own.
  var isDepthwise: Bool { groups == inputChannels && groups == outputChannels && groups > 1 }
  /// Each pixel on its own, all channels together: a matrix product.
  var isPointwise: Bool {
    kernel == Extent(1) && stride == Extent(1) && padding == Extent(0) && groups == 1
  }
}

/// How many positions a window has on each axis of a padded image: `(size + 2 padding - span) / stride + 1`.
func windowPositions(
  height: Int, width: Int, kernel: Extent, stride: Extent, padding: Extent, dilation: Extent
) throws -> (height: Int, width: Int) {
  try requirePositive([
    ("kernel height", kernel.height), ("kernel width", kernel.width), ("stride height", stride.height),
    ("stride width", stride.width), ("dilation height", dilation.height), ("dilation width", dilation.width),
  ])
  guard padding.height >= 0, padding.width >= 0 else {
    throw Fault(
      .recipe, "padding is negative", expected: "0 or more", got: "\(padding.height), \(padding.width)")
  }
  let spanHeight = (kernel.height - 1) * dilation.height + 1, spanWidth = (kernel.width - 1) * dilation.width + 1
  let roomHeight = height + 2 * padding.height - spanHeight, roomWidth = width + 2 * padding.width - spanWidth
  guard roomHeight >= 0, roomWidth >= 0 else {
    throw Fault(
      .recipe, "the window is larger than the padded image",
      expected: "at most \(height + 2 * padding.height)×\(width + 2 * padding.width)",
      got: "\(spanHeight)×\(spanWidth)", hint: "Use a smaller kernel or dilation, or more padding.")
  }
  return (roomHeight / stride.height + 1, roomWidth / stride.width + 1)
}

/// Throws a `recipe` fault that names the first size below 1.
func requirePositive(_ sizes: [(name: String, value: Int)]) throws {
  for size in sizes where size.value < 1 {
    throw Fault(.recipe, "\(size.name) is too small", expected: "1 or more", got: "\(size.value)")
  }
}
