import Diagnostics
import LuaHost

/// `nas.checkpoint`: a step of a script's own training that survives the process.
struct CheckpointBinding {
  let session: Session

  var function: (Declaration, API.Body) { (Self.declaration, checkpoint) }

  static let declaration = Declaration(
    "nas.checkpoint",
    """
    Runs one step of a training, such as an epoch, as an effect: what `run` returns and the state after it are on the
    disk before the recipe goes on. A resumed run takes finished steps from its journal and goes on from the last state,
    bit for bit. A step is known by its name, the state before it, and the code of `run` with what it closes over; so
    `run` must depend on these alone, draw batches and set learning rates inside, and return what is to be printed or
    kept: the state between two recorded steps is computed again when it is asked for. Random streams give numbers of
    the step's own inside. Gradients of the state are cleared at the end of a step. Returns what `run` returned.
    """,
    options: [
      Parameter("name", "string", "the step's: \"epoch 3\"; each step has its own"),
      Parameter(
        "state", "table", "everything that the step changes, as a list or by name: Tensors, Models, Relaxed, Optimisers"
      ),
      Parameter("run", "function", "function() → nil, or numbers, texts and tables of these"),
    ], returns: "any # what run returned")

  private func checkpoint(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    guard let state = arguments["state"].table, let run = arguments["run"].function else { return }
    let result = try session.states.perform(arguments.text("name"), try Self.set(state), run)
    try call.push(result)
  }

  /// The members of the state, lists by their positions.
  private static func set(_ table: LuaReference) throws -> StateSet {
    let members = try table.pairs.map { key, value in
      let name = key.string ?? key.integer.map(String.init) ?? key.description
      guard case .userdata(let object) = value, let member = object as? any StateMember else {
        throw Fault(
          .recipe, "nas.checkpoint: wrong element of state", path: "state.\(name)",
          expected: "a Tensor, a Model, a Relaxed or an Optimiser", got: value.description)
      }
      if member.stateTensors.isEmpty {
        throw Fault(
          .recipe, "nas.checkpoint: a model without parameters", path: "state.\(name)",
          hint: "A model makes them when it is first called: nas.no_grad(function() model(x) end).")
      }
      return (name: name, object: member)
    }
    guard !members.isEmpty else {
      throw Fault(
        .recipe, "nas.checkpoint: state is empty", expected: "everything that the step changes: models, optimisers")
    }
    return StateSet(members: members)
  }
}
