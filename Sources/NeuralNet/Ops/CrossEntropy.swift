import Canonical
import Diagnostics
import TensorCore

extension Op {
  /// Mean cross-entropy of the softmax of logits `[N, …, classes]`, with label smoothing `s` (Szegedy et al. 2016).
  ///
  /// The target is a label from 1 for each row, `[N, …]`, or a distribution over the classes, `[N, …, classes]`; smoothed,
  /// `1 − s` times that and `s / classes` for every class. A class without weight in the target adds nothing, also when
  /// its logit is −∞, as a masked action has it.
  static let crossEntropy: Op = Op(
    "cross_entropy", "Mean cross-entropy of logits and labels from 1, or probabilities.", arity: .exactly(2),
    attributes: smoothingAttributes, paddingLanes: .none,
    infer: { use in
      let logits = use.input.shape, target = use.inputs[1].shape
      guard logits.hasBatch, !logits.dimensions.isEmpty else {
        throw use.fault("wrong input shape", expected: "logits [N, …, classes]", got: "\(logits)")
      }
      let labels = Shape.activation(logits.dimensions.dropLast())
      guard target == labels || target == logits else {
        throw use.fault(
          "the target doesn't fit", expected: "labels \(labels) or probabilities \(logits)", got: "\(target)")
      }
      return [ValueType(.array([]))]
    },
    expansion: { site in
      let logits = site.inputs[0], target = site.inputs[1]
      if target.shape == logits.shape { return [try site.crossEntropy(logits, probabilities: target)] }
      let classes = Attributes(["classes": .int(logits.shape.channels)])
      let labels = try site.apply(.toLabels, [target], classes)[0]
      return try site.apply(.labelCrossEntropy, [logits, labels], site.attributes)
    })

  private static let smoothingAttributes = [
    AttributeSchema("label_smoothing", .number(0...1), standard: 0, "weight of the uniform distribution")
  ]

  /// Labels that count from 1 as int32 labels that count from 0.
  static let toLabels: Op = Op(
    "to_labels", "Labels from 1 as whole numbers from 0.", role: .derived, paddingLanes: .cleared,
    infer: { [ValueType($0.input.shape, .int32)] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), classes = site.attributes.integer("classes")
      let axis = IndexedAxis(extent: classes, stride: 1), count = site.elements(site.outputs[0])
      return Kernel { call in
        call.integerOutput(0).update(repeating: 0, count: count)
        for row in 0..<grid.rows {
          for channel in 0..<grid.channels {
            let index = row * grid.stride + channel, label = call.input(0)[index]
            guard let position = axis.offset(of: label) else {
              throw Fault(
                .data, "label \(row * grid.channels + channel + 1) of the batch is out of range",
                expected: "a whole number from 1 to \(classes)", got: IndexedAxis.text(of: label))
            }
            call.integerOutput(0)[index] = Int32(position)
          }
        }
      }
    }, gradient: { _ in [nil] }, onnx: ONNXMapping("Cast") { site in site.plain(site.positions(site.plain(0))) })

  /// Mean cross-entropy of logits `[N, …, classes]` against int32 labels from 0, `[N, …]`, with label smoothing: what a
  /// training minimises, and `cross_entropy` of labels.
  static let labelCrossEntropy: Op = Op(
    "label_cross_entropy", "Mean cross-entropy with label smoothing.", role: .derived, arity: .exactly(2),
    attributes: smoothingAttributes, paddingLanes: .none, infer: { _ in [ValueType(.array([]))] },
    kernel: { site in
      let loss = LabelLoss(site), gradientFloats = site.elements(site.inputs[0]), rows = loss.rows
      return Kernel(scratchFloats: gradientFloats + loss.scratchFloats) { call in
        let losses = call.scratch.advanced(by: gradientFloats)
        try loss.run(call, gradientScale: 0, losses: losses, gradient: call.scratch)
        var sum = 0.0
        for row in 0..<rows { sum += Double(losses[row]) }
        call.output(0)[0] = Float(sum / Double(rows))
      }
    },
    gradient: { site in
      [try site.apply(.crossEntropyGradient, site.inputs + [site.outputGradient], site.attributes)[0], nil]
    }, onnx: .labelCrossEntropy)

  /// The gradient of the mean cross-entropy: logits, labels, `dloss` -> `dlogits`, `(softmax − target) · dloss / rows`.
  static let crossEntropyGradient: Op = Op(
    "cross_entropy_gradient", "Gradient of the mean cross-entropy.", role: .derived, arity: .exactly(3),
    paddingLanes: .cleared, infer: { [$0.input] },
    kernel: { site in
      let loss = LabelLoss(site)
      return Kernel(scratchFloats: loss.scratchFloats) { call in
        let scale = call.input(2)[0] / Float(loss.rows), losses = call.scratch
        try loss.run(call, gradientScale: scale, losses: losses, gradient: call.output(0))
      }
    },
    gradient: { site in
      let logits = site.inputs[0], labels = site.inputs[1], loss = site.inputs[2], incoming = site.outputGradient
      let unit = try site.apply(.constant, [], Attributes(["value": 1, "dimensions": []]))[0]
      let averaged = Attributes(["averaged": true])
      let probabilities = try site.apply(.softmaxRows, [logits])[0]
      let curved = try site.apply(.softmaxGradient, [probabilities, incoming])[0]
      let first = try site.apply(.crossEntropyGradient, [logits, labels, unit], site.attributes)[0]
      let rowsPerSample = logits.shape.rows(batch: 1)
      let share = rowsPerSample == 1 ? curved : try site.scale(curved, 1 / Double(rowsPerSample))
      return [
        try site.apply(.scalarMultiply, [share, loss], averaged, for: 0), nil,
        try site.apply(.dot, [incoming, first], for: 2),
      ]
    })
}

