import Diagnostics
import TestSupport
import Testing

@testable import Datasets

@Suite struct CIFARTests {
  private let fixture: IDXFixture

  init() throws { fixture = try IDXFixture() }

  /// A record whose red plane counts up from `seed`, whose green plane is `seed`, and whose blue plane is 255.
  private static func record(_ labels: [UInt8], seed: Int) -> [UInt8] {
    labels + (0..<1024).map { UInt8(truncatingIfNeeded: seed + $0) } + [UInt8](repeating: UInt8(seed), count: 1024)
      + [UInt8](repeating: 255, count: 1024)
  }

  private func writeTen() throws {
    for number in 1...5 {
      try fixture.write(
        "data_batch_\(number).bin", Self.record([UInt8(number)], seed: number) + Self.record([0], seed: 9))
    }
    try fixture.write("test_batch.bin", Self.record([9], seed: 7))
    try fixture.write("batches.meta.txt", Array((0..<10).map { "name\($0)\n" }.joined().utf8) + [10])
  }

  private func writeHundred() throws {
    try fixture.write("train.bin", Self.record([3, 99], seed: 1) + Self.record([19, 0], seed: 2))
    try fixture.write("test.bin", Self.record([0, 42], seed: 3))
  }

  private func fault(_ name: String, _ bytes: [UInt8], _ options: FolderOptions = .init()) throws -> String? {
    try fixture.write(name, bytes)
    return fixture.fault { try DataRegistry.open(fixture.folder, folder: options) }
  }

  @Test func readsTen() throws {
    try writeTen()
    let data = try DataRegistry.open(fixture.folder)
    #expect(data.imageShape == [32, 32, 3] && data.train.count == 10 && data.test.count == 1)
    #expect(data.train.set.labels == [1, 0, 2, 0, 3, 0, 4, 0, 5, 0] && data.test.set.labels == [9])
    #expect(data.classNames == (0..<10).map { "name\($0)" })
    let second = data.train.set.pixels[6144...]
    #expect(Array(second.prefix(6)) == [2, 2, 255, 3, 2, 255])
  }

  @Test func readsHundred() throws {
    try writeHundred()
    let fine = try DataRegistry.open(fixture.folder)
    #expect(fine.train.set.labels == [99, 0] && fine.test.set.labels == [42] && fine.classNames.count == 100)
    let coarse = try DataRegistry.open(fixture.folder, folder: .init(labels: .coarse))
    #expect(coarse.train.set.labels == [3, 19] && coarse.test.set.labels == [0] && coarse.classNames.count == 20)
    #expect(coarse.train.set.pixels == fine.train.set.pixels)
  }

  @Test func cutOffFiles() throws {
    try writeTen()
    #expect(
      try fault("data_batch_3.bin", Self.record([1], seed: 1) + [4, 0, 0]) == """
        DIR/data_batch_3.bin, offset 3073: the last record is cut off: expected 3073 bytes (label, 32×32 RGB), \
        got 3 bytes. Fetch the file again.
        """)
    #expect(
      try fault("data_batch_3.bin", []) == """
        DIR/data_batch_3.bin, offset 0: the file is empty: expected 3073 bytes (label, 32×32 RGB), got 0 bytes. \
        Fetch the file again.
        """)
  }

  @Test func labelsOutOfRange() throws {
    try writeTen()
    #expect(
      try fault("test_batch.bin", Self.record([1], seed: 1) + Self.record([10], seed: 1)) == """
        DIR/test_batch.bin, offset 3073: label out of range: expected 0…9, got 10
        """)
    let hundred = try CIFARTests()
    try hundred.writeHundred()
    #expect(
      try hundred.fault("test.bin", Self.record([20, 5], seed: 1), .init(labels: .coarse)) == """
        DIR/test.bin, offset 0: label out of range: expected 0…19, got 20
        """)
    #expect(
      try hundred.fault("test.bin", Self.record([20, 100], seed: 1)) == """
        DIR/test.bin, offset 1: label out of range: expected 0…99, got 100
        """)
  }

  @Test func missingFilesAndNames() throws {
    try writeTen()
    #expect(
      try fault("batches.meta.txt", Array("one\ntwo\n".utf8)) == """
        DIR/batches.meta.txt: number of class names: expected 10, got 2
        """)
    try fixture.remove("batches.meta.txt")
    try fixture.remove("data_batch_4.bin")
    #expect(
      fixture.fault { try DataRegistry.open(fixture.folder) } == """
        DIR/data_batch_4.bin: doesn't exist: expected 'data_batch_4.bin' in DIR. Did you mean 'data_batch_1.bin'?
        """)
  }

  @Test func optionsOfOtherFormats() throws {
    try writeTen()
    let fault = Fault(
      .recipe, "CIFAR-10 has no option 'labels'", expected: "none of labels, size, channels, test", got: "labels")
    #expect(throws: fault) { try DataRegistry.open(fixture.folder, folder: .init(labels: .fine)) }
  }
}
