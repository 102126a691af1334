import Diagnostics

/// All ops, by name.
public enum OpTable {
  /// Every op: the layers first, then what they expand to and differentiate into.
  public static let all: [Op] = layers + derived

  /// The ops that a recipe's `build` may use.
  public static let layers: [Op] = [
    .conv2d, .linear, .batchNorm, .relu, .relu6, .maxPool, .avgPool, .globalAvgPool, .add, .concat, .zero, .dropout,
    .flatten, .softmax, .logSoftmax, .sigmoid, .tanh, .silu, .hardSwish, .gelu, .softplus, .layerNorm, .dropPath,
    .channelGate, .randomUniform, .randomNormal, .gumbelNoise, .categorical, .dirichlet, .meanSquaredError,
    .crossEntropy, .binaryCrossEntropy, .klDivergence, .reshape, .transpose, .slice, .pad, .sub, .mul, .div, .minimum,
    .maximum, .equal, .less, .lessEqual, .greater, .greaterEqual, .choose, .scale, .pow, .clamp, .exp, .log, .sqrt,
    .abs, .sign, .erf, .matmul, .sum, .mean, .reduceMax, .reduceMin, .argmax, .stopGradient, .weightedSum, .gather,
    .embedding, .oneHot, .argsort, .sort, .resize, .literal,
    .scaledDotProductAttention,
  ]

  private static let derived: [Op] = [
    .conv2dInputGradient, .conv2dWeightGradient, .linearInputGradient, .linearWeightGradient, .channelSum,
    .batchNormalise, .batchNormGradient, .updateRunningStatistics, .normalise, .reluGradient, .relu6Gradient,
    .maxPoolGradient, .avgPoolGradient, .globalAvgPoolGradient, .channelSlice, .randomMask, .constant, .toLabels,
    .labelCrossEntropy, .crossEntropyGradient, .maxPoolPick, .channelPlace, .channelSpread,
    .scalarMultiply, .dot, .rowDot, .softmaxRows, .softmaxGradient, .sigmoidGradient, .tanhGradient, .siluGradient,
    .hardSwishGradient, .geluGradient, .rowNormalise, .dirichletSlope, .dirichletCurvature, .toBatch, .fromBatch,
    .choice, .chosenGradient, .weightedSumWeightGradient, .scaledByElement, .plus, .repeated, .shareOfMean,
    .clampGradient, .gatherGradient, .logSoftmaxRows, .logSoftmaxGradient, .resizeGradient, .layerNormGradient,
    .lstmCell, .lstmCellGradient, .lstmStep,
    .attentionGradient, .signCodes,
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The op of a name, if there is one.
  public static func named(_ name: String) -> Op? { byName[name] }

  /// The layer of a name. Throws a `recipe` fault with the nearest name.
  public static func layer(_ name: String, path: String? = nil) throws -> Op {
    if let op = byName[name], op.role == .layer { return op }
    throw Fault(
      .recipe, "unknown op '\(name)'", path: path, hint: Suggestion.hint(for: name, among: layers.map(\.name)))
  }
}
