import Foundation
import Testing

/// The Python of the environment variable `NASRUN_PYTHON`, which has the packages of Tests/requirements.txt.
package enum PythonInterpreter {
  package static let path = ProcessInfo.processInfo.environment["NASRUN_PYTHON"]

  /// What a script prints; it must succeed.
  package static func run(_ script: String, _ arguments: String...) throws -> String {
    let process = Process(), output = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(path))
    process.arguments = ["-c", script] + arguments
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
  }
}
