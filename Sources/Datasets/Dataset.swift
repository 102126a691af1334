import Canonical
import Diagnostics

/// Images prepared for an experiment: a training part, a held-out validation part, a test part.
public struct Dataset: Sendable {
  /// How the training images are cut down and split.
  public struct Options: Sendable, Equatable {
    /// The held-out part of the training images; nil: none is held out.
    public var valid: ValidationSize?
    /// At most this many training images before the split, stratified; nil: all.
    public var limit: Int?
    /// At most this many test images, stratified; nil: all.
    public var testLimit: Int?
    /// Decides which images go where.
    public var seed: UInt64

    public init(valid: ValidationSize? = nil, limit: Int? = nil, testLimit: Int? = nil, seed: UInt64 = 0) {
      self.valid = valid
      self.limit = limit
      self.testLimit = testLimit
      self.seed = seed
    }
  }

  /// The data set's name, for people.
  public let name: String
  public let train: ImageSelection
  public let valid: ImageSelection?
  public let test: ImageSelection
  /// Measured on `train`.
  public let normalisation: Normalisation
  /// What the user should know, as sentences without a full stop.
  public let warnings: [String]

  /// Limits and splits the training set.
  ///
  /// - Throws: a `recipe` fault for options that leave a part empty.
  public init(name: String, train: ImageSet, test: ImageSet, options: Options) throws {
    var training = ImageSelection(train)
    if let limit = options.limit { training = try training.limited(to: limit, seed: options.seed) }
    let split = try options.valid.map { try training.split(valid: $0, seed: options.seed) }
    self.name = name
    self.train = split?.train ?? training
    valid = split?.valid
    let testing = ImageSelection(test)
    self.test = try options.testLimit.map { try testing.limited(to: $0, seed: options.seed) } ?? testing
    normalisation = Normalisation(measuring: self.train)
    warnings = [split?.warning].compactMap { $0.map { name + ": " + $0 } }
  }

  /// Takes the parts of one set of images, with a test part split off where there is none: `test` of all images, a
  /// fifth unless given.
  ///
  /// - Throws: a `recipe` fault for options that leave a part empty, or that split off a part that is there already.
  init(name: String, content: ImageFolder.Content, options: Options, test part: Double?) throws {
    try Self.check(content, name: name, options: options, test: part)
    var training = ImageSelection(content.set, indices: content.train), testing = training
    if let given = content.test {
      testing = ImageSelection(content.set, indices: given)
    } else {
      let split = try training.split(valid: .fraction(part ?? 0.2), seed: options.seed)
      (training, testing) = (split.train, split.valid)
    }
    if let limit = options.limit { training = try training.limited(to: limit, seed: options.seed) }
    let split = try options.valid.map { try training.split(valid: $0, seed: options.seed) }
    self.name = name
    train = split?.train ?? training
    valid = split?.valid ?? content.valid.map { ImageSelection(content.set, indices: $0) }
    self.test = try options.testLimit.map { try testing.limited(to: $0, seed: options.seed) } ?? testing
    normalisation = Normalisation(measuring: train)
    warnings = [content.warning, split?.warning].compactMap { $0.map { name + ": " + $0 } }
  }

  private static func check(_ content: ImageFolder.Content, name: String, options: Options, test: Double?) throws {
    if let test, !(test > 0 && test < 1) {
      throw Fault(.recipe, "test part", expected: "a number between 0 and 1, both excluded", got: "\(test)")
    }
    let twice = [
      ("valid", content.valid != nil && options.valid != nil), ("test", content.test != nil && test != nil),
    ].first(where: \.1)
    guard let (part, _) = twice else { return }
    throw Fault(
      .recipe, "the folder has a part '\(part)' of its own", path: name, expected: "no option '\(part)'",
      hint: "Leave the option out, or move the folder away.")
  }

  /// The same name and test part with another training part.
  private init(_ data: Dataset, train: [Int32], valid: ImageSelection?) {
    name = data.name
    self.train = ImageSelection(data.train.set, indices: train.sorted())
    self.valid = valid
    test = data.test
    normalisation = Normalisation(measuring: self.train)
    warnings = []
  }

  /// The same data with the validation images back in the training part, for a last training before the test.
  public func joined() -> Dataset {
    valid.map { Dataset(self, train: train.indices + $0.indices, valid: nil) } ?? self
  }

  /// The data for cross-validation: training and validation images together in `count` stratified parts; each of the
  /// results validates on one of them and trains on the others. The test part stays.
  ///
  /// - Throws: a `recipe` fault for a wrong number of parts.
  public func folds(_ count: Int, seed: UInt64) throws -> [Dataset] {
    let all = joined().train, folds = try all.folds(count, seed: seed)
    return folds.indices.map { held in
      let rest = folds.indices.filter { $0 != held }.flatMap { folds[$0].indices }
      return Dataset(self, train: rest, valid: folds[held])
    }
  }

  public var classNames: [String] { train.set.classNames }

  /// Height, width and channels of an image, or the inputs of a table.
  public var imageShape: [Int] { train.set.sampleShape }

  /// `classification` or `regression`.
  public var kind: String { train.set.isRegression ? "regression" : "classification" }

  /// The bytes of memory that the content takes, each set counted once; a mapped file takes none of its own.
  public var memoryBytes: Int {
    train.set.memoryBytes + (test.set.sharesContent(with: train.set) ? 0 : test.set.memoryBytes)
  }

  /// SHA-256 of the content of all parts.
  public var digest: String { ContentDigest.of(train.digest, valid?.digest ?? "", test.digest) }

  /// What a run's record says about its data.
  public var json: JSONValue {
    [
      "name": .string(name), "digest": .string(digest), "classes": .array(classNames.map(JSONValue.string)),
      "image": .array(imageShape.map(JSONValue.int)), "train": .int(train.count), "valid": .int(valid?.count ?? 0),
      "test": .int(test.count),
    ]
  }
}
