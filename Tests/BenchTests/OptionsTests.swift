import Foundation
import Testing

/// What `Scripts/bench` says before anything is built.
@Suite struct OptionsTests {
  private func options(_ arguments: [String]) throws -> (output: String, errors: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-B", "Scripts/benchmarks/options.py"] + arguments
    return try process.outcome()
  }

  @Test func helpNeedsNoPackages() throws {
    let help = try options(["--help"])
    #expect(
      help.status == 0 && help.output.hasPrefix("usage: Scripts/bench [-h] [--quick]")
        && !help.output.contains("--build"))
  }

  @Test(arguments: [
    (["--only"], "argument --only: expected one argument"), (["--bogus"], "unrecognized arguments: --bogus"),
    (["extra"], "unrecognized arguments: extra"), (["--kernels", "sse"], "argument --kernels: invalid choice: 'sse'"),
    (["--core", "-1"], "argument --core: "),
    (["--json", "/nowhere/x.json"], "argument --json: can't write /nowhere/x.json"),
  ]) func mistakesAreTold(arguments: [String], error: String) throws {
    let outcome = try options(arguments)
    #expect(outcome.status == 2 && outcome.errors.contains("Scripts/bench: error: \(error)"), "\(outcome.errors)")
  }

  @Test func goodOptionsAreTaken() throws {
    let outcome = try options(["--quick", "--only", "vit", "--only", "training/mixed", "--kernels", "avx2"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
  }
}
