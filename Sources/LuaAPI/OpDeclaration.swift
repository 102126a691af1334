import NeuralNet

extension Declaration {
  /// The declaration of a layer from its record in the op table: inputs, then the attributes that have no default, then
  /// the others and `name` as options. A kernel's size is given by name too, as everybody writes it.
  init(of op: Op, named name: String) {
    let inputs: [Parameter]
    switch op.arity {
    case .exactly(let count):
      inputs = (0..<count).map { Parameter(count == 1 ? "x" : "x\($0 + 1)", "Value|Tensor", "an input") }
    case .atLeast: inputs = [Parameter("...", "Value|Tensor|table", "two inputs or more, or a list of them")]
    }
    let attributes = op.attributes.map { schema in
      Parameter(
        schema.name, schema.kind.type, default: schema.standard, min: schema.kind.bounds?.lowerBound,
        max: schema.kind.bounds?.upperBound, oneOf: schema.kind.words, schema.documentation)
    }
    let isPositional = { (attribute: Parameter) in attribute.isRequired && attribute.name != "kernel" }
    self.init(
      name, op.documentation, context: "build or model", inputs + attributes.filter(isPositional),
      options: attributes.filter { !isPositional($0) } + (op.isRepeatable ? [] : [Self.stream]) + [
        Parameter("name", "string", optional: true, "the node's name in its scope")
      ],
      returns: "Value|Tensor # of the inputs' class; a Tensor beside a Value becomes a constant of the network")
  }

  /// The option of ops that draw random numbers.
  private static let stream = Parameter(
    "stream", "string|Stream", optional: true, "where Tensors are drawn from; a network draws by the node's path")
}

extension AttributeSchema.Kind {
  /// The Lua values of an attribute of this kind.
  fileprivate var type: ArgumentType {
    switch self {
    case .integer: "integer"
    case .pair, .stride: "integer|integer[]"
    case .padding: "integer|integer[]|string"
    case .number: "number"
    case .boolean: "boolean"
    case .integers: "integer[]"
    case .numbers: "number[]"
    case .text: "string"
    }
  }

  /// The range of a number.
  fileprivate var bounds: ClosedRange<Double>? {
    switch self {
    case .integer(let range), .pair(let range): Double(range.lowerBound)...Double(range.upperBound)
    case .number(let range): range
    case .stride, .padding, .boolean, .integers, .numbers, .text: nil
    }
  }

  fileprivate var words: [String]? { if case .text(let words) = self { words } else { nil } }
}
