import Canonical
import NeuralNet
import TensorCore
import Testing

/// Every op against PyTorch, forward and gradients, on awkward shapes.
@Suite struct OpReferenceTests {
  static let cases = (try? ReferenceFile("ops").cases) ?? []

  @Test func thereAreReferencesForEveryLayer() {
    // Draws are held to their distributions, and a sum with trained weights to finite differences; a constant is itself.
    let others: Set = [
      "dropout", "drop_path", "random_uniform", "random_normal", "gumbel_noise", "categorical", "dirichlet",
      "weighted_sum", "literal",
    ]
    #expect(Set(OpTable.layers.map(\.name)).subtracting(Self.cases.map(\.op)) == others)
  }

  @Test(arguments: cases)
  func matchesPyTorch(reference: ReferenceFile.Case) throws {
    for (tensor, error) in try ReferenceCheck(reference, compute: try Compute()).differences() {
      Issue.record("\(reference.name) \(tensor): error \(error)")
    }
  }
}
