import Canonical
import Diagnostics
import TensorCore

extension TensorOptimiser {
  /// Everything that is needed to go on bit for bit, besides the parameters: the moments as `first/<number>` and
  /// `second/<number>` in the order of the parameters from 1, the counters and the learning rate.
  public var snapshot: (arrays: [NamedArray], values: JSONValue) {
    var arrays: [NamedArray] = []
    for (index, state) in states.enumerated() {
      for (name, buffer) in [("first", state.first), ("second", state.second)] {
        let values = Array(UnsafeBufferPointer(start: buffer.pointer, count: parameters[index].count))
        arrays.append(NamedArray(name: "\(name)/\(index + 1)", shape: parameters[index].shape, values: values))
      }
    }
    return (
      arrays,
      [
        "lr": .number(learningRate), "steps": .array(states.map { .int($0.steps) }),
        "powers": .array(states.map { [.number($0.powers.0), .number($0.powers.1)] }),
      ]
    )
  }

  /// Goes back to a snapshot of an optimiser of parameters of the same shapes. Throws a `data` fault that names what is
  /// missing or of another shape; then nothing has changed.
  public func restore(_ arrays: [NamedArray], _ values: JSONValue) throws {
    let given = Dictionary(arrays.map { ($0.name, $0) }) { first, _ in first }
    let steps = (values["steps"]?.array ?? []).compactMap(\.int)
    let powers = (values["powers"]?.array ?? []).map { ($0.array ?? []).compactMap(\.double) }
    guard let rate = values["lr"]?.double, steps.count == states.count, powers.count == states.count,
      powers.allSatisfy({ $0.count == 2 })
    else {
      throw Fault(
        .data, "the state of an optimiser doesn't fit", expected: "that of \(states.count) parameters",
        got: "that of \(steps.count)")
    }
    for (index, parameter) in parameters.enumerated() {
      for name in ["first/\(index + 1)", "second/\(index + 1)"] where given[name]?.shape != parameter.shape {
        throw Fault(
          .data, "the state of an optimiser doesn't fit", path: name,
          expected: "an array of shape \(Shape.array(parameter.shape))",
          got: given[name].map { Shape.array($0.shape).description } ?? "nothing")
      }
    }
    for index in states.indices {
      let count = parameters[index].count
      if let first = given["first/\(index + 1)"] {
        states[index].first.pointer.update(from: first.values, count: count)
      }
      if let second = given["second/\(index + 1)"] {
        states[index].second.pointer.update(from: second.values, count: count)
      }
      (states[index].steps, states[index].powers) = (steps[index], (powers[index][0], powers[index][1]))
    }
    learningRate = rate
  }
}
