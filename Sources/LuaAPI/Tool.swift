import Foundation

/// Other programs.
public enum Tool {
  /// What a program on the PATH writes, without white space at the ends; nil when it isn't there or fails.
  ///
  /// - Parameters:
  ///   - withErrors: also what it writes on standard error, where some tell their version.
  ///   - ignoringStatus: what it wrote although it failed.
  public static func output(
    of program: String, _ arguments: [String], in folder: URL? = nil, withErrors: Bool = false,
    ignoringStatus: Bool = false
  ) -> String? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    if let folder { process.currentDirectoryURL = folder }
    process.standardOutput = output
    if withErrors { process.standardError = output } else { process.standardError = FileHandle.nullDevice }
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 || ignoringStatus else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
