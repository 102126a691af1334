import Canonical
import Diagnostics
import Foundation
import LuaHost
import NeuralNet

/// An optimiser as scripts hold it.
final class OptimiserObject: LuaObject {
  static let luaName = "Optimiser"
  let optimiser: TensorOptimiser
  var nativeBytes: Int { 2 * optimiser.parameters.reduce(0) { $0 + $1.byteCount } }

  init(_ optimiser: TensorOptimiser) { self.optimiser = optimiser }
}

/// `nas.optim`: the optimisers of scripts' own models.
struct OptimiserBinding {
  let api: API
  let session: Session

  private static let classDeclaration = ClassDeclaration(
    "Optimiser", object: "optimiser",
    """
    Moves tensors against their gradients; its state goes with it.
    """,
    fields: [
      Parameter("lr", "number", "the learning rate; may be set")
    ])

  func declare() throws -> LuaValue {
    api.declare(Self.classDeclaration)
    let names = methods.map { API.leaf($0.0.name) }
    try api.host.declare(
      OptimiserObject.self, methods: api.methods(methods),
      metamethods: [
        .index: { call in
          let name = call.string(2) ?? call.value(2).description
          guard name == "lr" else {
            throw Fault(
              .recipe, "an Optimiser has no '\(name)'", hint: Suggestion.hint(for: name, among: names + ["lr"]))
          }
          call.push(try call.this(OptimiserObject.self).optimiser.learningRate)
        },
        .newIndex: { call in
          guard call.string(2) == "lr", let rate = call.number(3), rate >= 0, rate.isFinite else {
            throw Fault(
              .recipe, "wrong field of an Optimiser", expected: "optimiser.lr = a number from 0",
              got: "\(call.string(2) ?? call.value(2).description) = \(call.value(3))")
          }
          try call.this(OptimiserObject.self).optimiser.learningRate = rate
        },
      ])
    return try api.table(rules + [schedule])
  }

  private static let this = Parameter("optimiser", "Optimiser")

