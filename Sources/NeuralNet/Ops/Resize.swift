import Canonical
import TensorCore

extension Op {
  /// Images at another height and width, as PyTorch's `interpolate` makes them (without antialiasing): either both sizes
  /// are given, or a factor `scale`, and the size is `⌊size · scale⌋`.
  static let resize: Op = Op(
    "resize", "Images at another height and width.",
    attributes: [
      AttributeSchema("height", .integer(0...largestExtent), standard: 0, "rows of the result"),
      AttributeSchema("width", .integer(0...largestExtent), standard: 0, "columns of the result"),
      AttributeSchema("scale", .number(0...1024), standard: 0, "factor of both, in place of height and width"),
      AttributeSchema(
        "method", .text(AxisSampling.Method.allCases.map(\.rawValue)), standard: "nearest", "between pixels"),
      AttributeSchema(
        "align_corners", .boolean, standard: false, "bilinear: the corner pixels' centres stay, not the image's edges"),
    ],
    paddingLanes: .carried, resolve: resolveSize,
    infer: { use in
      let attributes = use.attributes
      return [
        ValueType(.image(attributes.integer("height"), attributes.integer("width"), try use.image().channels))
      ]
    },
    kernel: { site in
      let resizing = resizing(site, from: site.inputs[0], to: site.outputs[0]), compute = site.compute
      return Kernel { call in resizing.resize(call.input(0), result: call.output(0), compute: compute) }
    },
    gradient: { site in
      let shape = site.inputs[0].shape
      let size = site.attributes.setting("from", [.int(shape.height), .int(shape.width)])
      return try site.apply(.resizeGradient, [site.outputGradient], size)
    },
    onnx: ONNXMapping("Resize") { attributes in
      let isNearest = attributes["method"] == "nearest"
      let edges: JSONValue = attributes.boolean("align_corners") ? "align_corners" : "half_pixel"
      return [
        "mode": isNearest ? "nearest" : "linear", "nearest_mode": "floor",
        "coordinate_transformation_mode": isNearest ? "asymmetric" : edges,
      ]
    })

  /// The gradient of `resize`: `dy` -> `dx` of the size `from`.
  static let resizeGradient: Op = Op(
    "resize_gradient", "Gradient of resized images.", role: .derived, paddingLanes: .carried,
    infer: { use in
      let size = use.attributes.pair("from")
      return [ValueType(.image(size.height, size.width, try use.image().channels))]
    },
    kernel: { site in
      let resizing = resizing(site, from: site.outputs[0], to: site.inputs[0]), compute = site.compute
      return Kernel { call in resizing.gradient(call.input(0), gradient: call.output(0), compute: compute) }
    },
    gradient: { site in try site.apply(.resize, [site.outputGradient], site.attributes) })

  private static func resizing(_ site: KernelSite, from: ValueType, to: ValueType) -> Resizing {
    let method = AxisSampling.Method(rawValue: site.attributes["method"]?.string ?? "") ?? .nearest
    let scale = site.attributes.number("scale"), alignsCorners = site.attributes.boolean("align_corners")
    func sampling(_ extent: Int, _ count: Int) -> AxisSampling {
      let step = scale > 0 ? 1 / scale : Double(extent) / Double(count)
      return AxisSampling(method, extent: extent, count: count, step: step, alignsCorners: alignsCorners)
    }
    return Resizing(
      from: site.image(from), to: site.image(to), rows: sampling(from.shape.height, to.shape.height),
      columns: sampling(from.shape.width, to.shape.width), method: method)
  }

  /// Height and width from the factor, where that is what was given.
  private static func resolveSize(_ use: OpUse) throws -> Attributes {
    let shape = try use.image(), scale = use.attributes.number("scale")
    let given = Extent(height: use.attributes.integer("height"), width: use.attributes.integer("width"))
    let scaled = Extent(height: Int(Double(shape.height) * scale), width: Int(Double(shape.width) * scale))
    let size = scale > 0 ? scaled : given
    guard size.height > 0, size.width > 0, given == size || (scale > 0 && given == Extent(0)) else {
      throw use.fault(
        "wrong size", expected: "height and width from 1, or a scale that leaves pixels",
        got: "height \(given.height), width \(given.width), scale \(JSONValue.number(scale).text())")
    }
    guard max(size.height, size.width) <= largestExtent else {
      throw use.fault(
        "the image is too large", expected: "at most \(largestExtent)", got: "\(max(size.height, size.width))")
    }
    if use.attributes.boolean("align_corners"), use.attributes["method"] == "nearest" {
      throw use.fault("align_corners is for bilinear", hint: "Give method = \"bilinear\" too.")
    }
    return use.attributes.setting("height", .int(size.height)).setting("width", .int(size.width))
  }
}
