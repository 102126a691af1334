import Foundation

/// What is known of the machine.
public enum Machine {
  /// The processor's name, from /proc/cpuinfo.
  public static var processor: String? { value(of: "model name", in: "/proc/cpuinfo", separator: ":") }

  /// The distribution's name and version, from /etc/os-release.
  public static var distribution: String? {
    value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=")?.trimmingCharacters(in: ["\""])
  }

  /// Memory in bytes: all of it, and what programs can still have, from /proc/meminfo.
  public static var memory: (total: Int, available: Int)? {
    func bytes(_ name: String) -> Int? {
      value(of: name, in: "/proc/meminfo", separator: ":").flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 * 1024 }
    }
    guard let total = bytes("MemTotal"), let available = bytes("MemAvailable") else { return nil }
    return (total, available)
  }

  /// What stands behind the separator of the first line that begins with `name`.
  private static func value(of name: String, in file: String, separator: Character) -> String? {
    let text = try? String(contentsOfFile: file, encoding: .utf8)
    let line = text?.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: separator, maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
  }
}
