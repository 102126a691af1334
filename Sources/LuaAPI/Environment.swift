import Canonical
import Foundation
import RunStore
import TensorCore

/// The version of nasrun.
public let nasrunVersion = "0.1.0"

/// What a reader of a run needs to judge its numbers or to repeat it.
enum Environment {

  static func record(_ options: SessionOptions, compute: Compute, library: String) -> JSONValue {
    .object([
      "nasrun": .string(nasrunVersion),
      "library": .string(library),
      "numerics": compute.numerics,
      "threads": .int(compute.threads),
      "cpu": .string(processor ?? "unknown"),
      "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
      "git": git(in: URL(filePath: options.recipe.folder)),
      "trusted": .bool(options.trusted),
      "folder": .string(options.workingFolder),
      "named_settings": .array(options.settings.map { .string($0.name) }),
    ])
  }

  /// The processor's name, from /proc/cpuinfo.
  private static var processor: String? {
    let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    let line = text?.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// The commit of the recipe's folder and whether it had changes; null outside a repository.
  private static func git(in folder: URL) -> JSONValue {
    guard let commit = run("git", ["rev-parse", "HEAD"], in: folder) else { return .null }
    let changes = run("git", ["status", "--porcelain"], in: folder)
    return ["commit": .string(commit), "dirty": .bool(changes?.isEmpty == false)]
  }

  private static func run(_ tool: String, _ arguments: [String], in folder: URL) -> String? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.currentDirectoryURL = folder
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
