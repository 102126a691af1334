import Diagnostics
import Foundation
import RunStore

/// Figures by Graphviz and gnuplot, programs beside this one: what they need is given as files, never as a part
/// of a command.
enum FigureFile {
  /// Draws a text in the language of Graphviz as SVG. A file that ends in `.dot` takes the text itself, and so does one
  /// beside it when Graphviz isn't there; then a fault says so.
  static func draw(dot text: String, to file: URL) throws {
    guard file.pathExtension != "dot" else { return try RunFolder.write(text, to: file) }
    try checkExtension(of: file)
    try inTemporaryFolder { folder in
      let source = folder.appending(path: "network.dot")
      try Data(text.utf8).write(to: source)
      guard let svg = try run("dot", ["-Tsvg", source.path(percentEncoded: false)]) else {
        let dot = file.deletingPathExtension().appendingPathExtension("dot")
        try RunFolder.write(text, to: dot)
        throw Fault(
          .usage, "Graphviz isn't installed, which draws networks", got: "no program 'dot'",
          hint: "Install it (apt install graphviz); until then \(dot.relativePath) has the drawing as DOT text.")
      }
      try RunFolder.write(svg, to: file)
    }
  }

  /// Draws tables of numbers with a gnuplot script as SVG. The script reads `data.txt` in its working folder and writes
  /// to standard output. Without gnuplot, `data` is written beside the figure and a fault says so.
  static func plot(_ script: String, data: String, to file: URL) throws {
    try checkExtension(of: file)
    try inTemporaryFolder { folder in
      try Data(data.utf8).write(to: folder.appending(path: "data.txt"))
      try Data(script.utf8).write(to: folder.appending(path: "figure.gp"))
      guard let svg = try run("gnuplot", ["figure.gp"], in: folder) else {
        let numbers = file.deletingPathExtension().appendingPathExtension("txt")
        try RunFolder.write(data, to: numbers)
        throw Fault(
          .usage, "gnuplot isn't installed, which draws curves", got: "no program 'gnuplot'",
          hint: "Install it (apt install gnuplot-nox); until then \(numbers.relativePath) has the numbers.")
      }
      try RunFolder.write(svg, to: file)
    }
  }

  private static func checkExtension(of file: URL) throws {
    guard file.pathExtension == "svg" else {
      throw Fault(
        .usage, "wrong name of a figure", expected: "a file that ends in .svg", got: "'\(file.relativePath)'")
    }
  }

  private static func inTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "nasrun-figure-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  /// What a program printed; nil when it isn't installed.
  private static func run(_ program: String, _ arguments: [String], in folder: URL? = nil) throws -> String? {
    let places = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
    guard let path = places.map({ "\($0)/\(program)" }).first(where: FileManager.default.isExecutableFile(atPath:))
    else { return nil }
    let process = Process(), output = Pipe(), errors = Pipe()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, !text.isEmpty else {
      throw Fault(.internal, "\(program) could not draw the figure", cause: String(words.prefix(300)))
    }
    return String(decoding: text, as: UTF8.self)
  }
}
