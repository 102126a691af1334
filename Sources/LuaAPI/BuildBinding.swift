import Canonical
import Diagnostics
import LuaHost
import NeuralNet

/// `nas.nn`: one function for each layer of the op table, made from the op's own record.
///
/// A call gives the inputs, then the op's required attributes in order, then a table of the others:
/// `nn.conv2d(x, 16, { kernel = 3 })`. `name` in that table names the node.
struct BuildBinding {
  let api: API
  let session: Session

  private static let classDeclaration = ClassDeclaration(
    "Value", object: "value",
    """
    A value in a network that build makes: the input, and what nas.nn gives. It has a shape and no numbers.
    """,
    fields: [
      Parameter("channels", "integer", "the last dimension"),
      Parameter("shape", "integer[]", "the dimensions without the batch"),
      Parameter("height", "integer", optional: true, "of an image"),
      Parameter("width", "integer", optional: true, "of an image"),
    ])

  /// Declares `Value`, the class of a value in a network; returns the functions of `nas.nn`.
  func declare() throws -> LuaValue {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      SymbolObject.self,
      metamethods: [
        .index: Self.field,
        .text: { call in call.push("Value\(try call.this(SymbolObject.self).symbol.shape)") },
      ].merging(ValueOperators(session: session).metamethods) { first, _ in first })
    var functions: [String: LuaValue] = [:]
    for op in OpTable.layers where op.arity != .exactly(0) {
      let name = "nas.nn." + op.name
      api.declare(Declaration(of: op, named: name))
      guard let layer = TapeLayer.named(op.name) else { continue }
      functions[op.name] = api.host.function(name) { [session] call in
        if try !Self.applyKnown(layer, call, session) { try Self.apply(layer, call, session) }
      }
    }
    let parameter = Self.parameterDeclaration
    functions["parameter"] = api.host.function(
      parameter.name, api.function(parameter) { [session] in try Self.parameter($0, $1, session) })
    return try api.host.table(functions)
  }

  private static let parameterDeclaration = Declaration(
    "nas.nn.parameter", "A trained array, by its name in the open scope: of a network or a model.",
    context: "build or model",
    [Parameter("name", "string", "in the open scope"), Parameter("shape", "table", "a list of dimensions")],
    options: [
      Parameter(
        "init", "string", default: "uniform", oneOf: ["uniform", "normal", "constant"], "how the first values are drawn"
      ),
      Parameter("scale", "number", default: 0.1, "the bound, the deviation or the value"),
    ], returns: "Value|Tensor # a Tensor in a model")

  private static func parameter(_ arguments: Arguments, _ call: borrowing LuaCall, _ session: Session) throws {
    let scale = arguments.number("scale")
    guard arguments.text("init") == "constant" || scale >= 0 else {
      throw Fault(
        .recipe, "nas.nn.parameter: wrong option 'scale'", expected: "a bound or a deviation of at least 0",
        got: "\(scale)")
    }
    let initialiser: Initialiser =
      switch arguments.text("init") {
      case "normal": .normal(deviation: scale)
      case "constant": .constant(Float(scale))
      default: .uniform(bound: scale)
      }
    let shape = try TensorText.shape(arguments[1], in: call.name), name = arguments.text(0)
    if let model = session.models.last?.model {
      return try call.push(try model.parameter(name, shape, initialiser: initialiser))
    }
    guard session.isBuilding else {
      throw Fault(
        .recipe, "nas.nn.parameter was called outside of build and of any model",
        hint: "Call it inside a space's build, or inside nas.model(function(x) … end).")
    }
    let builder = try session.builder(for: "nas.nn.parameter")
    try call.push(SymbolObject(try builder.parameter(name, shape, initialiser: initialiser)))
  }

  /// `push_scope` and `pop_scope`, on which `nas.nn.scope` is built, and `extent`.
  func coreFunctions() -> [String: LuaFunction] {
    [
      "push_scope": { [session] call in
        let name = call.string(1) ?? ""
        if let model = session.models.last?.model { return try model.pushScope(name) }
        try session.builder(for: "nas.nn.scope").pushScope(name)
      },
      "pop_scope": { [session] _ in
        if let model = session.models.last?.model { return model.popScope() }
        try session.builder(for: "nas.nn.scope").popScope()
      },
      // lstm_cell(gates, c): h', c' of Tensors that fit together; nothing for others
      "lstm_cell": { [session] call in
        guard let gates = try call.object(1, as: Tensor.self), let state = try call.object(2, as: Tensor.self),
          let results = try session.tape().lstmCell(gates: gates, state: state)
        else { return }
        for result in results { try call.push(result) }
      },
      // lstm_step(x, h, c, weight, bias): h', c' of Tensors that fit together; nothing for others
      "lstm_step": { [session] call in
        guard let (inputs, _) = try Self.tensors(call, orListed: false), inputs.count == 5,
          let results = try session.tape().lstmStep(inputs)
        else { return }
        for result in results { try call.push(result) }
      },
      // extent(x, axis, name): the extent of an axis of a Value or a Tensor, and the axis counted from 1
      "extent": { call in
        let (extent, axis) = try Self.extent(call)
        call.push(extent)
        call.push(axis)
      },
    ]
  }

  /// The extent of an axis, and its number from 1; an error in the name of the function that asks.
  private static func extent(_ call: borrowing LuaCall) throws -> (extent: Int, axis: Int) {
    let axis = call.integer(2) ?? 0, name = call.string(3) ?? ""
    let tensor = try call.object(1, as: Tensor.self).map { Shape.array($0.shape) }
    guard let shape = try tensor ?? call.object(1, as: SymbolObject.self)?.symbol.shape else {
      throw Fault(.recipe, "\(name): wrong x", expected: "a Value or a Tensor", got: call.value(1).description)
    }
    guard shape.rank > 0 else {
      throw Fault(.recipe, "\(name): a single number has no axes", expected: "[N] or more axes", got: "[]")
    }
    guard let position = shape.position(ofAxis: axis) else {
      throw Fault(
        .recipe, "\(name): there is no such axis", expected: "1 to \(shape.rank), or -1 for the last, of \(shape)",
        got: "\(axis)")
    }
    if shape.hasBatch, position == 0 {
      throw Fault(.recipe, "\(name): the batch can't be the axis", expected: "2 to \(shape.rank)", got: "\(axis)")
    }
    return (shape.dimensions[position - (shape.hasBatch ? 1 : 0)], position + 1)
  }

  /// A layer without parameters on tensors, where such a call was made before; else false.
  private static func applyKnown(_ layer: TapeLayer, _ call: borrowing LuaCall, _ session: Session) throws -> Bool {
    let takesList = if case .atLeast = layer.op.arity { true } else { false }
    guard let (tensors, next) = try tensors(call, orListed: takesList) else { return false }
    let tape = try session.tape()
    guard let result = try tape.applyKnown(layer, tensors, options: { call.words(from: next, into: $0) }) else {
      return false
    }
    session.models.last?.model.countName(of: layer.op)
    try call.push(result)
    return true
  }

  /// The tensors that the arguments begin with, or with `orListed` that the first of them lists, and the position after
  /// them; nil without any.
  private static func tensors(
    _ call: borrowing LuaCall, orListed: Bool
  ) throws -> (tensors: [Tensor], next: Int)? {
    guard let first = try call.object(1, as: Tensor.self) else {
      guard orListed, let listed = call.objects(inList: 1, as: Tensor.self) else { return nil }
      return try call.object(2, as: Tensor.self) == nil ? (listed, 2) : nil
    }
    guard let second = try call.object(2, as: Tensor.self) else { return ([first], 2) }
    var tensors: [Tensor] = []
    tensors.reserveCapacity(call.count)
    tensors.append(first)
    tensors.append(second)
    while let next = try call.object(tensors.count + 1, as: Tensor.self) { tensors.append(next) }
    return (tensors, tensors.count + 1)
  }

  /// One layer: on values of a build it adds a node, on tensors it is computed at once.
  private static func apply(_ layer: TapeLayer, _ call: borrowing LuaCall, _ session: Session) throws {
    let op = layer.op, (inputs, next) = try inputs(of: op, call)
    guard !inputs.isEmpty else {
      let isBuild = session.models.isEmpty && session.isBuilding, isOutside = session.models.isEmpty && !isBuild
      throw Fault(
        .recipe, "\(call.name): wrong input", expected: isBuild ? "a value of nas.nn, such as x" : "a Tensor",
        got: call.count > 0 ? call.value(1).description : "nothing",
        hint: isOutside ? "The values of a network are there only inside a space's build function." : nil)
    }
    let tensors = inputs.compactMap(\.tensor)
    if tensors.count == inputs.count {
      try refuseList(for: op, after: tensors.count, call, at: next)
      let (attributes, name, stream) = try options(of: op, call, from: next, session)
      let tape = try session.tape()
      // A name is claimed by each call, and a stream is not the tape's: such calls are never known.
      let words = name == nil && stream == nil ? tape.words(layer, tensors) { call.words(from: next, into: $0) } : nil
      return try call.push(
        try compute(layer, tensors, attributes, name: name, from: stream, words: words, session))
    }
    let builder = try session.builder(for: call.name),
      (attributes, name, _) = try options(of: op, call, from: next, nil)
    let symbols = try inputs.map { try session.symbol($0, in: builder) }
    try call.push(SymbolObject(try builder.apply(op.name, symbols, attributes: attributes, name: name)))
  }

  /// Throws for a list of numbers where an op wants one more tensor, such as the labels of a batch.
  private static func refuseList(for op: Op, after count: Int, _ call: borrowing LuaCall, at position: Int) throws {
    guard case .exactly(let wanted) = op.arity, count < wanted, call.table(position)?[1].number != nil else { return }
    throw Fault(
      .recipe, "wrong argument \(position) of '\(call.name)'", expected: "a Tensor", got: "a list of numbers",
      hint: "Make it one: nas.tensor(batch.labels).")
  }

  /// A layer on tensors; one with parameters finds them in the model that is being called. What is drawn at random comes
  /// from the stream, where one is given.
  private static func compute(
    _ layer: TapeLayer, _ inputs: [Tensor], _ attributes: [String: JSONValue], name: String?,
    from stream: StreamObject?, words: [UInt64]?, _ session: Session
  ) throws -> Tensor {
    let tape = try session.tape()
    if let stream {
      return try tape.running(in: tape.mode, keys: { stream.stream.next() }) {
        try compute(layer, inputs, attributes, name: name, from: nil, words: nil, session)
      }
    }
    guard let model = session.models.last?.model else {
      return try tape.apply(layer, inputs, attributes: attributes, words: words)
    }
    return try model.apply(layer, inputs, attributes: attributes, name: name, words: words, on: tape)
  }

  /// The leading tensors and values, and lists of them where an op takes any number; the position after them.
  private static func inputs(of op: Op, _ call: borrowing LuaCall) throws -> (inputs: [LayerInput], next: Int) {
    var inputs: [LayerInput] = [], position = 1
    while position <= call.count {
      if let tensor = try call.object(position, as: Tensor.self) {
        inputs.append(.tensor(tensor))
      } else if let symbol = try call.object(position, as: SymbolObject.self) {
        inputs.append(.symbol(symbol.symbol))
      } else if case .atLeast = op.arity, let list = call.table(position)?.array, !list.isEmpty,
        let values = Self.all(list)
      {
        inputs += values
      } else {
        break
      }
      position += 1
    }
    return (inputs, position)
  }

  private static func all(_ values: [LuaValue]) -> [LayerInput]? {
    let inputs = values.compactMap { LayerInput($0) }
    return inputs.count == values.count ? inputs : nil
  }

  /// The required attributes in order, then the table of the others, the name, and with a session the stream of an op
  /// that draws random numbers.
  private static func options(
    of op: Op, _ call: borrowing LuaCall, from first: Int, _ session: Session?
  ) throws -> (attributes: [String: JSONValue], name: String?, stream: StreamObject?) {
    var position = first, attributes: [String: JSONValue] = [:], name: String?, stream: StreamObject?
    for schema in op.attributes where schema.standard == nil {
      // A table is a list where the attribute is one, else the options.
      let isList = schema.kind.takesList && (call.table(position)?.count ?? 0) > 0
      if position > call.count || (call.isTable(position) && !isList) { break }
      try refuse(call.value(position))
      attributes[schema.name] = try call.json(position)
      position += 1
    }
    if call.isTable(position) {
      for (key, value) in call.pairs(position) {
        guard let key = key.string else { throw call.wrong(position, expected: "named options") }
        try refuse(value)
        if key == "stream", let session, !op.isRepeatable {
          stream = try session.stream(given: value, in: call.name)
          continue
        }
        guard key == "name" else {
          attributes[key] = try LuaValues.json(value)
          continue
        }
        guard let text = value.string else {
          throw Fault(.recipe, "\(call.name): wrong option 'name'", expected: "a text", got: value.description)
        }
        name = text
      }
      position += 1
    }
    if position <= call.count, !call.isNil(position) { throw call.wrong(position, expected: "a table of options") }
    return (attributes, name, stream)
  }

  /// Throws for an open decision in the place of a number: the network needs its value.
  private static func refuse(_ value: LuaValue) throws {
    guard let handle = value.object(as: DecisionHandle.self) else { return }
    throw handle.refused
  }

  /// `x.channels`, `x.height`, `x.width`, `x.shape` (without the batch).
  private static func field(_ call: borrowing LuaCall) throws {
    let shape = try call.this(SymbolObject.self).symbol.shape
    let name = call.string(2) ?? call.value(2).description
    switch name {
    case "channels": call.push(shape.channels)
    case "shape": try call.push(JSONValue.array(shape.dimensions.map(JSONValue.int)))
    case "height" where shape.isImage: call.push(shape.height)
    case "width" where shape.isImage: call.push(shape.width)
    default:
      let known = ["channels", "shape"] + (shape.isImage ? ["height", "width"] : [])
      throw Fault(.recipe, "a value of shape \(shape) has no '\(name)'", hint: Suggestion.hint(for: name, among: known))
    }
  }
}
