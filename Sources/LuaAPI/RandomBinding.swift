import Diagnostics
import LuaHost
import TensorCore

/// A named random stream as scripts hold it.
final class StreamObject: LuaObject {
  static let luaName = "Stream"
  var stream: RandomStream
  let name: String

  init(seed: UInt64, name: String) {
    self.name = name
    stream = RandomStream(seed: seed, name: name)
  }
}

/// `nas.stream(name)` and the methods of `Stream`.
enum RandomBinding {
  static func declare(_ api: API) throws {
    let this = Parameter("stream", "Stream")
    try api.host.declare(
      StreamObject.self,
      methods: api.methods([
        (
          Declaration("stream:uniform", "A number in [0, 1), 53 random bits.", [this]),
          { arguments, call in call.push(try arguments.object(0, as: StreamObject.self).stream.uniform()) }
        ),
        (
          Declaration("stream:normal", "A number from the standard normal distribution.", [this]),
          { arguments, call in call.push(try arguments.object(0, as: StreamObject.self).stream.normal()) }
        ),
        (
          Declaration(
            "stream:integer", "A whole number from `low` to `high`, both included, all equally likely.",
            [this, Parameter("low", "integer"), Parameter("high", "integer")]),
          { arguments, call in call.push(try integer(arguments)) }
        ),
        (
          Declaration(
            "stream:choice", "One element of a list, all equally likely.", [this, Parameter("list", "table")]),
          { arguments, call in
            guard let list = arguments[1].table, list.count > 0 else {
              throw Fault(.recipe, "stream:choice: wrong list", expected: "at least one element", got: "none")
            }
            let stream = try arguments.object(0, as: StreamObject.self)
            try call.push(list[stream.stream.uniform(below: list.count) + 1])
          }
        ),
        (
          Declaration(
            "stream:shuffle", "Puts a list in a random order, in place.", [this, Parameter("list", "table")]),
          { arguments, _ in
            guard let list = arguments[1].table else { return }
            var elements = list.array
            try arguments.object(0, as: StreamObject.self).stream.shuffle(&elements)
            for (index, element) in elements.enumerated() { try list.set(.integer(index + 1), to: element) }
          }
        ),
      ]),
      metamethods: [.text: { call in call.push("Stream(\(try call.this(StreamObject.self).name))") }])
  }

  private static func integer(_ arguments: Arguments) throws -> Int {
    let low = arguments.integer(1), high = arguments.integer(2)
    guard low <= high, high.subtractingReportingOverflow(low).overflow == false, high - low < Int.max else {
      throw Fault(.recipe, "stream:integer: wrong range", expected: "low ≤ high", got: "\(low), \(high)")
    }
    return low + (try arguments.object(0, as: StreamObject.self)).stream.uniform(below: high - low + 1)
  }
}
