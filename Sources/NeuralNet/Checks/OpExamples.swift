import Canonical

/// The examples that every op of the table is checked on.
enum OpExamples {
  static let all: [OpExample] =
    images + vectors + elementwise + pairs + reductions + rearranging + indices + random + derived

  /// What works on `[N, H, W, C]`.
  private static let images: [OpExample] = [
    OpExample(.conv2d, [.batch([5, 4, 3])], ["channels": 5, "kernel": 3, "bias": true]),
    OpExample(.conv2d, [.batch([4, 5, 4])], ["channels": 6, "kernel": [1, 3], "stride": 2, "groups": 2]),
    OpExample(.conv2d, [.batch([5, 4, 3])], ["channels": 3, "kernel": 3, "groups": 3, "dilation": 2]),
    OpExample(.batchNorm, [.batch([3, 2, 5])]), OpExample(.batchNorm, [.batch([4])], ["affine": false]),
    OpExample(.batchNorm, [.batch([3, 2, 5])], mode: .inference),
    OpExample(.maxPool, [.batch([5, 4, 3])], ["kernel": 3, "stride": 2, "padding": 1]),
    OpExample(.avgPool, [.batch([5, 4, 3])], ["kernel": 3, "stride": 1, "padding": 1]),
    OpExample(.avgPool, [.batch([5, 4, 3])], ["kernel": 3, "stride": 2, "padding": 1, "count_padding": false]),
    OpExample(.globalAvgPool, [.batch([3, 2, 5])]), OpExample(.zero, [.batch([3, 4, 5])], ["stride": 2]),
    OpExample(.resize, [.batch([3, 2, 5])], ["height": 5, "width": 3]),
    OpExample(.resize, [.batch([4, 3, 2])], ["scale": 1.5, "method": "bilinear"]),
    OpExample(.channelGate, [.batch([3, 2, 5]), .batch([5])]),
  ]

  /// What works on rows.
  private static let vectors: [OpExample] = [
    OpExample(.linear, [.batch([5])], ["features": 4]),
    OpExample(.linear, [.batch([17])], ["features": 3, "bias": false]),
    OpExample(.flatten, [.batch([2, 3, 5])]), OpExample(.softmax, [.batch([2, 5])]),
    OpExample(.softmax, [.array([3, 4])]),
    OpExample(.softmax, [.batch([2, 5])], ["axis": 2]), OpExample(.logSoftmax, [.batch([2, 5])]),
    OpExample(.logSoftmax, [.array([3, 4])], ["axis": 1]), OpExample(.layerNorm, [.batch([2, 5])]),
    OpExample(.layerNorm, [.batch([5])], ["affine": false]), OpExample(.meanSquaredError, [.batch([5]), .batch([5])]),
    OpExample(.meanSquaredError, [.array([4, 3]), .array([4, 3])]),
    OpExample(.binaryCrossEntropy, [.batch([5]), .batch([5], in: 0...1)]),
    OpExample(.binaryCrossEntropy, [.array([4, 3]), .array([4, 3], in: 0...1)]),
    OpExample(.klDivergence, [.batch([5]), .batch([5])]), OpExample(.klDivergence, [.array([4, 3]), .array([4, 3])]),
    OpExample(.matmul, [.batch([2, 3]), .array([3, 5])]),
    OpExample(.matmul, [.batch([4, 2, 3]), .batch([4, 5, 3])], ["transpose_b": true]),
    OpExample(.matmul, [.array([3, 2]), .array([3, 4])], ["transpose_a": true]),
    OpExample(.matmul, [.array([1, 5]), .array([5, 17])]),
    OpExample(.scaledDotProductAttention, [.batch([3, 6]), .batch([4, 6]), .batch([4, 6])], ["heads": 2]),
    OpExample(
      .scaledDotProductAttention, [.batch([3, 17]), .batch([3, 17]), .batch([3, 17])], ["causal": true]),
    OpExample(.matmul, [.array([1, 17]), .array([6, 17])], ["transpose_b": true]),
    OpExample(.matmul, [.array([17, 2]), .array([17, 33])], ["transpose_a": true]),
  ]

