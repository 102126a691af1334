import Canonical
import TensorCore

extension Op {
  /// What the poolings over a window have in common.
  static let poolingAttributes = [
    AttributeSchema("kernel", .pair(1...1024), "size of the window"),
    AttributeSchema("stride", .stride, standard: [], "step between outputs; the kernel when absent"),
    AttributeSchema("padding", .padding, standard: 0, "rows and columns added on each side"),
  ]

  /// The shape that a pooling gives.
  static func pooledShape(_ use: OpUse) throws -> Shape {
    let input = try use.image(), window = Window(use.attributes)
    guard window.padding.height * 2 <= window.kernel.height, window.padding.width * 2 <= window.kernel.width else {
      throw use.fault(
        "the padding is more than half the kernel", expected: "at most half of \(use.attributes["kernel"] ?? 0)",
        got: "\(use.attributes["padding"] ?? 0)")
    }
    let size = try window.outputSize(use)
    return .image(size.height, size.width, input.channels)
  }

  /// The input of a pooling, from its gradient.
  static func pooledInput(_ use: OpUse) -> ValueType {
    let size = use.attributes.pair("input")
    return ValueType(.image(size.height, size.width, use.input.shape.channels))
  }

  /// The sizes that a pooling and its gradient share.
  static func poolingGeometry(_ site: KernelSite, input: ValueType) throws -> PoolingGeometry {
    let window = Window(site.attributes)
    return try PoolingGeometry(
      batch: site.batch, inputHeight: input.shape.height, inputWidth: input.shape.width,
      channels: input.shape.channels, kernel: window.kernel, stride: window.stride, padding: window.padding)
  }
}

extension GradientSite {
  /// The node's attributes with its input's height and width as `input`.
  var settingInputSize: Attributes {
    attributes.setting("input", Extent(height: inputs[0].shape.height, width: inputs[0].shape.width).json)
  }
}
