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
    onnx: .resize)

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
    let (rows, columns) = samplings(site.attributes, from: from.shape, to: to.shape)
    return Resizing(
      from: site.image(from), to: site.image(to), rows: rows, columns: columns, method: method(site.attributes))
  }

  private static func method(_ attributes: Attributes) -> AxisSampling.Method {
    AxisSampling.Method(rawValue: attributes["method"]?.string ?? "") ?? .nearest
  }

  /// Where the rows and columns of the result come from.
  fileprivate static func samplings(
    _ attributes: Attributes, from: Shape, to: Shape
  ) -> (rows: AxisSampling, columns: AxisSampling) {
    let scale = attributes.number("scale"), alignsCorners = attributes.boolean("align_corners")
    func sampling(_ extent: Int, _ count: Int) -> AxisSampling {
      let step = scale > 0 ? 1 / scale : Double(extent) / Double(count)
      return AxisSampling(method(attributes), extent: extent, count: count, step: step, alignsCorners: alignsCorners)
    }
    return (sampling(from.height, to.height), sampling(from.width, to.width))
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

extension ONNXMapping {
  fileprivate static let resize = ONNXMapping("Resize") { site in
    let from = site.shape(0), to = site.output.shape, given = site.attributes.number("scale")
    let isNearest = site.attributes["method"] == "nearest"
    // The nearest pixel is a matter of rounding unless sizes are multiples, and programs differ in it; and `Resize` takes
    // an equal size for a sign that nothing is to be done, whatever the factor.
    let isMultiple = to.height % from.height == 0 && to.width % from.width == 0
    if isNearest ? !isMultiple : from == to { return site.image(site.sampled(copying: isNearest)) }
    let edges = site.attributes.boolean("align_corners") ? "align_corners" : "half_pixel"
    let scales = [(from.height, to.height), (from.width, to.width)].map { factor(given, from: $0, to: $1) }
    return site.image(
      site.add(
        "Resize", [site.image(0), "", site.floats([1, 1] + scales, "scales")],
        [
          "mode": isNearest ? "nearest" : "linear", "nearest_mode": "floor",
          "coordinate_transformation_mode": .string(isNearest ? "asymmetric" : edges),
        ]))
  }

  /// The factor in single precision, whose product with the extent isn't below the size by rounding.
  private static func factor(_ given: Double, from extent: Int, to count: Int) -> Float {
    let factor = Float(given > 0 ? given : Double(count) / Double(extent))
    return Double(extent) * Double(factor) < Double(count) ? factor.nextUp : factor
  }
}

extension ONNXSite {
  /// The resized image from where its pixels come from: rows and columns by their positions, or as matrix products.
  fileprivate func sampled(copying: Bool) -> String {
    let from = shape(0)
    let (rows, columns) = Op.samplings(attributes, from: from, to: output.shape)
    if copying {
      let upper = add("Gather", [image(0), integers(rows.taps.map(\.low), "rows")], ["axis": 2])
      return add("Gather", [upper, integers(columns.taps.map(\.low), "columns")], ["axis": 3])
    }
    let left = floats(weights(of: rows, from.height, .rows), "rows", shape: [rows.taps.count, from.height])
    let right = floats(weights(of: columns, from.width, .columns), "columns", shape: [from.width, columns.taps.count])
    return add("MatMul", [add("MatMul", [left, image(0)]), right])
  }

  private enum Order { case rows, columns }

  /// The weights of an axis's taps as a matrix, one row or one column for each element of the result.
  private func weights(of sampling: AxisSampling, _ extent: Int, _ order: Order) -> [Float] {
    let count = sampling.taps.count
    var weights = [Float](repeating: 0, count: count * extent)
    for (index, tap) in sampling.taps.enumerated() {
      for (element, weight) in [(tap.low, 1 - tap.weight), (tap.high, tap.weight)] {
        weights[order == .rows ? index * extent + element : element * count + index] += weight
      }
    }
    return weights
  }
}
