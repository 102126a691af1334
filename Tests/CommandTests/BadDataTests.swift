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
    #expect(text == "nasrun: r.lua:2: \(error)\n", sourceLocation: sourceLocation)
    #expect(outcome.status == 66, sourceLocation: sourceLocation)
  }

  @Test func truncatedGzip() throws {
    try data.remove(IDXFixture.trainImages)
    try data.write(IDXFixture.trainImages + ".gz", IDXFixture.gzip(IDXFixture.images(count: 6)).dropLast(20))
    try expect("?")
  }

  @Test func wrongMagic() throws {
    try data.write(IDXFixture.testLabels, IDXFixture.images(count: 3))
    try expect("?")
  }

  @Test func countsThatDisagree() throws {
    try data.write(IDXFixture.trainLabels, IDXFixture.labels([0, 1, 2, 2, 1]))
    try expect("?")
  }

  @Test func aLabelOutOfRange() throws {
    try data.write(IDXFixture.testLabels, IDXFixture.labels([2, 7, 1]))
    try expect("?")
  }

  @Test func aMissingFile() throws {
    try data.remove(IDXFixture.trainLabels)
    try expect("?")
  }

  @Test func aMissingFolder() throws {
    let outcome = try place.nasrun("r.lua", "-q", "--set", "data=/no/such/place")
    #expect(
      outcome.errors == """
        nasrun: r.lua:2: there is no such file or folder: got /no/such/place. Check the path, or pass it with --set.

        """)
    #expect(outcome.status == 66)
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

  @Test func aSmallSplitIsWarnedAbout() throws {
    let outcome = try place.nasrun("r.lua", "--set", "data=" + data.folder)
    #expect(outcome.status == 0 && outcome.errors.hasPrefix("warning: "))
  }
}
