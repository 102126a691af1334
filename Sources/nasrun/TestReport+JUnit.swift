import Diagnostics
import Foundation

extension TestReport {
  /// Writes the results as continuous integration servers read them.
  func writeJUnit(to path: String) throws {
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
    for part in parts {
      let bad = part.results.count { isFailure($0) }
      let idle = part.results.count { $0.outcome == .pending || $0.outcome == .skipped }
      let counts = "tests=\"\(part.results.count)\" failures=\"\(bad)\" skipped=\"\(idle)\""
      xml += "  <testsuite name=\"\(Self.escaped(part.title))\" \(counts)>\n"
      for result in part.results { xml += testCase(result, in: part.title) }
      xml += "  </testsuite>\n"
    }
    xml += "</testsuites>\n"
    do {
      try Data(xml.utf8).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw Fault(.usage, "can't write the file", at: path, cause: SystemError.words(for: error))
    }
  }

  private func isFailure(_ result: TestResult) -> Bool {
    result.outcome == .failed || strict && result.outcome == .note
  }

  private func testCase(_ result: TestResult, in title: String) -> String {
    let time = String(format: "%.3f", result.seconds)
    var xml =
      "    <testcase classname=\"\(Self.escaped(title))\" name=\"\(Self.escaped(result.name))\" time=\"\(time)\">"
    if isFailure(result) {
      let message = result.words["message"] ?? result.words["got"] ?? "failed"
      xml += "<failure message=\"\(Self.escaped(message))\">\(Self.escaped(result.text))</failure>"
    } else if result.outcome == .pending || result.outcome == .skipped {
      xml += "<skipped/>"
    }
    return xml + "</testcase>\n"
  }

  /// Text for XML; characters that XML 1.0 can't hold become U+FFFD.
  private static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\n": out += "&#10;"
      case "\t": out.unicodeScalars.append(scalar)
      case _ where scalar.value < 32 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: out += "\u{FFFD}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
