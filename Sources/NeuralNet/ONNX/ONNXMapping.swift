import Canonical

/// How an op is written in ONNX (opset 17).
public struct ONNXMapping: Sendable {
  /// The operator that does the work; others may stand around it.
  public let type: String
  let write: @Sendable (ONNXSite) throws -> ONNXValue

  /// Writes an op as several operators, or as one whose inputs aren't simply the op's.
  init(_ type: String, write: @escaping @Sendable (ONNXSite) throws -> ONNXValue) {
    self.type = type
    self.write = write
  }

  /// One operator that works on each element, of all inputs in one layout.
  init(_ type: String) {
    self.init(type) { site in
      let (names, axes) = site.together()
      return ONNXValue(site.add(type, names), axes)
    }
  }
}

/// A tensor of the ONNX graph that stands for a value of the network.
struct ONNXValue {
  let name: String
  /// The value's axes, from 0, in the order of the tensor's.
  let axes: [Int]

  init(_ name: String, _ axes: [Int]) {
    self.name = name
    self.axes = axes
  }

  /// The axes of `[N, C, H, W]` among those of `[N, H, W, C]`.
  static let channelsFirst = [0, 3, 1, 2]
}
