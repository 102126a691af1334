/// The one error value of nasrun, the same in Swift and in Lua.
///
/// A fault says what was expected, what came, where, and what to do next. Its text is one compact paragraph; the
/// fields stay apart so that a recipe can read them (`err.code`, `err.at`, …) and a command can print them as JSON.
public struct Fault: Error, Sendable, Equatable {
  /// Whose hands the remedy is in; it also decides the exit status of the command.
  public enum Code: String, Sendable, CaseIterable {
    /// A wrong command line.
    case usage
    /// A mistake in a recipe, including a wrong argument to an API function.
    case recipe
    /// A data set, weight file or journal that can't be read as what it claims to be.
    case data
    /// A limit was reached: memory, time without a host call, disk.
    case limit
    /// The user or the system asked for the end.
    case interrupted
    /// A defect of nasrun itself.
    case `internal`

    /// The exit status, after `sysexits.h` where it has one.
    public var exitStatus: Int32 {
      switch self {
      case .usage: 64
      case .recipe, .limit: 65
      case .data: 66
      case .internal: 70
      case .interrupted: 130
      }
    }
  }

  public var code: Code
  /// What went wrong, as a clause without a full stop.
  public var message: String
  /// `file:line` of the recipe, or `file, offset N` of a data file.
  public var at: String?
  /// The place in a network or a space: `block2/mb3/conv1`, `space.blocks[2].op`.
  public var path: String?
  public var expected: String?
  public var got: String?
  /// What to do next, as a sentence.
  public var hint: String?
  /// The error that led to this one, as text.
  public var cause: String?

  public init(
    _ code: Code, _ message: String, at: String? = nil, path: String? = nil, expected: String? = nil,
    got: String? = nil, hint: String? = nil, cause: String? = nil
  ) {
    self.code = code
    self.message = message
    self.at = at
    self.path = path
    self.expected = expected
    self.got = got
    self.hint = hint
    self.cause = cause
  }

  /// The same fault with the recipe line filled in, unless it has one. The place in a data file then stands behind it.
  public func located(at line: String?) -> Fault {
    guard let line else { return self }
    var copy = self
    if let at {
      guard code == .data, at.firstMatch(of: #/:\d+$/#) == nil else { return self }
      copy.path = [at, path].compactMap { $0 }.joined(separator: ": ")
    }
    copy.at = line
    return copy
  }
}

extension Fault: CustomStringConvertible {
  /// `at: path: message: expected X, got Y. Hint.`
  public var description: String {
    var text = [at, path].compactMap { $0 }.map { $0 + ": " }.joined() + message
    switch (expected, got) {
    case (let expected?, let got?): text += ": expected \(expected), got \(got)"
    case (let expected?, nil): text += ": expected \(expected)"
    case (nil, let got?): text += ": got \(got)"
    case (nil, nil): break
    }
    if let cause { text += " (\(cause))" }
    if let hint { text += ". " + hint }
    return text
  }
}
