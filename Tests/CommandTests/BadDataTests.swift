import Foundation
import TestSupport
import Testing

/// Damaged data end in exit status 66 with the file, the offset, what was expected and what came.
@Suite struct BadDataTests {
  let place: Workplace
  private let data: IDXFixture

  init() throws {
    place = try Workplace()
    data = try IDXFixture()
    try data.writeGoodSet()
    try place.write("r.lua", "local nas = require 'nas'\nnas.data.open(nas.args { data = '' }.data, { valid = 1 })\n")
  }

  private func expect(_ error: String, _ sourceLocation: SourceLocation = #_sourceLocation) throws {
    let outcome = try place.nasrun("r.lua", "-q", "--set", "data=" + data.folder)
    let text = outcome.errors.replacing(URL(filePath: data.folder).resolvingSymlinksInPath().path, with: "DIR")
    #expect(text == "nasrun: \(error)\n", sourceLocation: sourceLocation)
    #expect(outcome.status == 66, sourceLocation: sourceLocation)
  }

  @Test func truncatedGzip() throws {
    try data.remove(IDXFixture.trainImages)
    try data.write(IDXFixture.trainImages + ".gz", IDXFixture.gzip(IDXFixture.images(count: 6)).dropLast(20))
    try expect(
      """
      r.lua:2: DIR/train-images-idx3-ubyte.gz, offset 55: the gzip file is cut off: expected more compressed data, \
      got the end of the file. Fetch the file again.
      """)
  }

  @Test func wrongMagic() throws {
    try data.write(IDXFixture.testLabels, IDXFixture.images(count: 3))
    try expect(
      """
      r.lua:2: DIR/t10k-labels-idx1-ubyte, offset 0: not an IDX file of labels: expected magic number 0x00000801, \
      got 0x00000803. This is a file of images.
      """)
  }

  @Test func countsThatDisagree() throws {
    try data.write(IDXFixture.trainLabels, IDXFixture.labels([0, 1, 2, 2, 1]))
    try expect(
      """
      r.lua:2: DIR/train-labels-idx1-ubyte, offset 4: number of labels: expected 6, the number of images in \
      DIR/train-images-idx3-ubyte, got 5
      """)
  }

  @Test func aLabelOutOfRange() throws {
    try data.write(IDXFixture.testLabels, IDXFixture.labels([2, 7, 1]))
    try expect(
      """
      r.lua:2: DIR/t10k-labels-idx1-ubyte, offset 9: label out of range: expected 0…2, got 7
      """)
  }

  @Test func aMissingFile() throws {
    try data.remove(IDXFixture.trainLabels)
    try expect(
      """
      r.lua:2: DIR: a file of the data set is missing: expected train-labels-idx1-ubyte or \
      train-labels-idx1-ubyte.gz. The folder has: t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, \
      train-images-idx3-ubyte.
      """)
  }

  @Test func aMissingFolder() throws {
    let outcome = try place.nasrun("r.lua", "-q", "--set", "data=/no/such/place")
    #expect(
      outcome.errors == """
        nasrun: r.lua:2: there is no such file or folder: got /no/such/place. Check the path, or pass it with --set.

        """)
    #expect(outcome.status == 66)
    try place.write("images/part/a.txt", "")
    for (wrong, right) in [("imagse/part", "images"), ("images/prat/train", "images/part")] {
      #expect(
        try place.nasrun("r.lua", "-q", "--set", "data=\(wrong)").errors == """
          nasrun: r.lua:2: there is no such file or folder: got \(wrong). Did you mean '\(right)'?

          """)
    }
  }

  /// A path that was not named on the command line stays closed, also behind a link.
  @Test func aPathThatWasNotNamed() throws {
    let link = place.folder.appending(path: "link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: URL(filePath: data.folder))
    try place.write("r.lua", "require 'nas'.data.open('link', { valid = 1 })\n")
    let refused = try place.nasrun("r.lua", "-q")
    #expect(
      refused.errors == """
        nasrun: r.lua:1: the recipe may not read this path: expected its own folder or a path named on the command line, \
        got link. Pass it as a setting (--set data=link), or run with --trust.

        """)
    #expect(refused.status == 66)
    #expect(try place.nasrun("r.lua", "-q", "--trust").status == 0)
  }

  /// A path that was named is open wherever it is found: from the working folder or from the recipe's.
  @Test func aPathFromTheRecipesFolder() throws {
    try place.writeImages("images")
    try place.write(
      "deep/r.lua", "local nas = require 'nas'\nnas.data.open(nas.args { data = '' }.data, { valid = 1 })\n")
    let outcome = try place.nasrun("deep/r.lua", "-q", "--set", "data=../images")
    #expect(outcome.status == 0, "\(outcome.errors)")
    try place.write("deep/r.lua", "require 'nas'.data.open('../images', { valid = 1 })\n")
    #expect(try place.nasrun("deep/r.lua", "-q").errors.contains("the recipe may not read this path"))
  }

  @Test func aSmallSplitIsWarnedAbout() throws {
    let outcome = try place.nasrun("r.lua", "--set", "data=" + data.folder)
    #expect(outcome.status == 0 && outcome.errors.hasPrefix("warning: "))
  }
}
