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
  var nativeBytes: Int { dataset.memoryBytes }
  var orderKey: String? { dataset.digest }
  /// What `nas.data.open` was called with: `{"source":…,"options":{…}}`.
  let opened: JSONValue

  /// What is saved of them with a network.
  var description: [String: JSONValue] { ["data": dataset.json, "opened": opened] }

  init(_ dataset: Dataset, opened: JSONValue) { (self.dataset, self.opened) = (dataset, opened) }

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
    let makers = try batches.declare() + RecordsBinding(api: api, session: session).declare()
    api.declare(Self.classDeclaration)
    try api.host.declare(
      DataObject.self, methods: api.methods(batches.methods + [Self.folds]),
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
    return [(Self.declaration, open)] + makers
  }

  private static let classDeclaration = ClassDeclaration(
    "Data", object: "data",
    """
    Samples with their labels, split for training, validation and testing, as nas.data.open gives them.
    """,
    fields: [
      Parameter("name", "string", "of the data set"),
      Parameter("classes", "integer", "how many there are"),
      Parameter("class_names", "string[]", "in the order of the labels"),
      Parameter("image", "integer[]", "{ height, width, channels } of a sample"),
      Parameter("train", "integer", "training samples"),
      Parameter("valid", "integer", "held-out training samples; 0 without a validation split"),
      Parameter("test", "integer", "test samples"),
      Parameter("digest", "string", "of the content and the split"),
    ])

  private static let declaration = Declaration(
    "nas.data.open",
    """
    Opens images: "shapes" (drawn by nasrun) or the path of a folder. Its content tells the format: the four IDX files;
    CIFAR-10 or CIFAR-100 in binary (data_batch_1.bin … or train.bin); JPEG and PNG files as train/<class>/…,
    valid/<class>/… and test/<class>/…, or as <class>/…. A .csv file is a table: its columns of numbers are standardised
    by the training part, other columns become one input of 0 or 1 per distinct text (at most 100). The training images
    are split by class; the split depends on the options and their seed alone. Normalisation comes from the training
    part.
    """,
    [Parameter("source", "string", "\"shapes\" or a path, as above")],
    options: [
      Parameter(
        "valid", "number", optional: true, min: 0,
        "held-out part of the training images: a fraction below 1, or a count"),
      Parameter("limit", "integer", optional: true, min: 1, "use at most so many training images, stratified"),
      Parameter("test_limit", "integer", optional: true, min: 1, "use at most so many test images, stratified"),
      Parameter("seed", "integer", default: 0, min: 0, "of the split"),
      Parameter(
        "labels", "string", optional: true, oneOf: CIFAR.Labels.allCases.map(\.rawValue),
        "of CIFAR-100: 100 classes (the default) or 20 superclasses"),
      Parameter(
        "size", "table", optional: true,
        "{ height, width } of JPEG and PNG files: the largest centred part of these proportions is scaled, bilinear "
          + "with antialiasing; without it all must have one size. Orientation tags are ignored"),
      Parameter("channels", "integer", optional: true, "of JPEG and PNG files: 3 (RGB, the default) or 1 (grey)"),
      Parameter(
        "cache", "boolean|string", default: true,
        "of JPEG and PNG files: whether they are decoded once and kept for later runs, in the user's cache folder "
          + "(~/.cache/nasrun/images, which may be removed at any time), or the folder to keep them in"),
      Parameter(
        "test", "number", optional: true, min: 0, max: 1,
        "the part tested on, of a table or a folder of images without a test part; 0.2 if left out"),
      Parameter("target", "string", optional: true, "of a table: the column to predict"),
      Parameter(
        "task", "string", optional: true, oneOf: TableOptions.Task.allCases.map(\.rawValue),
        "of a table: what to predict"),
      Parameter(
        "texts", "table", default: [],
        "of a table: names of columns that are texts although most of their fields are numbers"),
      Parameter(
        "missing", "string", optional: true, oneOf: ["error", "mean"],
        "of a table: what a missing input is; an error if left out"),
    ],
    returns: "Data")

  private static var folds: (Declaration, API.Body) {
    (
      Declaration(
        "data:folds",
        """
        The data for cross-validation: training and held-out samples together, in `count` parts stratified by class; each
        Data of the list validates on one part and trains on the others. Normalisation comes from each one's training part.
        """,
        [Parameter("data", "Data"), Parameter("count", "integer", min: 2, "how many parts")],
        options: [Parameter("seed", "integer", default: 0, min: 0, "decides what goes where")],
        returns: "Data[]"),
      { arguments, call in
        let data = try arguments.object(0, as: DataObject.self)
        let count = arguments.integer(1), seed = arguments.integer("seed")
        let folds = try data.dataset.folds(count, seed: UInt64(seed)).enumerated().map { index, fold in
          DataObject(fold, opened: data.opened.fold(index + 1, of: count, seed: seed))
        }
        try call.push(try call.host.table(folds.map { .userdata($0) }))
      }
    )
  }

  private func open(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let options = Dataset.Options(
      valid: try arguments["valid"].number.map(Self.validation),
      limit: arguments["limit"].integer, testLimit: arguments["test_limit"].integer,
      seed: UInt64(arguments.integer("seed")))
    var source = arguments.text(0)
    if !DataRegistry.names.contains(source), source.contains("/") || session.access.exists(source) {
      source = try session.access.resolve(source).path(percentEncoded: false)
    }
    let folder = FolderOptions(
      labels: arguments["labels"].string.flatMap(CIFAR.Labels.init), size: try Self.size(arguments["size"].table),
      channels: arguments["channels"].integer, test: arguments["test"].number)
    let table = try Self.table(arguments, source)
    let key = source + options.valid.debugDescription + "\(options)\(folder)" + (table.map { "\($0)" } ?? "")
    let data: DataObject
    if session.knowsSettings { try session.beginWork() }
    if let open = session.openData[key] {
      data = open
    } else {
      data = DataObject(
        try table.map { try DataRegistry.table(source, $0, options: options, folder: folder) }
          ?? DataRegistry.open(source, options: options, folder: folder, cache: cache(arguments["cache"])),
        opened: ["source": .string(source), "options": try Self.options(arguments)])
      session.openData[key] = data
      data.dataset.warnings.forEach(session.warn)
      try session.note(data: data.dataset)
    }
    try call.push(data)
  }

  /// The options that were given or have a default other than nothing, but for the cache.
  private static func options(_ arguments: Arguments) throws -> JSONValue {
    .object(try arguments.options.filter { $0.key != "cache" && !$0.value.isNil }.mapValues(LuaValues.json))
  }

  /// The held-out part: a number below 1 is a fraction, a larger one a count.
  private static func validation(_ number: Double) throws -> ValidationSize {
    if number < 1 { return .fraction(number) }
    guard let count = Int(exactly: number) else {
      throw Fault(
        .recipe, "nas.data.open: wrong option 'valid'", expected: "a fraction below 1 or a whole number",
        got: "\(number)")
    }
    return .count(count)
  }

  /// Where decoded images are kept; nil: nowhere.
  private func cache(_ value: LuaValue) throws -> ImageCache? {
    if let folder = value.string {
      return ImageCache(folder: try session.access.resolve(folder).path(percentEncoded: false))
    }
    return value.bool == true ? session.options.imageCache.map { ImageCache(folder: $0) } : nil
  }

  /// How a table is read; nil for anything but a CSV file.
  private static func table(_ arguments: Arguments, _ source: String) throws -> TableOptions? {
    let isTable = source.hasSuffix(".csv") || source.hasSuffix(".csv.gz")
    guard isTable else {
      let given = ["target", "task", "missing", "texts"].first { name in
        arguments[name].table.map { !$0.array.isEmpty } ?? !arguments[name].isNil
      }
      guard let name = given else { return nil }
      throw Fault(.recipe, "only a table has the option '\(name)'", expected: "the path of a .csv file", got: source)
    }
    guard let target = arguments["target"].string,
      let task = arguments["task"].string.flatMap(TableOptions.Task.init)
    else {
      throw Fault(
        .recipe, "a table needs the options target and task",
        expected: "{ target = \"column\", task = \"classification\" or \"regression\" }")
    }
    let texts = try arguments["texts"].table?.array.map { value in
      if let name = value.string { return name }
      throw Fault(.recipe, "wrong option 'texts'", expected: "names of columns", got: value.description)
    }
    return TableOptions(
      target: target, task: task, fillsMissing: arguments["missing"].string == "mean", texts: texts ?? [])
  }

  private static func size(_ table: LuaReference?) throws -> [Int]? {
    try table?.array.map { value in
      guard let side = value.integer else {
        throw Fault(.recipe, "wrong size of images", expected: "{ height, width } in pixels", got: value.description)
      }
      return side
    }
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
    let samples = dataset.train.set.table == nil ? "\(shape) images" : "rows of \(shape) inputs"
    let classes = dataset.kind == "regression" ? "for a regression" : "in \(dataset.classNames.count) classes"
    return "\(dataset.name): \(samples) \(classes); \(parts); digest \(dataset.digest.prefix(12))"
  }
}

extension JSONValue {
  /// How a fold of these data is opened: as they are, then parted.
  fileprivate func fold(_ number: Int, of count: Int, seed: Int) -> JSONValue {
    var fields = object ?? [:]
    fields["fold"] = [
      "number": .number(Double(number)), "count": .number(Double(count)), "seed": .number(Double(seed)),
    ]
    return .object(fields)
  }
}
