import Datasets
import Diagnostics
import Testing

@Suite struct SplitTests {
  @Test func isStratifiedAndDisjoint() throws {
    let all = ImageSelection(try .counting(counts: [200, 100, 400]))
    let split = try all.split(valid: .fraction(0.25), seed: 1)
    #expect(split.valid.classCounts == [50, 25, 100] && split.train.classCounts == [150, 75, 300])
    #expect((split.train.indices + split.valid.indices).sorted() == all.indices)
    #expect(split.train.indices == split.train.indices.sorted())
    #expect(split.warning == nil)
  }

  @Test func totalIsExactWhenSharesAreNot() throws {
    // 10 of 7 + 11 + 13 = 31: shares 2.26, 3.55, 4.19, so the second gets the image that rounding down leaves.
    let all = ImageSelection(try .counting(counts: [7, 11, 13]))
    #expect(try all.split(valid: .count(10), seed: 0).valid.classCounts == [2, 4, 4])
    #expect(try all.limited(to: 10, seed: 0).classCounts == [2, 4, 4])
  }

  @Test func sameSeedSameSplit() throws {
    let all = ImageSelection(try .counting(counts: [60, 60]))
    let first = try all.split(valid: .count(40), seed: 5), again = try all.split(valid: .count(40), seed: 5)
    let other = try all.split(valid: .count(40), seed: 6)
    #expect(first.valid.digest == again.valid.digest && first.train.digest == again.train.digest)
    #expect(first.valid.indices != other.valid.indices)
  }

  @Test func otherClassesDoNotMatter() throws {
    let few = ImageSelection(try .counting(counts: [60])), many = ImageSelection(try .counting(counts: [60, 60]))
    let alone = try few.split(valid: .count(20), seed: 3).valid.indices
    let among = try many.split(valid: .count(40), seed: 3).valid.indices
    #expect(among.filter { $0 < 60 } == alone)
  }

  @Test func smallerLimitIsPartOfLarger() throws {
    let all = ImageSelection(try .counting(counts: [50, 50]))
    let small = try all.limited(to: 20, seed: 0), large = try all.limited(to: 60, seed: 0)
    #expect(Set(small.indices).isSubset(of: large.indices))
    #expect(try all.limited(to: 1000, seed: 0).digest == all.digest)
  }

  @Test func warnsAboutFewImages() throws {
    let all = ImageSelection(try .counting(counts: [200, 30]))
    #expect(
      try all.split(valid: .fraction(0.2), seed: 0).warning == """
        only 46 validation images, 6 in the smallest class: differences between networks will be mostly chance \
        (at least 100, and 10 per class, are advised)
        """)
    let even = ImageSelection(try .counting(counts: [100, 100]))
    #expect(try even.split(valid: .count(99), seed: 0).warning != nil)
    #expect(try even.split(valid: .count(100), seed: 0).warning == nil)
  }

  @Test func sizesOutOfRange() throws {
    let all = ImageSelection(try .counting(counts: [5, 5]))
    for size in [ValidationSize.fraction(0), .fraction(1), .fraction(.nan), .count(0), .count(10), .fraction(0.99)] {
      #expect(throws: Fault.self) { try all.split(valid: size, seed: 0) }
    }
    #expect(throws: Fault(.recipe, "limit of images", expected: "at least 1", got: "0")) {
      try all.limited(to: 0, seed: 0)
    }
    #expect(
      throws: Fault(.recipe, "number of validation images", expected: "1…9 of 10 images", got: "10")
    ) { try all.split(valid: .count(10), seed: 0) }
  }
}
