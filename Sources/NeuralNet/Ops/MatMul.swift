import Canonical
import TensorCore

extension Op {
  /// Matrix products over the last two axes, `[…, M, K] · […, K, P] -> […, M, P]`: one for each of the leading axes, or
  /// all with one matrix `[K, P]`.
  ///
  static let matmul: Op = Op(
    "matmul", "Matrix products over the last two axes.", arity: .exactly(2),
    attributes: [
      AttributeSchema("transpose_a", .boolean, standard: false, "take the first matrix transposed"),
      AttributeSchema("transpose_b", .boolean, standard: false, "take the second matrix transposed"),
    ],
    paddingLanes: .cleared, infer: { [ValueType(try product($0))] },
    macs: { inputs, outputs, attributes in
      let extents = inputs[0].shape.symbolic.suffix(2).map { $0 ?? 1 }
      let depth = attributes.boolean("transpose_a") ? extents[0] : extents[1]
      return outputs[0].shape.elementsPerSample * depth
    },
    kernel: { site in
      let products = MatrixProducts(site), compute = site.compute
      return Kernel(scratchFloats: products.scratchFloats(threads: compute.threads)) { call in
        products.run(call.input(0), call.input(1), call.output(0), scratch: call.scratch, compute: compute)
      }
    },
    gradient: { site in
      let (a, b, dy) = (site.inputs[0], site.inputs[1], site.outputGradient)
      let ta = site.attributes.boolean("transpose_a"), tb = site.attributes.boolean("transpose_b")
      let da =
        try ta ? product(site, b, dy, tb, true) : product(site, dy, b, false, !tb)
      guard site.isWanted[1] else { return [da, nil] }
      let db = try tb ? product(site, dy, a, true, ta) : product(site, a, dy, !ta, false)
      return [da, try site.reduced(db, to: b)]
    },
    onnx: ONNXMapping("MatMul") { site in
      let factors = ["transpose_a", "transpose_b"].enumerated().map { input, option in
        var axes = Array(0..<site.shape(input).rank)
        if site.attributes.boolean(option) { axes.swapAt(axes.count - 1, axes.count - 2) }
        return site.permuted(input, axes)
      }
      return site.plain(site.add("MatMul", factors))
    })

  private static func product(
    _ site: GradientSite, _ a: Symbol, _ b: Symbol, _ transposeA: Bool, _ transposeB: Bool
  ) throws -> Symbol {
    try site.apply(
      .matmul, [a, b], Attributes(["transpose_a": .bool(transposeA), "transpose_b": .bool(transposeB)]))[0]
  }

  private static func product(_ use: OpUse) throws -> Shape {
    var a = use.inputs[0].shape.symbolic, b = use.inputs[1].shape.symbolic
    let given = "\(use.inputs[0].shape) and \(use.inputs[1].shape)"
    guard a.count >= 2, b.count >= 2 else {
      throw use.fault("matrices have two axes or more", expected: "[…, M, K] and […, K, P]", got: given)
    }
    if use.attributes.boolean("transpose_a") { a.swapAt(a.count - 1, a.count - 2) }
    if use.attributes.boolean("transpose_b") { b.swapAt(b.count - 1, b.count - 2) }
    let leading = Array(a.dropLast(2)), others = Array(b.dropLast(2))
    guard a[a.count - 1] == b[b.count - 2], others.isEmpty || others == leading,
      let shape = Shape(symbolic: leading + [a[a.count - 2], b[b.count - 1]])
    else {
      throw use.fault(
        "the matrices don't fit", expected: "[…, M, K] and […, K, P] with the same leading axes, or [K, P]",
        got: given)
    }
    return shape
  }
}

/// Where the matrices of a batched product lie.
private struct MatrixProducts {
  private let product: MatrixProduct
  private let leftRow: Int, rightRow: Int, resultRow: Int
  /// Offsets of the matrices of each product.
  private let places: [(left: Int, right: Int, result: Int)]

  init(_ site: KernelSite) {
    let transposes = (site.attributes.boolean("transpose_a"), site.attributes.boolean("transpose_b"))
    let shapes = [site.inputs[0].shape, site.inputs[1].shape, site.outputs[0].shape]
    let layouts = shapes.map { $0.layout(batch: site.batch) }
    let rank = layouts.map(\.dimensions.count), result = layouts[2].dimensions
    product = MatrixProduct(
      rows: result[rank[2] - 2], columns: result[rank[2] - 1],
      depth: layouts[0].dimensions[rank[0] - (transposes.0 ? 2 : 1)], transposesLeft: transposes.0,
      transposesRight: transposes.1)
    let rows = zip(layouts, rank).map { $0.strides[$1 - 2] }
    (leftRow, rightRow, resultRow) = (rows[0], rows[1], rows[2])
    let leading = Array(result.dropLast(2)), isShared = rank[1] == 2 && rank[0] > 2
    var places: [(left: Int, right: Int, result: Int)] = [], index = [Int](repeating: 0, count: leading.count)
    for _ in 0..<leading.reduce(1, *) {
      places.append(
        (
          layouts[0].block(leading).offset(of: index), isShared ? 0 : layouts[1].block(leading).offset(of: index),
          layouts[2].block(leading).offset(of: index)
        ))
      for axis in index.indices.reversed() {
        index[axis] += 1
        if index[axis] < leading[axis] { break }
        index[axis] = 0
      }
    }
    self.places = places
  }

  func scratchFloats(threads: Int) -> Int { threads * product.scratchFloats }

  /// The products one after the other, in as many parts as there are threads: none depends on another.
  func run(
    _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    places.withUnsafeBufferPointer { places in
      let parts = min(compute.threads, places.count)
      compute.forEachChunk(parts) { part, worker in
        var packed = -1
        for place in places[places.count * part / parts..<places.count * (part + 1) / parts] {
          product.run(
            MatrixProduct.Operands(
              left: left + place.left, leftRow: leftRow, right: right + place.right, rightRow: rightRow,
              result: result + place.result, resultRow: resultRow),
            packed: place.right == packed, scratch: scratch + worker * product.scratchFloats, compute: compute)
          packed = place.right
        }
      }
    }
  }
}
