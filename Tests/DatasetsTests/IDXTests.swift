import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct IDXTests {
  let fixture: IDXFixture

  init() throws { fixture = try IDXFixture() }

  @Test func readsTheFourFiles() throws {
    try fixture.writeGoodSet()
    let (train, test) = try IDX.folder(fixture.folder)
    #expect(train.count == 6 && train.height == 2 && train.width == 3 && train.channels == 1)
    #expect(train.pixels == (0..<36).map { UInt8($0) })
    #expect(train.labels == [0, 1, 2, 2, 1, 0] && test.labels == [2, 0, 1])
    #expect(train.classNames == ["0", "1", "2"] && test.classNames == train.classNames)
  }

  @Test func gzipGivesTheSameContent() throws {
    try fixture.writeGoodSet()
    let plain = try IDX.folder(fixture.folder).train.digest
    try fixture.remove(IDXFixture.trainImages)
    try fixture.write(IDXFixture.trainImages + ".gz", IDXFixture.gzip(IDXFixture.images(count: 6)))
    #expect(try IDX.folder(fixture.folder).train.digest == plain)
  }

  @Test func readsWhatPythonCompressed() throws {
    // Python 3.11: gzip.compress(struct.pack(">II", 0x801, 300) + bytes(i % 3 for i in range(300)), 9, mtime=0)
    let path = try fixture.write(
      "labels.gz",
      [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0xe0, 0x60, 0x64, 0x60, 0x60, 0xd4,
        0x61,
        0x60, 0x64, 0x1a, 0x45, 0x44, 0x22, 0x00, 0xef, 0xc8, 0x85, 0xce, 0x34, 0x01, 0x00, 0x00,
      ])
    #expect(try IDX.labels(at: path) == (0..<300).map { UInt8($0 % 3) })
  }

  @Test func readsSeveralGzipMembers() throws {
    let bytes = IDXFixture.labels([0, 1, 2])
    let path = try fixture.write(
      "l.gz", IDXFixture.gzip(Array(bytes.prefix(9))) + IDXFixture.gzip(Array(bytes.dropFirst(9))))
    #expect(try IDX.labels(at: path) == [0, 1, 2])
  }

  @Test func moreClassesThanLabels() throws {
    try fixture.writeGoodSet()
    #expect(try IDX.folder(fixture.folder, classes: 5).train.classNames.count == 5)
  }

  // MARK: - The official files

  static let fashion = ProcessInfo.processInfo.environment["NASRUN_DATA"].map { $0 + "/fashion_mnist" }

  @Test(.enabled(if: fashion != nil, "NASRUN_DATA is not set: the official Fashion-MNIST files are not tested"))
  func readsFashionMNIST() throws {
    let (train, test) = try IDX.folder(try #require(Self.fashion))
    #expect(train.count == 60000 && test.count == 10000)
    #expect(train.height == 28 && train.width == 28 && train.channels == 1)
    // As zcat and xxd show them.
    #expect(Array(train.labels.prefix(5)) == [9, 0, 0, 3, 0] && Array(test.labels.prefix(5)) == [9, 2, 1, 1, 6])
    #expect(ImageSelection(train).classCounts == Array(repeating: 6000, count: 10))
    // Python 3.11: hashlib.sha256 over what `ImageSet.digest` is documented to hold, read by gzip.open.
    #expect(train.digest == "7f815ae561c094efdbbe6661edec5245e8cf34a394feb5f55dc68e80d2fc7a33")
    #expect(test.digest == "4ef13cb06fc7daa0072ca097249ee80da7c6d33b27a7b9767e383d9843c97650")
    // numpy 2.4.6: x.mean(), x.std() of the test images / 255.
    let normalisation = Normalisation(measuring: ImageSelection(test))
    #expect(abs(normalisation.mean[0] - 0.2868492807122849) < 1e-12)
    #expect(abs(normalisation.deviation[0] - 0.35244415324744) < 1e-12)
  }
}
