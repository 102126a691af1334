import Canonical
import TensorCore

extension Op {
  /// Mean cross-entropy of `[N, classes]` logits against int32 labels `[N]`, with label smoothing (Szegedy et al. 2016):
  /// the target is `1 − s + s / classes` for the label and `s / classes` for the other classes.
  static let crossEntropy: Op = Op(
    "cross_entropy", "Mean cross-entropy with label smoothing.", role: .derived, arity: .exactly(2),
    attributes: [
      AttributeSchema("label_smoothing", .number(0...1), standard: 0, "weight of the uniform distribution")
    ],
    paddingLanes: .none,
    infer: { use in
      _ = try use.vector(hint: "A classifier's output is [N, classes].")
      return [ValueType(.array([]))]
    },
    kernel: { site in
      let batch = site.batch, classes = site.inputs[0].shape.channels, compute = site.compute
      let smoothing = Float(site.attributes.number("label_smoothing"))
      let gradientFloats = site.elements(site.inputs[0])
      return Kernel(scratchFloats: gradientFloats + batch) { call in
        let losses = call.scratch.advanced(by: gradientFloats)
        try Softmax.crossEntropy(
          rows: batch, classes: classes, logits: call.input(0), labels: call.integers(1), labelSmoothing: smoothing,
          gradientScale: 0, losses: losses, gradient: call.scratch, compute: compute)
        var sum = 0.0
        for sample in 0..<batch { sum += Double(losses[sample]) }
        call.output(0)[0] = Float(sum / Double(batch))
      }
    },
    gradient: { site in
      [try site.apply(.crossEntropyGradient, site.inputs + [site.outputGradient], site.attributes)[0], nil]
    })

  /// The gradient of the mean cross-entropy: logits, labels, `dloss` -> `dlogits`, `(softmax − target) · dloss / N`.
  static let crossEntropyGradient: Op = Op(
    "cross_entropy_gradient", "Gradient of the mean cross-entropy.", role: .derived, arity: .exactly(3),
    paddingLanes: .cleared, infer: { [$0.input] },
    kernel: { site in
      let batch = site.batch, classes = site.inputs[0].shape.channels, compute = site.compute
      let smoothing = Float(site.attributes.number("label_smoothing"))
      return Kernel(scratchFloats: batch) { call in
        try Softmax.crossEntropy(
          rows: batch, classes: classes, logits: call.input(0), labels: call.integers(1), labelSmoothing: smoothing,
          gradientScale: call.input(2)[0] / Float(batch), losses: call.scratch, gradient: call.output(0),
          compute: compute)
      }
    },
    gradient: { site in
      let logits = site.inputs[0], labels = site.inputs[1], loss = site.inputs[2], incoming = site.outputGradient
      let unit = try site.apply(.constant, [], Attributes(["value": 1, "dimensions": []]))[0]
      let averaged = Attributes(["averaged": true])
      let probabilities = try site.apply(.softmaxRows, [logits])[0]
      let curved = try site.apply(.softmaxGradient, [probabilities, incoming])[0]
      let first = try site.apply(.crossEntropyGradient, [logits, labels, unit], site.attributes)[0]
      return [
        try site.apply(.scalarMultiply, [curved, loss], averaged, for: 0), nil,
        try site.apply(.dot, [incoming, first], for: 2),
      ]
    })
}
