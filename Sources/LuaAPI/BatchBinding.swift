import Canonical
import Datasets
import Diagnostics
import LuaHost
import NeuralNet
import TensorCore

/// Images with their labels, or rows with their targets, ready for a network: what steps of training are made on.
final class BatchObject: LuaObject {
  static let luaName = "Batch"
  /// Dense `[count, H, W, C]`, normalised.
  let images: [Float]
  /// From 0; of a regression, all 0.
  let labels: [Int32]
  /// Of a regression, what the network's output is compared with: standardised as its training part; nil for classes.
  let targets: [Float]?
  /// Of one image: height, width, channels; of a row of a table: its columns.
  let shape: [Int]
  /// Digest of everything that decides the numbers.
  let key: String
  var count: Int { labels.count }
  var nativeBytes: Int { 4 * (images.count + labels.count + (targets?.count ?? 0)) }
  var orderKey: String? { key }

  init(images: [Float], labels: [Int32], targets: [Float]?, shape: [Int], key: String) {
    (self.images, self.labels, self.targets, self.shape, self.key) = (images, labels, targets, shape, key)
  }

  /// Throws unless a network for these data can take the batch.
  func check(fits data: Dataset) throws {
    let classes = data.classNames.count, isRegression = data.kind == "regression"
    guard isRegression == (targets != nil) else {
      throw Fault(
        .recipe, "the batch doesn't fit '\(data.name)'", expected: isRegression ? "targets" : "classes",
        got: isRegression ? "classes" : "targets")
    }
    if shape == data.imageShape, labels.allSatisfy({ 0..<Int32(classes) ~= $0 }) { return }
    throw Fault(
      .recipe, "the batch doesn't fit '\(data.name)'", expected: "samples of \(data.imageShape) in \(classes) classes",
      got: "samples of \(shape) with labels up to \((labels.max() ?? 0) + 1)")
  }
}

/// `data:batches` and the class `Batch`.
struct BatchBinding {
  let api: API
  let session: Session

  private static let this = Parameter("data", "Data")

  /// The methods of `Data` that give batches.
  var methods: [(Declaration, API.Body)] { [(Self.declaration, batches)] }

