import Datasets
import Diagnostics
import Testing

@Suite struct FoldTests {
  private func data(counts: [Int], valid: ValidationSize?) throws -> Dataset {
    try Dataset(
      name: "counted", train: .counting(counts: counts), test: .counting(counts: counts.map { _ in 1 }),
      options: Dataset.Options(valid: valid))
  }

  /// 7 + 11 + 13 = 31 in 4 parts: 8, 8, 8, 7; of the classes 2 or 1, 3 or 2, 4 or 3.
  @Test func areStratifiedAndMakeUpTheWhole() throws {
    let data = try data(counts: [7, 11, 13], valid: .count(6)), folds = try data.folds(4, seed: 0)
    let parts = folds.compactMap { $0.valid }
    #expect(parts.map(\.count) == [8, 8, 8, 7])
    for part in parts {
      #expect((1...2).contains(part.classCounts[0]) && (2...3).contains(part.classCounts[1]))
      #expect((3...4).contains(part.classCounts[2]))
    }
    #expect(parts.flatMap(\.indices).sorted() == Array(0..<31))
    for fold in folds {
      #expect(((fold.valid?.indices ?? []) + fold.train.indices).sorted() == Array(0..<31))
      #expect(fold.test.digest == data.test.digest)
    }
  }

  @Test func dependOnTheSeedAlone() throws {
    let data = try data(counts: [40, 40], valid: nil), other = try self.data(counts: [40, 40], valid: .fraction(0.3))
    #expect(try data.folds(5, seed: 1).map(\.digest) == other.folds(5, seed: 1).map(\.digest))
    #expect(try data.folds(5, seed: 1).map(\.digest) != data.folds(5, seed: 2).map(\.digest))
  }

  @Test func normalisationIsOfTheTrainingPart() throws {
    let folds = try data(counts: [20, 20], valid: nil).folds(2, seed: 0)
    #expect(folds.allSatisfy { $0.normalisation == Normalisation(measuring: $0.train) })
  }

  @Test func numbersOutOfRange() throws {
    let data = try data(counts: [3, 2], valid: nil)
    for count in [-1, 0, 1, 6] {
      #expect {
        try data.folds(count, seed: 0)
      } throws: { error in
        (error as? Fault)?.expected == "2…5 of 5 samples" && (error as? Fault)?.got == "\(count)"
      }
    }
  }
}
