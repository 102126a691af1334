import Canonical
import Foundation

/// The recipe of an exported network: it scores the network as it was exported, trains it on, and scores it again.
struct ExportedRecipe {
  /// What was exported, in one line: `trial 12 of the search search1 in the run …`.
  var title: String
  /// The decisions as text.
  var architecture: String
  /// What `architecture.json` says.
  var description: JSONValue

  private var training: JSONValue? { description["training"]?.array?.last }
  /// The data of the last training, or those that the network was made for.
  private var data: JSONValue? { training ?? description["made_for"] }
  private var split: String { description["score"]?["split"]?.string ?? "test" }

  var text: String {
    """
    -- \(Self.comment(title))
    -- \(Self.comment(architecture))
    --\(weights)
    -- Made by 'nasrun export'; it needs nothing but the files beside it:
    --   nasrun recipe.lua --set epochs=3        (--set data=FOLDER: other data)
    -- scores the network as it was exported, trains it on, scores it again and saves it. The weights are all that it
    -- takes over: the momentum starts at 0 and the schedule at its beginning, from a tenth of the learning rate.

    local nas = require "nas"
    local args = nas.args {
      data = \(Self.literal(source)),
      epochs = 3,  -- 0: only score it
      lr = \(Self.literal(.number(learningRate))),
    }
    \(check)
    local data = \(opening)
    local network = nas.load_network(nas.run.recipe_folder, { data = data })
    \(recorded)
    local function score(title)
      local metrics, words = network:evaluate(data, { split = \(Self.literal(.string(split))) }), {}
      for name, value in pairs(metrics) do words[#words + 1] = ("%s %.6g"):format(name, value) end
      print(("%-19s%s"):format(title, table.concat(words, "  ")))
      return metrics
    end

    local exported = score("as exported")
    \(comparison)
    if args.epochs > 0 then
      network:fit {
        data = data, split = \(Self.literal(training?["split"] ?? "train")), epochs = args.epochs, lr = args.lr,
        \(options)
      }
      score("after training on")
      print("saved in " .. network:save())
    end

    """
  }

  /// What there is to say of weights that are only drawn.
  private var weights: String {
    description["has_first_weights"]?.bool == true
      ? " Its weights are the first, random ones: nothing trained or loaded them.\n--" : ""
  }

  /// What the data were opened by; empty when nobody noted it.
  private var source: JSONValue { data?["opened"]?["source"] ?? "" }

  /// The expression that opens the data as they were, or the fold of them that the network was trained on.
  private var opening: String {
    let opened = data?["opened"]
    let whole = "nas.data.open(args.data, \(Self.literal(opened?["options"] ?? [:])))"
    guard let fold = opened?["fold"], let number = fold["number"]?.int, let count = fold["count"]?.int else {
      return whole
    }
    return "\(whole):folds(\(count), { seed = \(fold["seed"]?.int ?? 0) })[\(number)]"
  }

  private var learningRate: Double { (training?["options"]?["lr"]?.double ?? 0.1) / 10 }

  private var check: String {
    guard source == "" else { return "" }
    return """
      if args.data == "" then
        nas.fail("name the data that the network is for: nasrun recipe.lua --set data=FOLDER")
      end

      """
  }

  /// The table of recorded scores with the digest of the data.
  private var recorded: String {
    guard let metrics = description["score"]?["metrics"], let digest = data?["data"]?["digest"] else { return "" }
    return """
      local recorded = \(Self.literal(metrics))
      local is_same_data = data.digest == \(Self.literal(digest))

      """
  }

  private var comparison: String {
    guard !recorded.isEmpty else { return "" }
    return """
      if is_same_data then
        local is_same = true
        for name, value in pairs(recorded) do is_same = is_same and exported[name] == value end
        print(is_same and "as recorded, bit for bit" or "not as recorded: other numerics, see numerics in metrics.json")
      else
        print("these are other data than those that it was made for")
      end

      """
  }

  /// The options of the last training but for those that are settings.
  private var options: String {
    let known = training?["options"]?.object ?? [:]
    var fields = known.filter { !["epochs", "lr", "undecayed", "schedule_epochs"].contains($0.key) }
    if let undecayed = known["undecayed"]?.array { fields["decay_norm"] = .bool(undecayed.isEmpty) }
    var lines = [""]
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      let field = Self.field(key, value) + ","
      if lines[lines.count - 1].count + field.count > 100 { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + field
    }
    return lines.joined(separator: "\n    ")
  }

  // MARK: - Lua text

  private static func comment(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// A value as a Lua expression: tables for lists and objects, keys in order.
  static func literal(_ value: JSONValue) -> String {
    switch value {
    case .null: "nil"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .number(let value) where value.isNaN: "0/0"
    case .number(let value) where value.isInfinite: value < 0 ? "-math.huge" : "math.huge"
    case .number(let value): "\(value)"
    case .string(let text): quoted(text)
    case .array(let values): "{ " + values.map { literal($0) }.joined(separator: ", ") + " }"
    case .object(let fields) where fields.isEmpty: "{}"
    case .object(let fields):
      "{ " + fields.sorted { $0.key < $1.key }.map { field($0.key, $0.value) }.joined(separator: ", ") + " }"
    }
  }

  /// `epochs = 3`, or `["a key"] = 3` where the key is no name.
  private static func field(_ key: String, _ value: JSONValue) -> String {
    let isName = key.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil && !keywords.contains(key)
    return "\(isName ? key : "[\(quoted(key))]") = \(literal(value))"
  }

  private static let keywords: Set<String> = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
  ]

  /// A Lua string: quotes, backslashes and control characters by their codes.
  private static func quoted(_ text: String) -> String {
    var out = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += "\\" + String(UnicodeScalar(byte))
      case 0..<32, 127...: out += "\\" + String(format: "%03d", Int(byte))
      default: out.unicodeScalars.append(UnicodeScalar(byte))
      }
    }
    return out + "\""
  }
}
