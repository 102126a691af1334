import Canonical
import Diagnostics
import LuaHost
import NeuralNet

/// What a layer takes: a tensor, or a value of the network that is being built.
enum LayerInput {
  case tensor(Tensor)
  case symbol(Symbol)

  /// Nil for anything else.
  init?(_ value: LuaValue) {
    if let tensor = value.object(as: Tensor.self) {
      self = .tensor(tensor)
    } else if let symbol = value.object(as: SymbolObject.self) {
      self = .symbol(symbol.symbol)
    } else {
      return nil
    }
  }

  var tensor: Tensor? { if case .tensor(let tensor) = self { tensor } else { nil } }
}

extension Session {
  /// The input as a value of a network; the numbers of a tensor become part of the network. Throws a `recipe` fault for
  /// a tensor that is trained: only `nn.parameter` makes those of a network.
  func symbol(_ input: LayerInput, in builder: GraphBuilder) throws -> Symbol {
    switch input {
    case .symbol(let symbol): return symbol
    case .tensor(let tensor):
      guard !tensor.requiresGradient else {
        throw Fault(
          .recipe, "a tensor with a gradient can't be part of a network", path: tensor.name,
          expected: "constant numbers, or nn.parameter", got: "a Tensor with requires_grad",
          hint: "tensor:detach() gives its numbers alone.")
      }
      return try builder.apply(
        "literal", [],
        attributes: [
          "values": .array(tensor.values.map { .number(Double($0)) }),
          "shape": .array(tensor.shape.map { .int($0) }),
        ])
    }
  }
}

/// `+ - * / ^` on the values of a network that is being built, with numbers and tensors.
struct ValueOperators {
  let session: Session

  var metamethods: [LuaMetamethod: LuaFunction] {
    [
      .add: operation("add", "+") { ["add": .number($0)] },
      .subtract: operation(
        "sub", "-", left: { ["add": .number(-$0)] }, right: { ["multiply": -1, "add": .number($0)] }),
      .multiply: operation("mul", "*") { ["multiply": .number($0)] },
      .divide: operation("div", "/"),
      .power: { [session] call in
        guard let exponent = call.number(2), let base = try call.object(1, as: SymbolObject.self) else {
          throw Self.wrong(call, "^", expected: "a Value to the power of a number, as in x ^ 2")
        }
        let attributes: [String: JSONValue] = ["exponent": .number(exponent)]
        try Self.push("pow", [base.symbol], attributes, call, session)
      },
      .negate: { [session] call in
        try Self.push("scale", [try call.this(SymbolObject.self).symbol], ["multiply": -1], call, session)
      },
    ]
  }

  /// An operator that is the same from both sides when one operand is a number.
  private func operation(
    _ op: String, _ sign: String, _ scale: @escaping (Double) -> [String: JSONValue]
  ) -> LuaFunction {
    operation(op, sign, left: scale, right: scale)
  }

  /// An operator as an op of two values.
  ///
  /// - Parameters:
  ///   - left: the attributes of `scale` that do the same with a number as the second operand.
  ///   - right: with a number as the first.
  private func operation(
    _ op: String, _ sign: String, left: ((Double) -> [String: JSONValue])? = nil,
    right: ((Double) -> [String: JSONValue])? = nil
  ) -> LuaFunction {
    { [session] call in
      let operands = [call.value(1), call.value(2)], inputs = operands.map { LayerInput($0) }
      if let number = call.number(2), let left, case .symbol(let symbol) = inputs[0] {
        return try Self.push("scale", [symbol], left(number), call, session)
      }
      if let number = call.number(1), let right, case .symbol(let symbol) = inputs[1] {
        return try Self.push("scale", [symbol], right(number), call, session)
      }
      let builder = try session.builder(for: "the operator '\(sign)'")
      let symbols = try zip(operands, inputs).map { value, input in
        guard let input = try input ?? value.number.map({ LayerInput.tensor(try Tensor([], [Float($0)])) }) else {
          throw Self.wrong(call, sign, expected: "a Value and a Value, a Tensor or a number")
        }
        return try session.symbol(input, in: builder)
      }
      try Self.push(op, symbols, [:], call, session)
    }
  }

  private static func push(
    _ op: String, _ inputs: [Symbol], _ attributes: [String: JSONValue], _ call: borrowing LuaCall, _ session: Session
  ) throws {
    let builder = try session.builder(for: "an operator")
    try call.push(SymbolObject(try builder.apply(op, inputs, attributes: attributes)))
  }

  private static func wrong(_ call: borrowing LuaCall, _ sign: String, expected: String) -> Fault {
    Fault(
      .recipe, "wrong operands of '\(sign)'", expected: expected,
      got: "\(call.value(1).description) \(sign) \(call.value(2).description)")
  }
}