  /// Functions of one number. Ranges put the corners of piecewise ones between two numbers.
  private static let elementwise: [OpExample] =
    [.relu, .sigmoid, .tanh, .silu, .gelu, .softplus, .exp, .abs, .sign, .erf]
    .map { OpExample($0, [.batch([2, 5])]) } + [
      // Whole vectors of either width and a rest: where sets of kernels could differ.
      OpExample(.tanh, [.batch([37])]), OpExample(.silu, [.batch([37])]), OpExample(.gelu, [.batch([37])]),
      OpExample(.hardSwish, [.batch([37], in: -2.9...2.9)]),
      OpExample(.relu6, [.batch([2, 5])], [:]), OpExample(.relu6, [.batch([2, 6], in: -4...8)]),
      OpExample(.hardSwish, [.batch([2, 6], in: -4.5...4.5)]), OpExample(.tanh, [.array([4])]),
      OpExample(.log, [.batch([2, 5], in: 0.5...3)]), OpExample(.sqrt, [.batch([2, 5], in: 0.5...3)]),
      OpExample(.scale, [.batch([2, 5])], ["multiply": 1.5, "add": -0.5]),
      OpExample(.pow, [.batch([2, 5])], ["exponent": 3]),
      OpExample(.pow, [.batch([2, 5], in: 0.5...2)], ["exponent": -1.5]),
      OpExample(.clamp, [.batch([2, 6], in: -2...2)], ["low": -1, "high": 1]),
      OpExample(.dropout, [.batch([2, 5])], ["rate": 0.4]), OpExample(.dropPath, [.batch([2, 5])], ["rate": 0.4]),
      // Its gradient is that of a constant.
      OpExample(.stopGradient, [.batch([2, 5])], derivatives: 0),
    ]

  /// Functions of two values, with and without broadcasting.
  private static let pairs: [OpExample] =
    [.add, .sub, .mul, .minimum, .maximum, .equal, .less, .lessEqual, .greater, .greaterEqual].flatMap { op in
      [
        OpExample(op, [.batch([2, 5]), .batch([2, 5])]), OpExample(op, [.batch([2, 5]), .array([5])]),
        OpExample(op, [.array([2, 1]), .batch([2, 5])]),
      ]
    } + [
      OpExample(.div, [.batch([2, 5]), .batch([2, 5], in: 0.5...2)]),
      OpExample(.div, [.batch([2, 5]), .array([5], in: 0.5...2)]),
      OpExample(.add, [.batch([5]), .batch([5]), .batch([5])]),
      OpExample(.choose, [.whole([5], in: 0...1), .batch([5]), .batch([5])]),
      OpExample(.choose, [.whole([2, 1], in: 0...1), .array([5]), .batch([2, 5])]),
      OpExample(.concat, [.batch([2, 3]), .batch([2, 17])]),
      OpExample(.concat, [.batch([2, 3]), .batch([1, 3]), .batch([3, 3])], ["axis": 2]),
    ]

  private static let reductions: [OpExample] =
    [.sum, .mean, .reduceMax, .reduceMin, .argmax].flatMap { op in
      [
        OpExample(op, [.batch([2, 5])], ["axes": [-1]]), OpExample(op, [.batch([2, 5])], ["axes": [2], "keep": true]),
        OpExample(op, [.batch([2, 3])]), OpExample(op, [.array([4, 3])], ["axes": [1]]),
      ]
    }

  private static let rearranging: [OpExample] = [
    OpExample(.reshape, [.batch([2, 6])], ["shape": [0, 3, 4]]),
    OpExample(.transpose, [.batch([2, 5])], ["order": [1, 3, 2]]),
    OpExample(.transpose, [.array([2, 5])], ["order": [2, 1]]),
    OpExample(.slice, [.batch([4, 5])], ["axis": 2, "start": 2, "stop": 3]),
    OpExample(.slice, [.batch([5])], ["start": -3]),
    OpExample(.pad, [.batch([2, 5])], ["before": [0, 1, 0], "after": [0, 0, 2], "value": 1.5]),
  ]

