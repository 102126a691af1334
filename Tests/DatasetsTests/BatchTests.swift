import Datasets
import Diagnostics
import Testing

/// Batches as arrays.
private struct Batch: Equatable {
  var images: [Float]
  var labels: [Int32]
}

extension TrainingBatches {
  fileprivate mutating func epoch(_ number: Int, imageSize: Int) -> [Batch] {
    startEpoch(number)
    var batches: [Batch] = []
    var batch = Batch(
      images: .init(repeating: .nan, count: batchSize * imageSize), labels: .init(repeating: -1, count: batchSize))
    while next(images: &batch.images, labels: &batch.labels) { batches.append(batch) }
    return batches
  }
}

@Suite struct BatchTests {
  /// 11 images of 2×3×3; image i has label i and starts with byte 18 i.
  private let selection: ImageSelection
  private let normalisation: Normalisation

  init() throws {
    selection = ImageSelection(
      try ImageSet(
        name: "s", height: 2, width: 3, channels: 3, pixels: (0..<198).map { UInt8($0) }, labels: Array(0..<11),
        classNames: (0..<11).map(String.init)))
    normalisation = Normalisation(measuring: selection)
  }

  /// The input that an intensity becomes, by the definition.
  private func input(_ intensity: Int, channel: Int) -> Float {
    Float((Double(intensity) / 255 - normalisation.mean[channel]) / normalisation.deviation[channel])
  }

  private func image(_ index: Int) -> [Float] { (0..<18).map { input(index * 18 + $0, channel: $0 % 3) } }

  private func training(_ augmentation: Augmentation = .none, stream: String = "t") throws -> TrainingBatches {
    try TrainingBatches(
      selection, normalisation: normalisation, batchSize: 4, augmentation: augmentation, seed: 1, stream: stream)
  }

  @Test func trainingUsesFullBatchesOfDifferentImages() throws {
    var batches = try training()
    let epoch = batches.epoch(0, imageSize: 18)
    #expect(epoch.count == 2 && batches.batchesPerEpoch == 2)
    #expect(Set(epoch.flatMap(\.labels)).count == 8)
    for batch in epoch { #expect(batch.images == batch.labels.flatMap { image(Int($0)) }) }
  }

  @Test func anEpochDependsOnSeedStreamAndNumberOnly() throws {
    var batches = try training(Augmentation(flip: true, crop: 1, cutout: 1))
    let zero = batches.epoch(0, imageSize: 18), three = batches.epoch(3, imageSize: 18)
    #expect(zero != three)
    #expect(batches.epoch(0, imageSize: 18) == zero)
    var again = try training(Augmentation(flip: true, crop: 1, cutout: 1))
    #expect(again.epoch(3, imageSize: 18) == three)
    var other = try training(Augmentation(flip: true, crop: 1, cutout: 1), stream: "u")
    #expect(other.epoch(3, imageSize: 18) != three)
  }

  @Test func evaluationCoversAllAndFillsUp() throws {
    let batches = try EvaluationBatches(selection, normalisation: normalisation, batchSize: 4)
    var images = [Float](repeating: .nan, count: 72), labels = [Int32](repeating: -1, count: 4)
    var seen: [Int32] = []
    for number in 0..<batches.count {
      let count = batches.fill(number, images: &images, labels: &labels)
      seen += labels.prefix(count)
      #expect(Array(images.prefix(count * 18)) == labels.prefix(count).flatMap { image(Int($0)) })
    }
    #expect(seen == Array(0..<11))
    #expect(labels == [8, 9, 10, 0] && images.suffix(18).allSatisfy { $0 == 0 })
  }

  @Test func flipMirrorsHalfOfTheImages() throws {
    var batches = try training(Augmentation(flip: true))
    var mirrored = 0
    for batch in (0..<50).flatMap({ batches.epoch($0, imageSize: 18) }) {
      for (place, label) in batch.labels.enumerated() {
        let got = Array(batch.images[place * 18..<place * 18 + 18]), plain = image(Int(label))
        let flipped = [6, 3, 0, 15, 12, 9].flatMap { plain[$0..<$0 + 3] }
        #expect(got == plain || got == flipped)
        if got == flipped { mirrored += 1 }
      }
    }
    #expect(150...250 ~= mirrored)
  }

  @Test func cropShiftsAndFillsWithBlack() throws {
    var batches = try training(Augmentation(crop: 1))
    var shifts: Set<[Int]> = []
    for batch in (0..<40).flatMap({ batches.epoch($0, imageSize: 18) }) {
      for (place, label) in batch.labels.enumerated() {
        let got = Array(batch.images[place * 18..<place * 18 + 18])
        let fits = shifted(Int(label)).filter { $0.value == got }
        #expect(fits.count == 1)
        shifts.formUnion(fits.keys)
      }
    }
    #expect(shifts.count == 9)
  }

  /// The image as each shift of a crop with one pixel of padding shows it.
  private func shifted(_ index: Int) -> [[Int]: [Float]] {
    var result: [[Int]: [Float]] = [:]
    for (dy, dx) in (-1...1).flatMap({ dy in (-1...1).map { (dy, $0) } }) {
      result[[dy, dx]] = (0..<18).map { offset in
        let y = offset / 9 + dy, x = offset / 3 % 3 + dx, channel = offset % 3
        let isInside = 0..<2 ~= y && 0..<3 ~= x
        return input(isInside ? index * 18 + y * 9 + x * 3 + channel : 0, channel: channel)
      }
    }
    return result
  }

  @Test func cutoutClearsOneSquare() throws {
    var batches = try training(Augmentation(cutout: 1))
    for batch in batches.epoch(0, imageSize: 18) {
      for (place, label) in batch.labels.enumerated() {
        let got = batch.images[place * 18..<place * 18 + 18]
        let changed = zip(got, image(Int(label))).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        #expect(changed.count == 3 && Set(changed.map { $0 / 3 }).count == 1)
        #expect(changed.allSatisfy { got[place * 18 + $0] == 0 })
      }
    }
  }

  @Test func optionsOutOfRange() throws {
    let fault = Fault(.recipe, "batch size", expected: "1…11, the number of training images", got: "12")
    #expect(throws: fault) {
      try TrainingBatches(selection, normalisation: normalisation, batchSize: 12, seed: 0, stream: "")
    }
    #expect(throws: Fault.self) { try training(Augmentation(crop: -1)) }
    #expect(throws: Fault.self) { try EvaluationBatches(selection, normalisation: normalisation, batchSize: 0) }
  }
}

@Suite struct NormalisationTests {
  @Test func meanAndDeviationOfThePopulation() throws {
    // Channel 0: 0, 255, 255, 255: mean 3/4, deviation sqrt(3)/4. Channel 1 is constant.
    let set = try ImageSet(
      name: "s", height: 1, width: 2, channels: 2, pixels: [0, 51, 255, 51, 255, 51, 255, 51], labels: [0, 0],
      classNames: ["a"])
    let normalisation = Normalisation(measuring: ImageSelection(set))
    #expect(normalisation.mean == [0.75, 0.2])
    #expect(abs(normalisation.deviation[0] - 3.0.squareRoot() / 4) < 1e-15 && normalisation.deviation[1] == 1)
  }
}
