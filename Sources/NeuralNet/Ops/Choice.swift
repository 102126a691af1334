import Canonical
import Diagnostics
import TensorCore

extension Op {
  /// One of several values of one shape, or the sum of some of them, by a decision that is taken for each run.
  ///
  /// The plan runs the chosen branches alone. A single one is read in place of the choice's value, which costs nothing;
  /// several are added from the first to the last. So one plan of a supernet serves every path, and a path costs what its
  /// own network costs.
  static let choice: Op = Op(
    "choice", "The sum of the branches that are chosen for a run: one or more.", role: .derived, arity: .atLeast(1),
    paddingLanes: .carried,
    infer: { use in
      let names = use.attributes["options"]?.array?.compactMap(\.string) ?? []
      for (index, other) in use.inputs.enumerated().dropFirst() where other != use.input {
        throw use.fault(
          "the branches '\(names[0])' and '\(names[index])' of \(use.attributes["decision"]?.string ?? "a decision") "
            + "have different shapes", expected: use.input.shape.description, got: other.shape.description,
          hint: "Every branch must give the same shape.")
      }
      return [use.input]
    },
    kernel: Op.add.kernel,
    gradient: { site in
      try site.inputs.indices.map { branch in
        try site.apply(
          .chosenGradient, [site.outputGradient], site.attributes.setting("branch", .int(branch)), for: branch)
      }
    })

  /// The gradient of one branch of a choice: the incoming one when the branch was chosen, else none at all, so that
  /// nothing of an unchosen branch is computed or updated.
  static let chosenGradient: Op = Op(
    "chosen_gradient", "The gradient of a branch, if it was chosen.", role: .derived, paddingLanes: .carried,
    infer: { [$0.input] },
    gradient: { site in [try site.apply(.chosenGradient, [site.outputGradient], site.attributes)[0]] })
}
