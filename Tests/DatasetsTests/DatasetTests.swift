import Canonical
import Datasets
import Diagnostics
import Foundation
import TestSupport
import Testing

@Suite struct DatasetTests {
  private func shapes(_ options: Dataset.Options) throws -> Dataset {
    try DataRegistry.open("shapes", options: options, shapes: .init(size: 12, train: 200, test: 40))
  }

  @Test func opensABuiltInSet() throws {
    let data = try shapes(.init(valid: .count(100), limit: 180, testLimit: 30))
    #expect([data.train.count, data.valid?.count, data.test.count] == [80, 100, 30])
    #expect(data.imageShape == [12, 12, 3] && data.warnings.isEmpty)
    #expect(data.normalisation == Normalisation(measuring: data.train))
    #expect(data.json["classes"]?.array?.count == 10 && data.json["digest"]?.string == data.digest)
  }

  @Test func joinedHasAllTrainingImages() throws {
    let data = try shapes(.init(valid: .fraction(0.5))), joined = data.joined()
    #expect(joined.train.digest == (try shapes(.init())).train.digest && joined.valid == nil)
    #expect(joined.normalisation == Normalisation(measuring: joined.train))
    #expect(joined.digest != data.digest)
  }

  @Test func passesTheWarningOn() throws {
    let data = try shapes(.init(valid: .count(50)))
    #expect(data.warnings.count == 1 && data.warnings[0].hasPrefix("shapes: only 50 validation images, 5 in the"))
  }

  @Test func opensAFolder() throws {
    let fixture = try IDXFixture()
    try fixture.writeGoodSet()
    let data = try DataRegistry.open(fixture.folder + "/")
    #expect(data.train.count == 6 && data.valid == nil && data.classNames.count == 3)
    #expect(data.name == URL(fileURLWithPath: fixture.folder).lastPathComponent)
  }

  @Test func unknownName() throws {
    let fixture = try IDXFixture()
    #expect(
      fixture.fault { try DataRegistry.open("shaeps") } == """
        shaeps: no data set of this name and no such folder: expected 'shapes' or the path of a folder of IDX files, CIFAR files or \
        images. \
        Did you mean 'shapes'?
        """)
    #expect(
      fixture.fault { try DataRegistry.open(fixture.folder + "/nothing") } == """
        DIR/nothing: doesn't exist: expected 'nothing' in DIR. The folder is empty.
        """)
  }
}

@Suite struct ImageSetTests {
  @Test func digestIsOfContent() throws {
    let one = try ImageSet.counting(counts: [2, 2])
    let renamed = try ImageSet(
      name: "other", height: 2, width: 3, channels: 3, pixels: one.pixels, labels: one.labels, classNames: ["x", "y"])
    #expect(one.digest == renamed.digest)
    // Python 3.11: hashlib.sha256(u64(6) + b"images" + u64(4, 2, 3, 3, 2) + bytes(i * 7 % 256 for i in range(72)) +
    // i32(0, 0, 1, 1)), little-endian.
    #expect(one.digest == "0d5f078ac2d475838d993239af3eaa0b6ca8f4d3e62f31482a2adc3cf95e3847")
    #expect(try ImageSet.counting(labels: [0, 1, 0, 1], classes: 2).digest != one.digest)
    let turned = try ImageSet(
      name: "", height: 3, width: 2, channels: 3, pixels: one.pixels, labels: one.labels, classNames: ["x", "y"])
    #expect(turned.digest != one.digest)
  }

  @Test func sizesMustAgree() {
    #expect(throws: Fault.self) {
      try ImageSet(name: "s", height: 1, width: 1, channels: 1, pixels: [1, 2], labels: [0], classNames: ["a"])
    }
    #expect(throws: Fault.self) {
      try ImageSet(name: "s", height: 1, width: 1, channels: 1, pixels: [], labels: [], classNames: ["a"])
    }
    #expect(throws: Fault(.data, "label of image 1 is out of range", path: "s", expected: "0…0", got: "1")) {
      try ImageSet(name: "s", height: 1, width: 1, channels: 1, pixels: [1, 2], labels: [0, 1], classNames: ["a"])
    }
  }
}
