import Canonical
import Datasets
import Diagnostics
import Foundation
import LuaHost

/// Data as scripts hold it.
final class DataObject: LuaObject {
  static let luaName = "Data"
  let dataset: Dataset
  /// The same with the held-out images back in the training part.
  lazy var joined = dataset.joined()
  var nativeBytes: Int { dataset.train.set.pixels.count + dataset.test.set.pixels.count }
  var orderKey: String? { dataset.digest }

  init(_ dataset: Dataset) { self.dataset = dataset }

  /// The images of a split and the normalisation that goes with them.
  func split(_ name: String) throws -> (images: ImageSelection, normalisation: Normalisation, digest: String) {
    switch name {
    case "train": return (dataset.train, dataset.normalisation, dataset.train.digest)
    case "test": return (dataset.test, dataset.normalisation, dataset.test.digest)
    case "train+valid": return (joined.train, joined.normalisation, joined.train.digest)
    case "valid":
      guard let valid = dataset.valid else {
        throw Fault(
          .recipe, "these data have no validation split", hint: "Open them with nas.data.open(…, { valid = 0.2 }).")
      }
      return (valid, dataset.normalisation, valid.digest)
    default:
      let names = ["train", "valid", "test", "train+valid"]
      throw Fault(
        .recipe, "unknown split '\(name)'", hint: Suggestion.hint(for: name, among: names))
    }
  }
}

/// `nas.data.open` and what a recipe sees of data.
struct DataBinding {
  let api: API
  let session: Session

  func declare() throws -> [(Declaration, API.Body)] {
    let batches = BatchBinding(api: api, session: session)
    try batches.declare()
    try api.host.declare(
      DataObject.self, methods: api.methods(batches.methods),
      metamethods: [
        .text: { call in call.push(Self.text(of: try call.this(DataObject.self).dataset)) },
        .index: { call in
          let dataset = try call.this(DataObject.self).dataset, name = call.string(2) ?? ""
          guard let value = Self.fields(of: dataset)[name] else {
            throw Fault(
              .recipe, "data have no '\(name)'", hint: Suggestion.hint(for: name, among: Self.fields(of: dataset).keys))
          }
          try call.push(value)
        },
      ])
    return [(Self.declaration, open)]
  }

  private static let declaration = Declaration(
    "nas.data.open",
    """
    Opens images: "shapes" (drawn by nasrun) or the path of a folder with the four IDX files. The training images are
    split by class; the split depends on the options and their seed alone. Normalisation comes from the training part.
    """,
    [Parameter("source", "string")],
    options: [
      Parameter(
        "valid", "number", optional: true, min: 0,
        "held-out part of the training images: a fraction below 1, or a count"),
      Parameter("limit", "integer", optional: true, min: 1, "use at most so many training images, stratified"),
      Parameter("test_limit", "integer", optional: true, min: 1, "use at most so many test images, stratified"),
      Parameter("seed", "integer", default: 0, min: 0, "of the split"),
    ],
    returns: "Data: name, classes, image { height, width, channels }, train, valid, test (counts), digest")

  private func open(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let options = Dataset.Options(
      valid: arguments["valid"].number.map { $0 < 1 ? .fraction($0) : .count(Int($0)) },
      limit: arguments["limit"].integer, testLimit: arguments["test_limit"].integer,
      seed: UInt64(arguments.integer("seed")))
    var source = arguments.text(0)
    if !DataRegistry.names.contains(source), source.contains("/") || session.access.exists(source) {
      source = try session.access.resolve(source).path(percentEncoded: false)
    }
    let key = source + options.valid.debugDescription + "\(options)"
    let data: DataObject
    if let open = session.openData[key] {
      data = open
    } else {
      data = DataObject(try DataRegistry.open(source, options: options))
      session.openData[key] = data
      data.dataset.warnings.forEach(session.warn)
      session.note(data: data.dataset)
    }
    try call.push(data)
  }

  private static func fields(of dataset: Dataset) -> [String: JSONValue] {
    var fields = dataset.json.object ?? [:]
    fields["classes"] = .int(dataset.classNames.count)
    fields["class_names"] = .array(dataset.classNames.map(JSONValue.string))
    return fields
  }

  private static func text(of dataset: Dataset) -> String {
    let shape = dataset.imageShape.map(String.init).joined(separator: "×")
    let counts = [("train", dataset.train.count), ("valid", dataset.valid?.count ?? 0), ("test", dataset.test.count)]
    let parts = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
    return
      "\(dataset.name): \(shape) images in \(dataset.classNames.count) classes; \(parts); digest \(dataset.digest.prefix(12))"
  }
}
