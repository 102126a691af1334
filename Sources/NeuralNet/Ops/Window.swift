import Canonical
import TensorCore

/// The window that a convolution or a pooling slides over an image.
struct Window {
  let kernel: Extent
  let stride: Extent
  let padding: Extent
  let dilation: Extent

  /// Reads the attributes `kernel`, `stride`, `padding` and, where there is one, `dilation`.
  init(_ attributes: Attributes) {
    kernel = attributes.pair("kernel")
    stride = attributes.pair("stride")
    padding = attributes.pair("padding")
    dilation = attributes["dilation"] == nil ? Extent(height: 1, width: 1) : attributes.pair("dilation")
  }

  /// The kernel's extent with its gaps.
  var extent: Extent {
    let height = dilation.height * (kernel.height - 1) + 1
    return Extent(height: height, width: dilation.width * (kernel.width - 1) + 1)
  }

  /// The size of the output: `⌊(size + 2·padding − extent) / stride⌋ + 1`, at least 1.
  func outputSize(_ use: OpUse) throws -> Extent {
    let input = use.input.shape
    let height = input.height + 2 * padding.height - extent.height
    let width = input.width + 2 * padding.width - extent.width
    guard height >= 0, width >= 0 else {
      throw use.fault(
        "the kernel is larger than the padded input",
        expected: "at least \(extent.height) × \(extent.width)",
        got: "\(input.height + 2 * padding.height) × \(input.width + 2 * padding.width)")
    }
    return Extent(height: height / stride.height + 1, width: width / stride.width + 1)
  }

  /// Attributes with `"same"` padding resolved to half the extent, and an absent stride to the kernel.
  static func resolvingPadding(_ use: OpUse) throws -> Attributes {
    var attributes = use.attributes
    if attributes["stride"] == .array([]) { attributes = attributes.setting("stride", attributes["kernel"] ?? 1) }
    guard attributes["padding"] == "same" else { return attributes }
    let extent = Window(attributes).extent
    guard extent.height % 2 == 1, extent.width % 2 == 1 else {
      throw use.fault(
        "\"same\" padding needs an odd kernel", got: "\(extent.height) × \(extent.width)",
        hint: "Give padding as a number.")
    }
    return attributes.setting("padding", Extent(height: extent.height / 2, width: extent.width / 2).json)
  }

  /// The attributes that ONNX's `Conv`, `MaxPool` and `AveragePool` share.
  static func onnx(_ attributes: Attributes) -> [String: JSONValue] {
    let window = Window(attributes)
    let padding = window.padding
    return [
      "kernel_shape": window.kernel.json, "strides": window.stride.json, "dilations": window.dilation.json,
      "pads": .array([padding.height, padding.width, padding.height, padding.width].map { .int($0) }),
    ]
  }
}
