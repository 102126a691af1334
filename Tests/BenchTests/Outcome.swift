import Foundation

extension Process {
  /// Runs the program to its end: what it wrote, and its status.
  func outcome() throws -> (output: String, errors: String, status: Int32) {
    let output = Pipe(), errors = Pipe()
    (standardOutput, standardError) = (output, errors)
    try run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complained = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    waitUntilExit()
    return (said, complained, terminationStatus)
  }
}