  private var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration("optimiser:step", "Moves the parameters by their gradients.", [Self.this], returns: "nothing"),
        { arguments, _ in try arguments.object(0, as: OptimiserObject.self).optimiser.step() }
      ),
      (
        Declaration("optimiser:zero_grad", "Forgets the parameters' gradients.", [Self.this], returns: "nothing"),
        { arguments, _ in try arguments.object(0, as: OptimiserObject.self).optimiser.clearGradients() }
      ),
      (
        Declaration(
          "optimiser:clip", "Scales the gradients down to a global norm; returns the norm before.",
          [Self.this, Parameter("norm", "number", min: 1e-12, "the largest that is left as it is")], returns: "number"),
        { arguments, call in
          let optimiser = try arguments.object(0, as: OptimiserObject.self).optimiser
          call.push(try optimiser.clip(norm: arguments[1].number ?? 1))
        }
      ),
      (
        Declaration(
          "optimiser:save",
          """
          Writes the moments, the counters and the learning rate as safetensors into the run's folder, for
          optimiser:load; the parameters are saved by model:save. Returns the path.
          """,
          [Self.this, Parameter("name", "string", "the file's name: letters, digits, '_' and '-'")], returns: "string"),
        { [session] arguments, call in
          let optimiser = try arguments.object(0, as: OptimiserObject.self)
          let file = try session.namedFile(arguments.text(1), for: "optimiser:save")
          try optimiser.ownState.write(to: file)
          call.push(file.path(percentEncoded: false))
        }
      ),
      (
        Declaration(
          "optimiser:load", "Goes on from what optimiser:save wrote, of parameters of the same shapes.",
          [Self.this, Parameter("path", "string", "what optimiser:save returned")],
          returns: "nothing"),
        { [session] arguments, _ in
          let path = try session.readable(arguments.text(1)), state = try StateSnapshot(contentsOf: path)
          do {
            try arguments.object(0, as: OptimiserObject.self).restore(state)
          } catch let fault as Fault where fault.code == .data {
            throw fault.located(at: path)
          }
        }
      ),
    ]
  }

  private static let decay = Parameter(
    "weight_decay", "number", default: 0, min: 0, "times the parameters, added to their gradients")
  private static let beta1 = Parameter(
    "beta1", "number", default: 0.9, min: 0, max: 0.999999, "decay of the mean gradient")
  private static let beta2 = Parameter(
    "beta2", "number", default: 0.999, min: 0, max: 0.999999, "decay of the mean square")
  private static let epsilon = Parameter("eps", "number", default: 1e-8, min: 0, "added to the root of the mean square")

  private var rules: [(Declaration, API.Body)] {
    [
      rule(
        "sgd", "Stochastic gradient descent with momentum.", source: nil, rate: 0.01,
        [
          Parameter("momentum", "number", default: 0, min: 0, max: 1, "0: none"),
          Parameter("nesterov", "boolean", default: false, "Nesterov's momentum"),
          Self.decay,
        ]
      ) {
        .sgd(
          try SGD(
            momentum: $0.number("momentum"), nesterov: $0.flag("nesterov"), weightDecay: $0.number("weight_decay")))
      },
      rule(
        "adam", "Adam.", source: "Kingma & Ba, ICLR 2015", rate: 0.001,
        [Self.beta1, Self.beta2, Self.epsilon, Self.decay]
      ) { adam($0, decoupled: false) },
      rule(
        "adamw", "Adam with decoupled weight decay.", source: "Loshchilov & Hutter, ICLR 2019", rate: 0.001,
        [
          Self.beta1, Self.beta2, Self.epsilon,
          Parameter(
            "weight_decay", "number", default: 0.01, min: 0, "times the parameters and the rate, taken off them"),
        ]
      ) { adam($0, decoupled: true) },
      rule(
        "rmsprop", "RMSProp.", source: "Hinton, 2012", rate: 0.01,
        [
          Parameter("alpha", "number", default: 0.99, min: 0, max: 1, "decay of the mean square"), Self.epsilon,
          Parameter("momentum", "number", default: 0, min: 0, max: 1, "0: none"), Self.decay,
        ]
      ) {
        .rmsprop(
          alpha: $0.number("alpha"), epsilon: $0.number("eps"), momentum: $0.number("momentum"),
          weightDecay: $0.number("weight_decay"))
      },
    ]
  }

  private var schedule: (Declaration, API.Body) {
    (
      Declaration(
        "nas.optim.schedule",
        "A learning rate over a training: a function of a position from 0, after `warmup` positions along a curve.",
        source: "Loshchilov & Hutter, ICLR 2017 (cosine)",
        options: [
          Parameter(
            "curve", "string", default: "cosine", oneOf: ["cosine", "constant", "step"], "the shape after the warm-up"),
          Parameter("peak", "number", "the largest rate"),
          Parameter("total", "integer", min: 1, "positions in all, the warm-up included"),
          Parameter("warmup", "integer", default: 0, min: 0, "positions of a linear rise to the peak"),
          Parameter("minimum", "number", default: 0, min: 0, "the end of the cosine"),
          Parameter("every", "integer", default: 30, min: 1, "positions of one step"),
          Parameter("factor", "number", default: 0.1, "what a step multiplies by"),
        ], returns: "fun(position: integer): number"),
      { [api] arguments, call in
        let curve: Schedule.Curve =
          switch arguments.text("curve") {
          case "constant": .constant
          case "step": .step(every: arguments.integer("every"), factor: arguments.number("factor"))
          default: .cosine(minimum: arguments.number("minimum"))
          }
        // What a function that captures it is known by.
        let options = JSONValue.object(try arguments.options.mapValues(LuaValues.json))
        let schedule = try Schedule(
          curve, peak: arguments.number("peak"), total: arguments.integer("total"),
          warmUp: arguments.integer("warmup"))
        try call.push(
          api.host.function("schedule", key: "schedule \(options.text())") { call in
            guard let position = call.integer(1), position >= 0 else {
              throw call.wrong(1, expected: "a position from 0")
            }
            call.push(schedule.value(at: position))
          })
      }
    )
  }

  private func adam(_ arguments: Arguments, decoupled: Bool) -> UpdateRule {
    .adam(
      betas: [arguments.number("beta1"), arguments.number("beta2")], epsilon: arguments.number("eps"),
      weightDecay: arguments.number("weight_decay"), decoupled: decoupled)
  }

  /// Throws for a tensor that is in the list twice: it would be moved twice.
  private static func checkOnce(_ parameters: [Tensor], in function: String) throws {
    var places: [ObjectIdentifier: Int] = [:]
    for (index, parameter) in parameters.enumerated() {
      guard let first = places.updateValue(index + 1, forKey: ObjectIdentifier(parameter)) else { continue }
      throw Fault(
        .recipe, "\(function): a tensor is in the list twice", path: parameter.name, expected: "each once",
        got: "elements \(first) and \(index + 1)")
    }
  }

  private func rule(
    _ name: String, _ doc: String, source: String?, rate: Double, _ options: [Parameter],
    _ make: @escaping (Arguments) throws -> UpdateRule
  ) -> (Declaration, API.Body) {
    let declaration = Declaration(
      "nas.optim." + name, doc + " The formulas and defaults are PyTorch's.", source: source,
      [Parameter("parameters", "table", "a list of Tensors")],
      options: [Parameter("lr", "number", default: .number(rate), min: 0, "the learning rate; may be set later")]
        + options, returns: "Optimiser")
    return (
      declaration,
      { [session] arguments, call in
        let parameters = try TensorText.tensors(arguments[0], in: declaration.name)
        try Self.checkOnce(parameters, in: declaration.name)
        try call.push(
          OptimiserObject(
            try TensorOptimiser(
              parameters, rule: try make(arguments), learningRate: arguments.number("lr"), compute: session.compute)))
      }
    )
  }
}
