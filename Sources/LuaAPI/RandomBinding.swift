import Diagnostics
import LuaHost
import TensorCore

/// A named random stream as scripts hold it.
///
/// Inside a scope it gives other numbers, which depend on the scope's name too; outside it goes on as if nothing had
/// been drawn there. So what a trial draws shifts nobody when the trial is taken from the journal.
final class StreamObject: LuaObject {
  static let luaName = "Stream"
  let name: String
  /// What is drawn in a stretch of work depends on the name alone.
  var orderKey: String? { name }
  private let seed: UInt64
  private let scopes: RandomScopes
  private var own: RandomStream
  private var scoped: (scope: RandomScope, stream: RandomStream)?

  init(seed: UInt64, name: String, scopes: RandomScopes) {
    self.name = name
    self.seed = seed
    self.scopes = scopes
    own = RandomStream(seed: seed, name: name)
  }

  /// The generator to draw from now.
  var stream: RandomStream {
    get {
      guard let scope = scopes.current else { return own }
      if let scoped, scoped.scope === scope { return scoped.stream }
      return RandomStream(seed: seed, name: scope.name + "/" + name)
    }
    set {
      if let scope = scopes.current { scoped = (scope, newValue) } else { own = newValue }
    }
  }
}

/// One entry into a stretch of work that has random numbers of its own.
final class RandomScope {
  let name: String
  init(_ name: String) { self.name = name }
}

/// The scope in which a run's streams draw; none between trials.
final class RandomScopes {
  private(set) var current: RandomScope?

  /// Runs `body` with the streams of a new scope.
  func enter<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    let outer = current
    current = RandomScope(name)
    defer { current = outer }
    return try body()
  }
}

extension Session {
  /// The stream that an option names or is.
  func stream(given value: LuaValue, in function: String) throws -> StreamObject {
    if let stream = value.object(as: StreamObject.self) { return stream }
    guard let name = value.string else {
      throw Fault(
        .recipe, "\(function): wrong option 'stream'", expected: "a name or a Stream", got: value.description)
    }
    return stream(name)
  }
}

/// `nas.stream(name)` and the methods of `Stream`.
enum RandomBinding {
  static func declare(_ api: API) throws {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      StreamObject.self, methods: api.methods(methods),
      metamethods: [
        .index: API.unknownName(of: "Stream", methods),
        .text: { call in call.push("Stream(\(try call.this(StreamObject.self).name))") },
      ])
  }

  private static let classDeclaration = ClassDeclaration(
    "Stream", object: "stream",
    """
    A named stream of random numbers: they depend on the run's seed and the name alone.
    """)

  private static let this = Parameter("stream", "Stream")

  private static var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration("stream:uniform", "A number in [0, 1), 53 random bits.", [this], returns: "number"),
        { arguments, call in call.push(try arguments.object(0, as: StreamObject.self).stream.uniform()) }
      ),
      (
        Declaration("stream:normal", "A number from the standard normal distribution.", [this], returns: "number"),
        { arguments, call in call.push(try arguments.object(0, as: StreamObject.self).stream.normal()) }
      ),
      (
        Declaration(
          "stream:integer", "A whole number from `low` to `high`, both included, all equally likely.",
          [this, Parameter("low", "integer", "the smallest"), Parameter("high", "integer", "the largest")],
          returns: "integer"),
        { arguments, call in call.push(try integer(arguments)) }
      ),
      (
        Declaration(
          "stream:choice", "One element of a list, all equally likely.",
          [this, Parameter("list", "table", "with one element at least")],
          returns: "any # the element"),
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
          "stream:categorical", "The position of an element of a list of weights, each as likely as its weight.",
          [this, Parameter("weights", "table", "numbers from 0, not all 0; they need not sum to 1")],
          returns: "integer # a position from 1"),
        { arguments, call in call.push(try categorical(arguments)) }
      ),
      (
        Declaration(
          "stream:shuffle", "Puts a list in a random order, in place.",
          [this, Parameter("list", "table", "is changed")],
          returns: "nothing"),
        { arguments, _ in
          guard let list = arguments[1].table else { return }
          var elements = list.array
          try arguments.object(0, as: StreamObject.self).stream.shuffle(&elements)
          for (index, element) in elements.enumerated() { try list.set(.integer(index + 1), to: element) }
        }
      ),
    ]
  }

  /// One uniform number, whatever the weights.
  private static func categorical(_ arguments: Arguments) throws -> Int {
    let values = arguments[1].table?.array ?? [], weights = values.compactMap(\.number)
    let total = weights.reduce(0, +)
    guard weights.count == values.count, weights.allSatisfy({ $0 >= 0 }), total > 0, total.isFinite else {
      let wrong = values.first { !(($0.number ?? -1) >= 0) }
      throw Fault(
        .recipe, "stream:categorical: wrong weights", expected: "numbers from 0, not all 0, with a finite sum",
        got: wrong?.description ?? "a sum of \(total)")
    }
    var rest = try arguments.object(0, as: StreamObject.self).stream.uniform() * total
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return index + 1 }
    }
    return (weights.lastIndex { $0 > 0 } ?? 0) + 1
  }

  private static func integer(_ arguments: Arguments) throws -> Int {
    let low = arguments.integer(1), high = arguments.integer(2)
    guard low <= high, high.subtractingReportingOverflow(low).overflow == false, high - low < Int.max else {
      throw Fault(.recipe, "stream:integer: wrong range", expected: "low ≤ high", got: "\(low), \(high)")
    }
    return low + (try arguments.object(0, as: StreamObject.self)).stream.uniform(below: high - low + 1)
  }
}
