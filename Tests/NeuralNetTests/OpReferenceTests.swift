import Canonical
import NeuralNet
import TensorCore
import Testing

/// Every op against PyTorch, forward and gradients, on awkward shapes.
@Suite struct OpReferenceTests {
  static let cases = (try? ReferenceFile("ops").cases) ?? []

  @Test func thereAreReferencesForEveryKindOfOp() {
    let covered = Set(Self.cases.map(\.op))
    #expect(
      covered == [
        "conv2d", "linear", "batch_norm", "relu", "relu6", "max_pool", "avg_pool", "global_avg_pool", "add", "concat",
        "cross_entropy", "sigmoid", "tanh", "silu", "hard_swish", "gelu", "softplus", "softmax", "log_softmax",
        "layer_norm", "mse", "binary_cross_entropy", "kl_divergence", "channel_gate",
        "exp", "log", "sqrt", "abs", "erf", "scale", "pow", "clamp", "sub", "mul", "div", "minimum", "maximum", "sum",
        "mean", "reduce_max", "reduce_min", "transpose", "slice", "pad", "reshape", "matmul",
        "gather", "embedding", "one_hot", "sort", "argsort", "resize",
      ])
  }

  @Test(arguments: cases)
  func matchesPyTorch(reference: ReferenceFile.Case) throws {
    for (tensor, error) in try ReferenceCheck(reference, compute: try Compute()).differences() {
      Issue.record("\(reference.name) \(tensor): error \(error)")
    }
  }
}