  /// Draws. Their gradients, where they have one, are those of the distribution, not of a draw's own numbers.
  private static let random: [OpExample] = [
    OpExample(.randomUniform, [.batch([2, 5])]), OpExample(.randomNormal, [.batch([2, 5])]),
    OpExample(.gumbelNoise, [.batch([2, 5])]), OpExample(.categorical, [.batch([5])]),
    OpExample(.categorical, [.batch([3, 5])]),
    OpExample(.categorical, [.array([4, 3])]),
    OpExample(.dirichlet, [.batch([5], in: 0.5...3)], derivatives: 0),
  ]

  /// What takes whole numbers from 1, or gives them.
  private static let indices: [OpExample] = [
    OpExample(.gather, [.batch([4, 5]), .whole([2, 5], in: 1...4)], ["axis": 2]),
    OpExample(.gather, [.batch([5]), .whole([3], in: 1...5)]),
    OpExample(.literal, [], ["values": [1, -2, 0.5, 4, 0, 3], "shape": [2, 3]]),
    OpExample(.embedding, [.whole([4], in: 1...6)], ["count": 6, "size": 5]),
    OpExample(.oneHot, [.whole([4], in: 1...5)], ["classes": 5]),
    OpExample(.argsort, [.batch([2, 5])]), OpExample(.sort, [.batch([2, 5])]),
    OpExample(.sort, [.batch([4, 3])], ["axis": 2, "descending": true]),
    OpExample(.crossEntropy, [.batch([5]), .whole([], in: 1...5)], ["label_smoothing": 0.1]),
    OpExample(.crossEntropy, [.batch([2, 5]), .whole([2], in: 1...5)]),
    OpExample(.crossEntropy, [.batch([5]), .batch([5], in: 0...1)]),
  ]

  /// What no layer leads to.
  private static let derived: [OpExample] = [
    OpExample(.lstmCell, [.batch([20]), .batch([5])]), OpExample(.lstmCell, [.array([2, 68]), .array([2, 17])]),
    OpExample(.lstmCellGradient, [.batch([20]), .batch([5]), .batch([5]), .batch([5])]),
    OpExample(.lstmStep, [.array([1, 3]), .array([1, 5]), .array([1, 5]), .array([8, 20]), .array([20])]),
    OpExample(.lstmStep, [.array([3, 1]), .array([3, 17]), .array([3, 17]), .array([18, 68]), .array([68])]),
    // The bits of a word as a number.
    OpExample(.signCodes, [.batch([5])], derivatives: 0),
    OpExample(.layerNormGradient, [.batch([2, 5]), .batch([2, 5])], ["epsilon": 1e-5]),
    OpExample(.layerNormGradient, [.batch([17]), .batch([17]), .array([17])], ["epsilon": 1e-5]),
    OpExample(.toBatch, [.array([3, 5])], ["n": 3]), OpExample(.fromBatch, [.batch([2, 5])], ["n": 3]),
    OpExample(.weightedSum, [.array([2]), .batch([2, 5]), .batch([2, 5])]),
    OpExample(.weightedSum, [.array([3]), .batch([37]), .batch([37]), .batch([37])]),
    OpExample(.choice, [.batch([2, 5]), .batch([2, 5])], ["decision": "edge", "options": ["left", "right"]]),
    OpExample(.labelCrossEntropy, [.batch([5]), .labels(5)], ["label_smoothing": 0.1]),
    OpExample(.dirichletSlope, [.batch([3], in: 0.1...0.5), .batch([3], in: 0.5...3)], derivatives: 1),
    OpExample(
      .dirichletCurvature, [.batch([3], in: 0.1...0.5), .batch([3], in: 0.5...3)], ["by": 1], derivatives: 0),
  ]
}