/// The loss of rows of logits and their labels, the first two inputs, with what is fixed about it.
private struct LabelLoss {
  let rows: Int
  private let classes: Int, labelStride: Int, labelsPerRow: Int, smoothing: Float, compute: Compute

  init(_ site: KernelSite) {
    let labels = site.inputs[1].shape
    rows = site.rows(site.inputs[0])
    classes = site.inputs[0].shape.channels
    (labelStride, labelsPerRow) = (labels.rowStride, labels.channels)
    smoothing = Float(site.attributes.number("label_smoothing"))
    compute = site.compute
  }

  /// For the losses, and for the labels without the lanes between them.
  var scratchFloats: Int { 2 * rows }

  func run(
    _ call: KernelArguments, gradientScale: Float, losses: UnsafeMutablePointer<Float>,
    gradient: UnsafeMutablePointer<Float>
  ) throws {
    try losses.advanced(by: rows).withMemoryRebound(to: Int32.self, capacity: rows) { labels in
      for row in 0..<rows {
        labels[row] = call.integers(1)[row / labelsPerRow * labelStride + row % labelsPerRow]
      }
      try Softmax.crossEntropy(
        rows: rows, classes: classes, logits: call.input(0), labels: labels, labelSmoothing: smoothing,
        gradientScale: gradientScale, losses: losses, gradient: gradient, compute: compute)
    }
  }
}

extension ExpansionSite {
  /// The mean cross-entropy of distributions over the classes, smoothed.
  fileprivate func crossEntropy(_ logits: Symbol, probabilities: Symbol) throws -> Symbol {
    let smoothing = attributes.number("label_smoothing"), classes = Double(logits.shape.channels)
    let target =
      smoothing == 0 ? probabilities : try scale(probabilities, 1 - smoothing, shift: smoothing / classes)
    let logarithms = try apply(.logSoftmaxRows, [logits])[0]
    let sum = try batchAveragedDot(target, try zeroing(logarithms, where: target))
    return try scale(sum, -1 / Double(logits.shape.rows(batch: 1)))
  }
}

extension ONNXMapping {
  /// Labels as smoothed distributions; a class without weight adds nothing.
  fileprivate static let labelCrossEntropy = ONNXMapping("LogSoftmax") { site in
    let classes = site.shape(0).channels, smoothing = site.attributes.number("label_smoothing")
    let rest = Float(smoothing / Double(classes)), depth = site.integers([classes], "classes")
    let weights = site.floats([rest, Float(1 - smoothing) + rest], "weights")
    let target = site.add("OneHot", [site.plain(1), depth, weights], ["axis": -1])
    let zero = site.number(0, "zero"), isOut = site.add("Equal", [target, zero])
    let logarithms = site.add("Where", [isOut, zero, site.add("LogSoftmax", [site.plain(0)], ["axis": -1])])
    let products = site.add("Mul", [target, logarithms])
    let sums = site.add("ReduceSum", [products, site.integers([-1], "axes")], ["keepdims": 0])
    return site.plain(site.add("Neg", [site.add("ReduceMean", [sums], ["keepdims": 0])]))
  }
}
