import Canonical
import LuaHost

/// The texts of the embedded library, by module.
public enum LibraryText {
  /// The names of its modules, sorted.
  public static let names = LuaHost.embeddedLibrary.map(\.name).sorted()

  /// The digest of all names and texts.
  public static var digest: String {
    ContentDigest.of(LuaHost.embeddedLibrary.map { $0.name + "\n" + $0.text }.sorted().joined())
  }

  /// The text of a module; nil when the library has none of that name.
  public static func text(of module: String) -> String? {
    LuaHost.embeddedLibrary.first { $0.name == module }.map { String($0.text) }
  }
}
