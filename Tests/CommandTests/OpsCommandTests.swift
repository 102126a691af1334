import Canonical
import Foundation
import Testing

@Suite struct OpsCommandTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  @Test func theTableTellsHowToCheck() throws {
    let ops = try place.nasrun("ops")
    #expect(ops.status == 0)
    #expect(ops.output.contains("'nasrun ops --check'"))
    #expect(ops.output.contains("\nconv2d "))
  }

  @Test func theCheckShowsEveryOperation() throws {
    let references = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "References")
    let check = try place.nasrun("ops", "--check", "--references", references.path)
    #expect(check.status == 0)
    let lines = check.output.split(separator: "\n")
    #expect(
      lines.first { $0.hasPrefix("conv2d ") }?.split(separator: " ")
        == "conv2d ok ok ok ok ok ok 3".split(separator: " "))
    #expect(lines.last?.hasSuffix("operations, all right.") == true)

    let json = try JSONValue(
      parsing: Array(try place.nasrun("ops", "--check", "--json", "--all").output.utf8), source: "output")
    let relu = json["ops"]?.array?.first { $0["name"] == "relu_gradient" }
    #expect(relu?["ok"] == true)
    #expect(relu?["checks"]?["gradient"]?["ok"] == true)
    #expect(relu?["checks"]?["references"]?["ok"] == .null)
  }

  @Test func anInstructionSetCanBeChecked() throws {
    let check = try place.nasrun("ops", "--check", "--kernels", "base")
    #expect(check.status == 0 && check.output.hasSuffix("operations, all right.\n"))
    let unknown = try place.nasrun("ops", "--check", "--kernels", "avx")
    #expect(unknown.status == 64 && unknown.errors.contains("unknown instruction set 'avx'"))
    #expect(try place.nasrun("ops", "--kernels", "base").status == 64)
  }

  @Test func referencesThatAreMissingAreAnError() throws {
    let check = try place.nasrun("ops", "--check", "--references", "nowhere")
    #expect(check.status == 66)
    #expect(check.errors.contains("nowhere/ops.json: can't read the references"))
    #expect(try place.nasrun("ops", "--references", "nowhere").status == 64)
  }

  @Test func filesThatAreNoReferencesAreAnError() throws {
    try place.write("references/ops.json", "{\"cases\": []}")
    try place.write("references/ops.safetensors", "\u{ff}\u{ff}\u{ff}\u{ff}{}")
    let check = try place.nasrun("ops", "--check", "--references", "references")
    #expect(check.status == 66)
    #expect(check.errors.contains("ops.safetensors: not a file of references"))
  }
}
