import Canonical

extension Reference {
  /// The whole reference, as `nasrun api --json` prints it.
  public var json: JSONValue {
    .object([
      "schema": 1, "nasrun": .string(nasrunVersion),
      "areas": .array(
        areas.map { area in
          .object([
            "name": .string(area.name), "title": .string(area.title), "entries": .array(area.entries.map(\.json)),
          ])
        }),
    ])
  }
}

extension Reference.Entry {
  /// The entry of `nasrun api NAME --json`.
  public var json: JSONValue {
    switch self {
    case .function(let function): function.json
    case .type(let type):
      .object([
        "kind": "class", "name": .string(type.name), "doc": .string(type.doc),
        "fields": .array(type.fields.map(\.json)), "operators": .array(type.operators.map { .string($0) }),
      ])
    case .value(let value):
      .object([
        "kind": "value", "name": .string(value.name), "type": .string(value.type.text), "doc": .string(value.doc),
        "source": value.source.map { .string($0) } ?? .null,
      ])
    }
  }
}

extension Declaration {
  fileprivate var json: JSONValue {
    .object([
      "kind": .string(isMethod ? "method" : "function"), "name": .string(name), "signature": .string(signature),
      "doc": .string(doc), "context": .string(context), "source": source.map { .string($0) } ?? .null,
      "parameters": .array(arguments.map(\.json)), "options": options.map { .array($0.map(\.json)) } ?? .null,
      "returns": .array(resultTypes.map { .string($0.text) }), "returns_doc": .string(resultDoc),
      "example": example.map { .string($0) } ?? .null,
    ])
  }
}

extension Parameter {
  fileprivate var json: JSONValue {
    .object([
      "name": .string(name), "type": .string(type.text), "required": .bool(isRequired),
      "default": defaultValue ?? .null, "minimum": minimum.map { .number($0) } ?? .null,
      "maximum": maximum.map { .number($0) } ?? .null,
      "choices": choices.map { .array($0.map { .string($0) }) } ?? .null, "doc": .string(doc),
    ])
  }
}
