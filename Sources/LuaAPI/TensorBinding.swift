import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import TensorCore

extension Tensor: LuaObject {
  public static let luaName = "Tensor"
  /// What a tape computed is counted by it, as long as a history holds it.
  public var nativeBytes: Int { uncountedBytes }
}

/// `nas.tensor` and its kin, the gradient functions, and the class `Tensor`.
struct TensorBinding {
  let api: API
  let session: Session

  private static let classDeclaration = ClassDeclaration(
    "Tensor", object: "tensor",
    """
    Numbers in single precision with a shape. +, -, * and / work element by element on two tensors, whose shapes are
    broadcast, or on a tensor and a number; #tensor is the first dimension.
    """,
    fields: [
      Parameter("shape", "integer[]", "the dimensions"),
      Parameter("channels", "integer", "the last dimension"),
      Parameter("requires_grad", "boolean", "whether gradients by it are recorded"),
      Parameter("grad", "Tensor", optional: true, "the gradient that backward() left; may be set to nil"),
      Parameter("name", "string", optional: true, "of a model's parameter"),
    ],
    operators: [
      "add(Tensor|number): Tensor", "sub(Tensor|number): Tensor", "mul(Tensor|number): Tensor",
      "div(Tensor|number): Tensor", "pow(number): Tensor", "unm: Tensor", "len: integer",
    ])

  /// Declares the class; returns the functions of `nas`.
  func declare() throws -> [(Declaration, API.Body)] {
    api.declare(Self.classDeclaration)
    let methods = self.methods
    try api.host.declare(Tensor.self, methods: api.methods(methods), metamethods: metamethods(methods))
    return makers + gradients
  }

  // MARK: - Making tensors

  private static let gradOption = Parameter(
    "requires_grad", "boolean", default: false, "whether gradients by it can be asked for")
  private static let shape = Parameter("shape", "table", "a list of dimensions; {} for a single number")
  private static let random = [
    Parameter("stream", "string", default: "tensor", "the random stream to draw from"), gradOption,
  ]

