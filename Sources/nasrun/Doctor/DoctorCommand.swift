import ArgumentParser
import Canonical
import Diagnostics
import Foundation

/// `nasrun doctor`
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Look at this installation: what a report of an error should contain.",
    discussion: "The exit status is 1 when something is wrong; what to do stands below the list.")

  @OptionGroup var runs: RunsOption
  @Flag(help: "Make the index of the runs anew first.") var reindex = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    if reindex { try removeIndex() }
    let findings = Examination(runs: runs.url).findings, isWell = findings.allSatisfy { $0.problem == nil }
    if json {
      let checks = JSONValue.array(findings.map(\.json))
      print(JSONValue.object(["schema": 1, "ok": .bool(isWell), "checks": checks]).text(pretty: true))
    } else {
      print(findings.report)
    }
    if !isWell { throw ExitCode.failure }
  }

  /// Removes the index; looking at the runs makes it again.
  private func removeIndex() throws {
    for suffix in ["", "-journal", "-wal", "-shm"] {
      let file = runs.url.appending(path: "nasrun.sqlite" + suffix)
      guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) else { continue }
      do {
        try FileManager.default.removeItem(at: file)
      } catch {
        throw Fault(
          .usage, "can't remove the index of the runs", at: file.relativePath,
          hint: "Change the permissions of its folder.", cause: SystemError.words(for: error))
      }
    }
  }
}
