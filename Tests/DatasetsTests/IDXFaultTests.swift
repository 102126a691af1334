import Datasets
import TestSupport
import Testing

@Suite struct IDXFaultTests {
  let fixture: IDXFixture

  init() throws {
    fixture = try IDXFixture()
    try fixture.writeGoodSet()
  }

  /// The fault of the folder after one file was written anew.
  private func fault(_ name: String, _ bytes: [UInt8]) throws -> String? {
    try fixture.write(name, bytes)
    return fixture.fault { try IDX.folder(fixture.folder) }
  }

  @Test func wrongMagic() throws {
    #expect(
      try fault(IDXFixture.trainImages, IDXFixture.labels([0])) == """
        DIR/train-images-idx3-ubyte, offset 0: not an IDX file of images: expected magic number 0x00000803, \
        got 0x00000801. This is a file of labels.
        """)
    #expect(
      try fault(IDXFixture.trainLabels, Array("hello".utf8)) == """
        DIR/train-labels-idx1-ubyte, offset 0: not an IDX file of labels: expected magic number 0x00000801, \
        got 0x68656c6c
        """)
  }

  @Test func cutOffHeader() throws {
    #expect(
      try fault(IDXFixture.trainImages, [0, 0, 8, 3, 0]) == """
        DIR/train-images-idx3-ubyte, offset 4: the header is cut off: expected 4 bytes (number of images), got 1 byte
        """)
    #expect(
      try fault(IDXFixture.trainLabels, []) == """
        DIR/train-labels-idx1-ubyte, offset 0: the header is cut off: expected 4 bytes (magic number), got 0 bytes
        """)
  }

  @Test func countsDisagree() throws {
    #expect(
      try fault(IDXFixture.trainLabels, IDXFixture.labels([0, 1, 2, 2, 1])) == """
        DIR/train-labels-idx1-ubyte, offset 4: number of labels: expected 6, the number of images in \
        DIR/train-images-idx3-ubyte, got 5
        """)
  }

  @Test func cutOffData() throws {
    #expect(
      try fault(IDXFixture.testImages, IDXFixture.images(count: 3).dropLast(4)) == """
        DIR/t10k-images-idx3-ubyte, offset 16: the header claims more than the file can hold: expected 18 bytes \
        (3 images of 2×3), got 14 bytes
        """)
    try fixture.remove(IDXFixture.testImages)
    #expect(
      try fault(IDXFixture.testImages + ".gz", IDXFixture.gzip(IDXFixture.images(count: 3).dropLast(4))) == """
        DIR/t10k-images-idx3-ubyte.gz, offset 30 after decompression: the data are cut off: expected 18 bytes \
        (3 images of 2×3), got 14 bytes. Fetch the file again.
        """)
  }

  @Test func dataAfterTheEnd() throws {
    #expect(
      try fault(IDXFixture.testLabels, IDXFixture.labels([2, 0, 1]) + [0]) == """
        DIR/t10k-labels-idx1-ubyte, offset 11: data after the end: expected the end after 3 labels, got more bytes
        """)
  }

  @Test func cutOffGzip() throws {
    let whole = IDXFixture.gzip(IDXFixture.images(count: 6))
    try fixture.remove(IDXFixture.trainImages)
    for length in [5, 30, whole.count - 1] {
      #expect(
        try fault(IDXFixture.trainImages + ".gz", Array(whole.prefix(length))) == """
          DIR/train-images-idx3-ubyte.gz, offset \(length): the gzip file is cut off: expected more compressed data, \
          got the end of the file. Fetch the file again.
          """)
    }
  }

  @Test func damagedGzip() throws {
    var bytes = IDXFixture.gzip(IDXFixture.images(count: 6))
    bytes[40] ^= 1
    try fixture.remove(IDXFixture.trainImages)
    let text = try fault(IDXFixture.trainImages + ".gz", bytes)
    #expect(
      text == """
        DIR/train-images-idx3-ubyte.gz, offset \(bytes.count - 4): the gzip data are damaged (incorrect data check). \
        Fetch the file again.
        """)
  }

  @Test func labelOutOfRange() throws {
    #expect(
      try fault(IDXFixture.testLabels, IDXFixture.labels([2, 0, 3])) == """
        DIR/t10k-labels-idx1-ubyte, offset 10: label out of range: expected 0…2, got 3
        """)
    #expect(
      try fault(IDXFixture.trainLabels, IDXFixture.labels([0, 1, 2, 200, 1, 0])) == """
        DIR/train-labels-idx1-ubyte, offset 11: label out of range: expected 0…2 (no label is 3), got 200
        """)
    #expect(
      try fault(IDXFixture.trainLabels, IDXFixture.labels([1, 1, 2, 2, 1, 1])) == """
        DIR/train-labels-idx1-ubyte, offset 8: label out of range: expected 0 (no label is 0), got 1
        """)
  }

  @Test func noImages() throws {
    #expect(
      try fault(IDXFixture.trainImages, IDXFixture.images(count: 0)) == """
        DIR/train-images-idx3-ubyte, offset 4: number of images out of range: expected 1…4294967295, got 0
        """)
  }

  @Test func absurdSizes() throws {
    let header: [UInt8] = [0, 0, 8, 3] + IDXFixture.word(6)
    #expect(
      try fault(IDXFixture.trainImages, header + [255, 255, 255, 255, 0, 0, 0, 1]) == """
        DIR/train-images-idx3-ubyte, offset 8: rows out of range: expected 1…4096, got 4294967295
        """)
    let largest: [UInt8] = [0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 16, 0, 0, 0, 16, 0]
    #expect(
      try fault(IDXFixture.trainImages, largest) == """
        DIR/train-images-idx3-ubyte, offset 16: the header claims more than the file can hold: expected \
        72057594021150720 bytes (4294967295 images of 4096×4096), got 0 bytes
        """)
    try fixture.remove(IDXFixture.trainImages)
    let gzip = IDXFixture.gzip(largest)
    #expect(
      try fault(IDXFixture.trainImages + ".gz", gzip) == """
        DIR/train-images-idx3-ubyte.gz, offset 16 after decompression: the header claims more than the file can hold: \
        expected 72057594021150720 bytes (4294967295 images of 4096×4096), got at most \(gzip.count * 1032) bytes
        """)
  }

  @Test func imageSizesDisagree() throws {
    let bytes = [0, 0, 8, 3] + IDXFixture.word(3) + IDXFixture.word(1) + IDXFixture.word(1) + [1, 2, 3]
    #expect(
      try fault(IDXFixture.testImages, bytes) == """
        DIR/t10k-images-idx3-ubyte, offset 8: size of the images: expected 2×3 as in DIR/train-images-idx3-ubyte, \
        got 1×1
        """)
  }

  @Test func missingFile() throws {
    try fixture.remove(IDXFixture.trainImages)
    try fixture.write("train-images.idx3-ubyte", [])
    #expect(
      fixture.fault { try IDX.folder(fixture.folder) } == """
        DIR: a file of the data set is missing: expected train-images-idx3-ubyte or train-images-idx3-ubyte.gz. \
        Did you mean 'train-images.idx3-ubyte'?
        """)
  }

  @Test func missingFolder() throws {
    try fixture.write("fashion", [])
    #expect(
      fixture.fault { try IDX.folder(fixture.folder + "/fashoin/sub") } == """
        DIR/fashoin/sub: doesn't exist: expected 'fashoin' in DIR. Did you mean 'fashion'?
        """)
    #expect(
      fixture.fault { try IDX.labels(at: fixture.folder + "/xyz") } == """
        DIR/xyz: doesn't exist: expected 'xyz' in DIR. The folder has: fashion, t10k-images-idx3-ubyte, \
        t10k-labels-idx1-ubyte, train-images-idx3-ubyte, train-labels-idx1-ubyte.
        """)
  }

  @Test func folderInPlaceOfAFile() throws {
    #expect(
      fixture.fault { try IDX.labels(at: fixture.folder) } == "DIR: is not a file: expected a regular file")
  }
}
