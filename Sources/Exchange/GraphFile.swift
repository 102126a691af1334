import Canonical
import Foundation
import NeuralNet

extension Graph {
  /// Writes the graph as indented JSON; the file is whole or not there.
  public func save(to path: String) throws {
    try AtomicFile.write(Data((json.text(pretty: true) + "\n").utf8), to: path)
  }

  /// Reads a graph that `save` wrote. Throws a `data` fault that names the file and the node.
  public init(contentsOf path: String) throws {
    let json = try JSONValue(parsing: try AtomicFile.read(path), source: path)
    try self.init(json: json, source: path)
  }
}
