import Diagnostics
import Exchange
import Foundation
import NeuralNet
import RunStore

/// The files of weights that a recipe keeps under names.
extension Session {
  /// The path of `models/<name>.safetensors` of the run's folder, which is made. Throws a `recipe` fault in the name of
  /// the function for a name that is more than a name.
  func namedFile(_ name: String, for function: String) throws -> URL {
    let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
    guard isPlain, 1...100 ~= name.count else {
      throw Fault(
        .recipe, "\(function): wrong name", expected: "1 to 100 letters, digits, '_' and '-'",
        got: "'\(name.prefix(40))\(name.count > 40 ? "…" : "")'")
    }
    let folder = try startedRun().folder.appending(path: "models", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.appending(path: name + ".safetensors")
  }

  /// Writes arrays under a name; returns the path.
  func save(_ arrays: [NamedArray], name: String, for function: String) throws -> String {
    let path = try namedFile(name, for: function).path(percentEncoded: false)
    try Safetensors.write(arrays, to: path)
    return path
  }

  /// A file of this run, or one that the recipe may read.
  func readable(_ path: String) throws -> String {
    if let folder = run?.folder.path(percentEncoded: false), path.hasPrefix(folder), !path.contains("..") {
      return path
    }
    return try access.resolve(path).path(percentEncoded: false)
  }
}
