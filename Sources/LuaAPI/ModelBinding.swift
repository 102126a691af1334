import Canonical
import Diagnostics
import LuaHost
import NeuralNet

/// A script's own model: a function whose layers find their parameters here.
final class ModelObject: LuaObject {
  static let luaName = "Model"
  let model: Model
  let stream: StreamObject
  let function: LuaReference
  var nativeBytes: Int { model.parameters.reduce(0) { $0 + $1.byteCount } }

  init(_ model: Model, stream: StreamObject, function: LuaReference) {
    (self.model, self.stream, self.function) = (model, stream, function)
  }
}

/// `nas.model` and the class `Model`.
struct ModelBinding {
  let api: API
  let session: Session

  private static let classDeclaration = ClassDeclaration(
    "Model", object: "model",
    """
    A function on tensors whose layers keep their parameters. Call it like the function: `model(x)`.
    """,
    operators: ["call(...): Tensor, ..."])

  func declare() throws -> [(Declaration, API.Body)] {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      ModelObject.self, methods: api.methods(methods),
      metamethods: [
        .index: API.unknownName(of: "Model", methods),
        .text: { call in
          let model = try call.this(ModelObject.self).model
          call.push("Model(\(model.parameters.reduce(0) { $0 + $1.count }) parameters)")
        },
        .call: { [session] call in
          let model = try call.this(ModelObject.self)
          if let outer = session.models.last, outer !== model {
            session.warnOnce(
              "a model called inside another one keeps its parameters to itself: the outer one's parameters() and "
                + "save() leave them out")
          }
          try call.push(try session.calling(model) { try model.function(call.values(from: 2)) })
        },
      ])
    return [
      (
        Declaration(
          "nas.model",
          """
          A model of a function on tensors: the layers that it calls keep their parameters by scope and name. Another model
          that it calls keeps its own: model:parameters and model:save of the outer one leave them out.
          """,
          [Parameter("fn", "function", "function(…) → tensors, which calls the layers of nas.nn")],
          options: [Parameter("stream", "string", default: "model", "where first values are drawn from")],
          returns: "Model # called like the function"),
        { [session] arguments, call in
          guard let function = arguments[0].function else { return }
          let name = arguments.text("stream")
          let model = Model(random: RandomSource(seed: session.seed, name: name))
          try call.push(ModelObject(model, stream: session.stream(name + "/draws"), function: function))
        }
      )
    ]
  }

  private static let this = Parameter("model", "Model")

  private var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "model:parameters", "The trained parameters in a list; each has a `name`.", [Self.this],
          returns: "Tensor[]"),
        { [session] arguments, call in
          let parameters = try arguments.object(0, as: ModelObject.self).model.parameters
          try call.push(try session.host.table(parameters.map { LuaValue.userdata($0) }))
        }
      ),
      (
        Declaration(
          "model:train", "Layers behave as in training from now on: the default.", [Self.this], returns: "nothing"),
        { arguments, _ in try arguments.object(0, as: ModelObject.self).model.isTraining = true }
      ),
      (
        Declaration("model:eval", "Layers behave as in use from now on.", [Self.this], returns: "nothing"),
        { arguments, _ in try arguments.object(0, as: ModelObject.self).model.isTraining = false }
      ),
      (
        Declaration(
          "model:save", "Writes the parameters as safetensors into the run's folder; returns the path.",
          [Self.this, Parameter("name", "string", "the file's name: letters, digits, '_' and '-'")],
          returns: "string # the file's path"),
        { [session] arguments, call in
          let arrays = try arguments.object(0, as: ModelObject.self).model.arrays
          guard !arrays.isEmpty else {
            throw Fault(
              .recipe, "model:save: the model has no parameters", hint: "A model makes them when it is first called.")
          }
          call.push(try session.save(arrays, name: arguments.text(1), for: "model:save"))
        }
      ),
      WeightLoading(session: session).ofModel,
    ]
  }
}

extension Session {
  /// Runs a model's function: layers find their parameters in it.
  func calling<Result>(_ object: ModelObject, _ body: () throws -> Result) throws -> Result {
    models.append(object)
    defer { models.removeLast() }
    return try object.model.calling {
      try tape().running(
        in: object.model.isTraining ? .training : .inference, keys: { object.stream.stream.next() }, body)
    }
  }
}