  /// Declares the class; returns the function `nas.data.batch`.
  func declare() throws -> [(Declaration, API.Body)] {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      BatchObject.self,
      metamethods: [
        .text: { call in call.push("Batch(\(try call.this(BatchObject.self).count) images)") },
        .length: { call in call.push(try call.this(BatchObject.self).count) },
        .index: { call in
          let batch = try call.this(BatchObject.self), name = call.string(2) ?? call.value(2).description
          switch name {
          case "count": call.push(batch.count)
          case "images": try call.push(try Tensor([batch.count] + batch.shape, batch.images))
          case "labels": try call.push(JSONValue.array(batch.labels.map { .int(Int($0) + 1) }))
          case "targets":
            guard let targets = batch.targets else { return call.pushNil() }
            try call.push(try Tensor([batch.count, 1], targets))
          default:
            throw Fault(
              .recipe, "a Batch has no '\(name)'",
              hint: Suggestion.hint(for: name, among: ["count", "images", "labels", "targets"]))
          }
        },
      ])
    return [(Self.makeDeclaration, make)]
  }

  private static let classDeclaration = ClassDeclaration(
    "Batch", object: "batch",
    """
    Samples with their labels, ready for a network. #batch is their number.
    """,
    fields: [
      Parameter("count", "integer", "samples"),
      Parameter("images", "Tensor", "{ count, height, width, channels }, normalised; of a table { count, columns }"),
      Parameter("labels", "integer[]", "classes from 1; of a regression all 1"),
      Parameter(
        "targets", "Tensor", optional: true, "of a regression, { count, 1 }, standardised by the training part"),
    ])

  private static let makeDeclaration = Declaration(
    "nas.data.batch",
    "A batch of samples that a script made: numbers as the network takes them, and their classes or targets.",
    [
      Parameter("images", "Tensor", "{ n, … }"),
      Parameter("labels", "table|Tensor", "n classes, from 1; for a regression, a Tensor of n standardised targets"),
    ],
    returns: "Batch")

  private func make(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let images = try arguments.object(0, as: Tensor.self)
    let targets = arguments[1].object(as: Tensor.self)?.values
    let labels =
      try TensorText.labels(arguments[1].table, in: "nas.data.batch")
      ?? [Int32](repeating: 0, count: targets?.count ?? 0)
    guard images.shape.count > 1, images.shape[0] == labels.count else {
      throw Fault(
        .recipe, "nas.data.batch: a label for each image is needed", expected: "{ n, … } and n labels",
        got: "\(Shape.array(images.shape)) and \(labels.count)")
    }
    let values = images.values
    let digest = ContentDigest()
    digest.update("\(images.shape) \(labels)")
    for part in [values, targets ?? []] { part.withUnsafeBytes { digest.update(bytes: $0) } }
    let shape = Array(images.shape.dropFirst())
    try call.push(BatchObject(images: values, labels: labels, targets: targets, shape: shape, key: digest.finish()))
  }

  private static let declaration = Declaration(
    "data:batches",
    """
    An iterator over full batches of a split, in a new random order each epoch: for batch, epoch in data:batches{ … }.
    A batch has `count`, `images` (a Tensor, normalised), `labels` (a list of classes from 1) and, of a regression,
    `targets` (a Tensor { count, 1 }, standardised by the training part; else nil).
    The order and the augmentation depend on the seed, the stream's name and the epoch alone. Called by hand it gives the
    batch alone, and nil at the end.
    """,
    [this],
    options: [
      Parameter("split", "string", default: "train", "train, valid, test or train+valid"),
      Parameter("size", "integer", default: 64, min: 1, "samples in a batch"),
      Parameter("epochs", "integer", default: 1, min: 1, max: 1e9, "how often to go through the split"),
      Parameter("first_epoch", "integer", default: 1, min: 1, max: 1e9, "the number of the first epoch"),
      Parameter("augment", "table", default: [:], "{ flip = true, crop = pixels, cutout = pixels }"),
      Parameter("stream", "string", default: "batches", "the name of the random stream"),
    ],
    returns: "fun(): Batch?, integer # an iterator: batch, epoch")

  private func batches(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let data = try arguments.object(0, as: DataObject.self), split = try data.split(arguments.text("split"))
    let size = arguments.integer("size"), stream = arguments.text("stream"), seed = session.seed
    let augmentation = try TrainingOptions.augmentation(arguments["augment"].table)
    var batches = try TrainingBatches(
      split.images, normalisation: split.normalisation, batchSize: size, augmentation: augmentation, seed: seed,
      stream: stream)
    let first = arguments.integer("first_epoch"), last = first + arguments.integer("epochs") - 1
    var epoch = first, number = 0
    batches.startEpoch(epoch - 1)
    let next = session.host.function("data:batches iterator", key: nil) { call in
      var images = [Float](repeating: 0, count: size * split.images.set.imageSize)
      var labels = [Int32](repeating: 0, count: size), targets = [Float](repeating: 0, count: size)
      while !Self.fill(&batches, &images, &labels, &targets) {
        guard epoch < last else { return call.pushNil() }
        (epoch, number) = (epoch + 1, 0)
        batches.startEpoch(epoch - 1)
      }
      number += 1
      let key = ContentDigest.of([
        "split": .string(split.digest), "size": .int(size), "seed": .string(String(seed)), "stream": .string(stream),
        "augment": augmentation.json, "epoch": .int(epoch), "number": .int(number),
      ])
      try call.push(
        BatchObject(
          images: images, labels: labels, targets: split.images.set.isRegression ? targets : nil,
          shape: data.dataset.imageShape, key: key))
      // A loop calls its iterator with two values; a call by hand is an argument of another one, as in net:loss(next()).
      if call.count > 0 { call.push(epoch) }
    }
    try call.push(next)
  }

  private static func fill(
    _ batches: inout TrainingBatches, _ images: inout [Float], _ labels: inout [Int32], _ targets: inout [Float]
  ) -> Bool {
    images.withUnsafeMutableBufferPointer { images in
      labels.withUnsafeMutableBufferPointer { labels in
        targets.withUnsafeMutableBufferPointer { targets in
          guard let image = images.baseAddress, let label = labels.baseAddress else { return false }
          return batches.next(images: image, labels: label, targets: targets.baseAddress)
        }
      }
    }
  }
}
