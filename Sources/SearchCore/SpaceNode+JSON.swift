import Canonical
import Diagnostics

/// The JSON form of a definition: one object per node, whose `kind` is a constructor of the recipe language.
extension SpaceNode {
  var json: JSONValue {
    var fields: [String: JSONValue] = ["kind": .string(kind)]
    if let name { fields["name"] = .string(name) }
    switch self {
    case .constant(let value): fields["value"] = value
    case .record(let record):
      fields["fields"] = .object(Dictionary(record.fields.map { ($0.key, $0.node.json) }) { first, _ in first })
    case .tuple(let nodes): fields["items"] = .array(nodes.map(\.json))
    case .oneOf(let options, _): fields["options"] = .array(options.map(\.json))
    case .manyOf(let k, let options, let ordered, let distinct, _):
      fields["k"] = .int(k)
      fields["options"] = .array(options.map(\.json))
      fields["ordered"] = .bool(ordered)
      fields["distinct"] = .bool(distinct)
    case .list(let count, let element, _):
      fields["count"] = if case .fixed(let count) = count { .int(count) } else { .object(count.range.json) }
      fields["element"] = element.json
    case .int(let range, _): fields.merge(range.json) { first, _ in first }
    case .float(let range, _):
      fields["lower"] = .number(range.lower)
      fields["upper"] = .number(range.upper)
      fields["log"] = .bool(range.log)
    }
    return .object(fields)
  }

  /// Reads what `json` gave; throws a `data` fault on anything else. The definition is not checked yet.
  init(json: JSONValue) throws {
    let reader = NodeReader(json: json)
    let name = json["name"]?.string
    switch json["kind"]?.string {
    case "constant": self = .constant(try reader.field("value") { $0 })
    case "record":
      let fields = try reader.field("fields", \.object)
      self = .record(Record(try fields.map { (key: $0.key, value: try SpaceNode(json: $0.value)) }))
    case "tuple": self = .tuple(try reader.nodes("items"))
    case "oneof": self = .oneOf(try reader.nodes("options"), name: name)
    case "manyof":
      self = .manyOf(
        try reader.field("k", \.int), try reader.nodes("options"), ordered: try reader.field("ordered", \.bool),
        distinct: try reader.field("distinct", \.bool), name: name)
    case "list":
      let count = try reader.field("count") { $0 }
      let length = try count.int.map { .fixed($0) } ?? ListCount.between(NodeReader(json: count).range())
      self = .list(length, try SpaceNode(json: try reader.field("element") { $0 }), name: name)
    case "int": self = .int(try reader.range(), name: name)
    case "float":
      let bounds = (try reader.field("lower", \.double), try reader.field("upper", \.double))
      self = .float(FloatRange(bounds.0, bounds.1, log: try reader.field("log", \.bool)), name: name)
    default: throw reader.damaged("kind")
    }
  }
}

extension IntRange {
  fileprivate var json: [String: JSONValue] {
    ["lower": .int(lower), "upper": .int(upper), "step": .int(step), "log": .bool(log)]
  }
}

private struct NodeReader {
  let json: JSONValue

  func field<Value>(_ key: String, _ convert: (JSONValue) -> Value?) throws -> Value {
    guard let value = json[key].flatMap(convert) else { throw damaged(key) }
    return value
  }

  func nodes(_ key: String) throws -> [SpaceNode] {
    try field(key, \.array).map { try SpaceNode(json: $0) }
  }

  func range() throws -> IntRange {
    IntRange(
      try field("lower", \.int), try field("upper", \.int), step: try field("step", \.int),
      log: try field("log", \.bool))
  }

  func damaged(_ key: String) -> Fault {
    Fault(.data, "damaged search space", path: key, got: json[key]?.text() ?? "nothing")
  }
}
