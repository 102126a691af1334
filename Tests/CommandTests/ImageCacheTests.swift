import Foundation
import Testing

/// What a user sees of the cache of decoded images.
@Suite struct ImageCacheTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    let picture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "References/images/colour.png")
    for name in ["a", "b"] {
      let folder = place.folder.appending(path: "images/" + name)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for number in 0..<5 {
        try FileManager.default.copyItem(at: picture, to: folder.appending(path: "\(number).png"))
      }
    }
  }

  private func open(_ options: String) throws -> Workplace.Outcome {
    try place.write("r.lua", "print(require('nas').data.open('images', { \(options) }))\n")
    return try place.nasrun("r.lua")
  }

  private func files(_ folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: place.folder.appending(path: folder).path)) ?? []
  }

  @Test func isInTheUsersFolderUnlessToldOtherwise() throws {
    let plain = try open("cache = false")
    #expect(plain.status == 0 && files("cache/nasrun/images").isEmpty)
    let first = try open(""), second = try open("")
    #expect(files("cache/nasrun/images").count == 1)
    #expect(first.output == plain.output && second.output == plain.output && first.errors.isEmpty)
    try FileManager.default.createDirectory(
      at: place.folder.appending(path: "kept"), withIntermediateDirectories: false)
    #expect(try open("cache = 'kept'").output == plain.output && files("kept").count == 1)
  }

  @Test func twoProcessesAtOnce() throws {
    try place.write("r.lua", "print(require('nas').data.open('images'))\n")
    let commands = try (0..<3).map { _ in try Command(["r.lua", "-q"], in: place.folder) }
    let outcomes = try commands.map { try $0.outcome() }
    #expect(outcomes.allSatisfy { $0.status == 0 && $0.errors.isEmpty && $0.output == outcomes[0].output })
    #expect(files("cache/nasrun/images").count == 1)
  }

  @Test func aFolderThatCanNotBeWrittenToIsSaid() throws {
    try place.write("cache", "a file")
    let outcome = try open("")
    let cache = place.folder.appending(path: "cache/nasrun/images").path
    #expect(
      outcome.errors == """
        warning: images: the decoded images can't be kept for the next run (\(cache): Not a directory)

        """)
    #expect(outcome.status == 0)
  }
}
