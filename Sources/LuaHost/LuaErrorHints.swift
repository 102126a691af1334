/// What to do about errors of Lua itself, whose texts say what happened and not why.
enum LuaErrorHints {
  /// A sentence for the text of a Lua error without its place; nil when there is nothing to add.
  ///
  /// - Parameter missing: what the script was told a moment ago that isn't there.
  static func hint(for message: String, missing: String?) -> String? {
    if let match = message.firstMatch(of: #/attempt to index a nil value \(local '(search|trial|state)'\)/#) {
      return "'\(match.1)' has no value there. A function of a \(match.1) is given to nas.search without a call: "
        + "\(options[String(match.1)]!) = f, not f()."
    }
    if let match = message.firstMatch(of: #/attempt to index a function value \(\w+ '(\w+)'\)/#) {
      return "'\(match.1)' is a function: call it, and index what it returns."
    }
    if let match = message.firstMatch(of: #/attempt to index a nil value \(\w+ '(\w+)'\)/#) {
      return "'\(match.1)' has no value there: check how it is spelt, and that something was assigned to it before."
    }
    if let match = message.firstMatch(of: #/attempt to call a nil value \(\w+ '(\w+)'\)/#) {
      return "There is no function '\(match.1)': check how it is spelt."
    }
    if message.hasPrefix("attempt to index a nil value") || message.hasPrefix("attempt to call a nil value") {
      return nilHint
    }
    let concernsNil = #/^attempt to (compare|perform arithmetic|concatenate).* nil\b|^bad 'for' .*got nil\)/#
    return message.contains(concernsNil) ? missing ?? nilHint : nil
  }

  /// The options of nas.search that are functions, by what they are given.
  private static let options = ["search": "strategy", "trial": "evaluate", "state": "stop"]

  private static let nilHint = "A variable, field or metric that isn't there is nil: check how it is spelt."
}
