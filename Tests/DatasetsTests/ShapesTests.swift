import Datasets
import Diagnostics
import Testing

@Suite struct ShapesTests {
  /// The digests were taken once: the pixels are part of what makes results comparable between machines and versions.
  @Test func pixelsNeverChange() throws {
    let (train, test) = try Shapes.draw(.init(train: 60, test: 30))
    #expect(train.digest == "47f65a538463318f98560892320cf22710cca65510f16a0ca7e1a861fa89e190")
    #expect(test.digest == "b996d6a6f6dfe81581b47da68375d929bd6b28dc4bf1d92ec5817a138d180e30")
  }

  @Test func classesAreEquallyFrequent() throws {
    let (train, test) = try Shapes.draw(.init(size: 12, train: 100, test: 20))
    #expect([train.height, train.width, train.channels, train.count, test.count] == [12, 12, 3, 100, 20])
    #expect(ImageSelection(train).classCounts == Array(repeating: 10, count: 10))
    #expect(train.classNames == Shapes.classNames && Shapes.classNames.count == 10)
  }

  @Test func aLargerSetBeginsWithTheSmaller() throws {
    let small = try Shapes.draw(.init(train: 10, test: 1)).train,
      large = try Shapes.draw(.init(train: 20, test: 1)).train
    #expect(large.pixels.starts(with: small.pixels))
  }

  @Test func noTwoImagesAreEqual() throws {
    let (train, test) = try Shapes.draw(.init(train: 60, test: 60))
    let images = [train, test].flatMap { set in
      (0..<60).map { Array(set.pixels[$0 * set.imageSize..<($0 + 1) * set.imageSize]) }
    }
    #expect(Set(images).count == 120)
    #expect(try Shapes.draw(.init(train: 1, test: 1, seed: 1)).train.pixels != images[0])
  }

  @Test func optionsOutOfRange() {
    let fault = Fault(.recipe, "size of the images of 'shapes'", expected: "12…128 pixels", got: "8")
    #expect(throws: fault) { try Shapes.draw(.init(size: 8)) }
    #expect(throws: Fault.self) { try Shapes.draw(.init(train: 0)) }
  }
}
