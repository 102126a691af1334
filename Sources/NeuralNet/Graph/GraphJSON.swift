import Canonical
import Diagnostics

extension Graph {
  /// The version of the JSON form.
  static let jsonVersion = 1

  /// The graph as JSON: inputs, parameters that belong to no layer, nodes with their op, path, inputs (paths of nodes and
  /// of those parameters, names of inputs) and attributes, outputs. Shapes and the layers' parameters follow from it.
  public var json: JSONValue {
    let free = parameters.filter(\.isFree)
    return [
      "format": "nasrun.graph", "version": .int(Self.jsonVersion),
      "inputs": .array(
        inputs.map {
          ["name": .string($0.name), "shape": .array(values[$0.value].shape.dimensions.map { .int($0) })]
        }),
      "parameters": .array(
        free.map {
          [
            "path": .string($0.path), "shape": .array($0.shape.dimensions.map(JSONValue.int)),
            "start": $0.initialiser.json,
          ]
        }),
      "nodes": .array(nodes.map(json(of:))),
      "outputs": .array(outputs.map { ["name": .string($0.name), "value": .string(name(of: $0.value))] }),
    ]
  }

  private func json(of node: Node) -> JSONValue {
    let activations = node.inputs.filter { input in
      if case .parameter(let index) = origins[input] { parameters[index].isFree } else { true }
    }
    return [
      "op": .string(node.op.name), "path": .string(node.path), "attributes": .object(node.attributes.values),
      "inputs": .array(activations.map { .string(name(of: $0)) }),
    ]
  }

  private func name(of value: Int) -> String {
    switch origins[value] {
    case .input(let index): inputs[index].name
    case .parameter(let index): parameters[index].path
    case .node(let index): nodes[index].path
    }
  }

  /// Reads the JSON form; every check of a build is made again. Throws a `data` fault that names `source`.
  public init(json: JSONValue, source: String) throws {
    do {
      self = try Self.read(json)
    } catch let fault as Fault {
      throw Fault(
        .data, "\(source) is not a graph that this version reads", path: fault.path, expected: fault.expected,
        got: fault.got, hint: fault.hint, cause: fault.message)
    }
  }

  private static func read(_ json: JSONValue) throws -> Graph {
    guard json["format"] == "nasrun.graph", json["version"]?.int == jsonVersion else {
      throw Fault(
        .data, "wrong format", expected: "nasrun.graph, version \(jsonVersion)",
        got: "\(json["format"] ?? nil), version \(json["version"] ?? nil)")
    }
    let inputs = try list(json, "inputs").map { input in
      (name: try text(input, "name"), shape: try list(input, "shape").map { $0.int ?? 0 })
    }
    let builder = try GraphBuilder(inputs: inputs)
    var symbols = Dictionary(uniqueKeysWithValues: zip(inputs.map(\.name), builder.inputs))
    for parameter in json["parameters"]?.array ?? [] {
      let path = try text(parameter, "path")
      guard let initialiser = Initialiser(json: parameter["start"]) else {
        throw Fault(.data, "a parameter has no known start", path: path)
      }
      symbols[path] = try builder.parameter(
        path: path, try list(parameter, "shape").map { $0.int ?? 0 }, initialiser: initialiser)
    }
    func value(_ name: String, path: String) throws -> Symbol {
      guard let symbol = symbols[name] else {
        throw Fault(.data, "'\(name)' is used before it is defined", path: path)
      }
      return symbol
    }
    for node in try list(json, "nodes") {
      let path = try text(node, "path")
      let inputs = try list(node, "inputs").map { try value($0.string ?? "", path: path) }
      symbols[path] = try builder.apply(
        try text(node, "op"), inputs, attributes: node["attributes"]?.object ?? [:], path: path)
    }
    return try builder.finish(
      outputs: try list(json, "outputs").map { output in
        let name = try text(output, "name")
        return (name, try value(try text(output, "value"), path: name))
      })
  }

  private static func list(_ json: JSONValue, _ key: String) throws -> [JSONValue] {
    guard let list = json[key]?.array else {
      throw Fault(
        .data, "a field is missing or wrong", path: key, expected: "a list", got: json[key]?.text() ?? "nothing")
    }
    return list
  }

  private static func text(_ json: JSONValue, _ key: String) throws -> String {
    guard let text = json[key]?.string else {
      throw Fault(
        .data, "a field is missing or wrong", path: key, expected: "a text", got: json[key]?.text() ?? "nothing")
    }
    return text
  }
}
