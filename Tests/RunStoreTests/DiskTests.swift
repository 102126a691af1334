import Diagnostics
import Foundation
import RunStore
import Testing

@Suite struct DiskTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  /// A limit on the size of files stands for a full disk: the write fails, what was recorded stays.
  @Test func aFullDiskIsSaidAndLosesNothing() async throws {
    let folder = try fixture.closedRun("full", trials: 0)
    await #expect(processExitsWith: .exitCode(7)) { [path = folder.path(percentEncoded: false) as String] in
      let run = try Run.open(URL(filePath: path), writing: true)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 300_000, rlim_max: 300_000)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      do {
        try Fixture.fill(run, 0..<10_000)
      } catch let fault as Fault {
        exit(fault.code == .limit && fault.hint?.contains("safe") == true ? 7 : 1)
      }
    }
    let numbers = try Run.open(folder).trials().map(\.number)
    #expect(!numbers.isEmpty && numbers == Array(0..<numbers.count))
    let run = try Run.open(folder, writing: true)
    try Fixture.fill(run, numbers.count..<numbers.count + 5)
  }

  @Test func aPlaceThatIsNoFolderIsNamed() throws {
    let file = fixture.runs.appending(path: "file")
    try Data().write(to: file)
    let fault = #expect(throws: Fault.self) {
      try Run.create(in: file, recipe: RecipeSource(file: "a.lua", folder: "/", text: ""), seed: 1)
    }
    #expect(fault?.message.hasPrefix("can't make the") == true && fault?.hint?.contains("--runs") == true)
  }

  /// Without write permission a finished run is still read, and the list works without its index.
  @Test(.enabled(if: getuid() != 0, "root may write anywhere")) func aReadOnlyFolderIsRead() throws {
    let folder = try fixture.closedRun()
    for path in [folder, fixture.runs] {
      try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: path.path(percentEncoded: false))
    }
    defer {
      for path in [fixture.runs, folder] {
        try? FileManager.default.setAttributes(
          [.posixPermissions: 0o755], ofItemAtPath: path.path(percentEncoded: false))
      }
    }
    #expect(try Run.open(folder).trials().count == 3)
    #expect(try RunIndex.list(fixture.runs).count == 1)
    let fault = #expect(throws: Fault.self) { try fixture.run() }
    #expect(fault?.message == "can't make the run's folder" && fault?.cause == "Permission denied")
  }
}