  private var makers: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "nas.tensor", "A tensor of the numbers in a nested table, or of a single number.",
          [Parameter("values", "table|number", "nested tables of one shape: { { 1, 2 }, { 3, 4 } }")],
          options: [Self.gradOption], returns: "Tensor"),
        { arguments, call in
          var shape: [Int] = [], values: [Float] = []
          try TensorText.read(arguments[0], into: &values, shape: &shape)
          try call.push(try Tensor(shape, values, requiresGradient: arguments.flag("requires_grad")))
        }
      ),
      (
        Declaration(
          "nas.zeros", "A tensor of zeros.", [Self.shape], options: [Self.gradOption], returns: "Tensor"),
        { arguments, call in try fill(arguments, call, 0) }
      ),
      (
        Declaration("nas.ones", "A tensor of ones.", [Self.shape], options: [Self.gradOption], returns: "Tensor"),
        { arguments, call in try fill(arguments, call, 1) }
      ),
      (
        Declaration(
          "nas.randn", "A tensor of numbers from the standard normal distribution.", [Self.shape],
          options: Self.random, returns: "Tensor"),
        { [session] arguments, call in
          let stream = session.stream(arguments.text("stream"))
          try make(arguments, call) { Float(stream.stream.normal()) }
        }
      ),
      (
        Declaration(
          "nas.rand", "A tensor of numbers uniform in [0, 1).", [Self.shape], options: Self.random,
          returns: "Tensor"),
        { [session] arguments, call in
          let stream = session.stream(arguments.text("stream"))
          try make(arguments, call) { Float(stream.stream.uniform()) }
        }
      ),
    ]
  }

  private func fill(_ arguments: Arguments, _ call: borrowing LuaCall, _ value: Float) throws {
    let shape = try TensorText.shape(arguments[0], in: call.name)
    let values = [Float](repeating: value, count: shape.reduce(1, *))
    try call.push(try Tensor(shape, values, requiresGradient: arguments.flag("requires_grad")))
  }

  private func make(_ arguments: Arguments, _ call: borrowing LuaCall, _ value: () -> Float) throws {
    let shape = try TensorText.shape(arguments[0], in: call.name)
    let values = (0..<shape.reduce(1, *)).map { _ in value() }
    try call.push(try Tensor(shape, values, requiresGradient: arguments.flag("requires_grad")))
  }

  // MARK: - Gradients

  private var gradients: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "nas.grad", "The gradients of a tensor of one element by other tensors, in a list.",
          [
            Parameter("loss", "Tensor", "of one element, computed from the tensors"),
            Parameter("tensors", "table", "a list of tensors"),
          ],
          options: [
            Parameter("create_graph", "boolean", default: false, "record the gradients, so that they have gradients")
          ], returns: "(Tensor|false)[] # false for one that the loss does not depend on"),
        { [session] arguments, call in
          let targets = try TensorText.tensors(arguments[1], in: "nas.grad")
          let loss = try arguments.object(0, as: Tensor.self)
          try Self.checkRecorded([loss], "the loss")
          try Self.checkRecorded(targets, "a tensor of the list")
          try session.beginWork()
          let gradients = try session.tape().gradients(
            of: loss, wrt: targets, createGraph: arguments.flag("create_graph"))
          try call.push(try session.host.table(gradients.map { $0.map { LuaValue.userdata($0) } ?? .bool(false) }))
        }
      ),
      (
        Declaration(
          "nas.no_grad", "Calls `fn` without recording, and returns what it returns.",
          [Parameter("fn", "function", "no arguments")],
          returns: "any # what fn returns"),
        { [session] arguments, call in
          guard let fn = arguments[0].function else { return }
          try call.push(try session.tape().recording(false) { try fn([]) })
        }
      ),
    ]
  }

  /// Throws for a tensor that no gradient can be by.
  private static func checkRecorded(_ tensors: [Tensor], _ what: String) throws {
    guard let index = tensors.firstIndex(where: { !$0.requiresGradient }) else { return }
    throw Fault(
      .recipe, "nas.grad: no gradient was recorded for \(what)", path: tensors[index].name,
      got: tensors.count > 1 ? "element \(index + 1)" : nil,
      hint: "Make a tensor with { requires_grad = true }, or use a model's parameters.")
  }

  // MARK: - The class

  private static let this = Parameter("tensor", "Tensor")

  private var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration("tensor:item", "The number of a tensor of one element.", [Self.this], returns: "number"),
        { arguments, call in call.push(Double(try arguments.object(0, as: Tensor.self).item())) }
      ),
      (
        Declaration(
          "tensor:totable", "The numbers as nested tables; a number for a tensor without dimensions.", [Self.this],
          returns: "number|table"),
        { arguments, call in
          let tensor = try arguments.object(0, as: Tensor.self)
          try call.push(TensorText.json(tensor.values[...], tensor.shape[...]))
        }
      ),
      (
        Declaration(
          "tensor:set",
          "Replaces the numbers in place: for parameters, between one backward and the next forward computation. A "
            + "gradient that needs the old numbers is an error.",
          [Self.this, Parameter("values", "Tensor|table|number", "of the tensor's shape")], returns: "nothing"),
        { arguments, call in
          let tensor = try arguments.object(0, as: Tensor.self)
          var shape: [Int] = [], values: [Float] = []
          if let other = arguments[1].object(as: Tensor.self) {
            (shape, values) = (other.shape, other.values)
          } else {
            try TensorText.read(arguments[1], into: &values, shape: &shape)
          }
          guard shape == tensor.shape else {
            throw Fault(
              .recipe, "tensor:set: wrong shape", path: tensor.name, expected: Shape.array(tensor.shape).description,
              got: Shape.array(shape).description)
          }
          try tensor.set(values)
        }
      ),
      (
        Declaration("tensor:detach", "The same numbers without their history.", [Self.this], returns: "Tensor"),
        { arguments, call in try call.push(try arguments.object(0, as: Tensor.self).detached()) }
      ),
      (
        Declaration(
          "tensor:backward",
          "Adds the gradients of this tensor of one element to `grad` of every tensor with requires_grad that it "
            + "depends on.",
          [
            Self.this,
            Parameter("gradient", "Tensor", optional: true, "of this tensor itself, for one of more elements"),
          ], returns: "nothing"),
        { [session] arguments, _ in
          try session.beginWork()
          try session.tape().backward(try arguments.object(0), seed: arguments[1].object(as: Tensor.self))
        }
      ),
    ]
  }

  private func metamethods(_ methods: [(Declaration, API.Body)]) -> [LuaMetamethod: LuaFunction] {
    let names = methods.map { API.leaf($0.0.name) }
    return [
      .index: { call in try Self.field(call, names) },
      .newIndex: { call in
        guard call.string(2) == "grad", call.isNil(3) else {
          throw Fault(
            .recipe, "a field of a Tensor can't be set", expected: "t.grad = nil",
            got: "\(call.string(2) ?? call.value(2).description) = \(call.value(3))")
        }
        try call.this(Tensor.self).gradient = nil
      },
      .text: { call in call.push(TensorText.text(try call.this(Tensor.self))) },
      .length: { call in call.push(try call.this(Tensor.self).shape.first ?? 0) },
      .add: operation("add", "+", .add), .subtract: operation("sub", "-", .subtract),
      .multiply: operation("mul", "*", .multiply), .divide: operation("div", "/", .divide),
      .power: { [session] call in
        guard let exponent = call.number(2), let base = try call.object(1, as: Tensor.self) else {
          throw Self.wrongOperands(call, "^", expected: "a Tensor to the power of a number, as in x ^ 2")
        }
        try call.push(
          try session.compute(TapeLayer.named("pow"), [base], ["exponent": .number(exponent)]) {
            call.words(from: 2, into: $0)
          })
      },
      .negate: { [session] call in
        try call.push(try session.tape().scaled(try call.this(Tensor.self), by: -1))
      },
    ]
  }

  /// An operator as an op of two tensors.
  private func operation(_ op: String, _ sign: String, _ metamethod: LuaMetamethod) -> LuaFunction {
    let onValues = ValueOperators(session: session).metamethods[metamethod] ?? { _ in }, layer = TapeLayer.named(op)
    return { [session] call in
      if let a = try call.object(1, as: Tensor.self), let b = try call.object(2, as: Tensor.self) {
        return try call.push(try session.compute(layer, [a, b]))
      }
      if try call.object(2, as: SymbolObject.self) != nil {
        // A tensor and a value of a build: the tensor's numbers become part of the network.
        return try onValues(call)
      }
      let (a, b) = try Self.operands(call, sign)
      try call.push(try session.compute(layer, [a, b]))
    }
  }

  /// The two operands of an operator, one of which is a number: it becomes a tensor of the other's shape.
  private static func operands(_ call: borrowing LuaCall, _ sign: String) throws -> (Tensor, Tensor) {
    let operands = (try call.object(1, as: Tensor.self), try call.object(2, as: Tensor.self))
    if let a = operands.0, let number = call.number(2) { return (a, try Tensor.filled(like: a, Float(number))) }
    if let b = operands.1, let number = call.number(1) { return (try Tensor.filled(like: b, Float(number)), b) }
    throw wrongOperands(call, sign, expected: "a Tensor and a Tensor or a number")
  }

  private static func wrongOperands(_ call: borrowing LuaCall, _ sign: String, expected: String) -> Fault {
    Fault(
      .recipe, "wrong operands of '\(sign)'", expected: expected,
      got: "\(call.value(1).description) \(sign) \(call.value(2).description)")
  }

  private static func field(_ call: borrowing LuaCall, _ methods: [String]) throws {
    let tensor = try call.this(Tensor.self), name = call.string(2) ?? call.value(2).description
    switch name {
    case "shape": try call.push(JSONValue.array(tensor.shape.map(JSONValue.int)))
    case "channels": call.push(tensor.shape.last ?? 1)
    case "requires_grad": call.push(tensor.requiresGradient)
    case "grad": if let gradient = tensor.gradient { try call.push(gradient) } else { call.pushNil() }
    case "name": if let name = tensor.name { call.push(name) } else { call.pushNil() }
    default:
      throw Fault(
        .recipe, "a Tensor has no '\(name)'",
        hint: Suggestion.hint(for: name, among: methods + ["shape", "channels", "requires_grad", "grad", "name"]))
    }
  }
}

extension Session {
  /// Computes an op without parameters on tensors.
  ///
  /// - Parameter words: writes words for the attributes; see `Tape.applyKnown`.
  func compute(
    _ layer: TapeLayer?, _ inputs: [Tensor], _ attributes: [String: JSONValue] = [:],
    words: (UnsafeMutableBufferPointer<UInt64>) -> Int? = { _ in 0 }
  ) throws -> Tensor {
    guard let layer else { throw Fault(.internal, "an operator without an op") }
    let tape = try tape()
    if let result = try tape.applyKnown(layer, inputs, options: words) { return result }
    return try tape.apply(
      layer, inputs, attributes: attributes, words: tape.words(layer, inputs, options: words))
  }
}
