import Diagnostics
import Foundation

/// The runs of a folder.
public enum RunIndex {
  /// The folder of the run that `text` names: an id, the unique beginning of one, a name, a path, or `last`.
  public static func find(_ text: String, in runs: URL) throws -> URL {
    runs.appending(path: text)
  }
}
