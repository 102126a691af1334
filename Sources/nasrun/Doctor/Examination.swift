import Canonical
import Diagnostics
import Foundation
import LuaAPI
import NeuralNet
import RunStore
import TensorCore

/// What `nasrun doctor` looks at, one function each.
struct Examination {
  /// The folder of the runs.
  let runs: URL
  private var environment: [String: String] { ProcessInfo.processInfo.environment }

  var findings: [Finding] {
    [
      version, system, processor, kernels, blas, numerics, selfTest, memory, disk, runsFolder, packages,
      figures("gnuplot"),
      figures("dot"), languageServer,
    ]
  }

  // MARK: - nasrun and the machine

  private var version: Finding {
    let finding = Finding("nasrun", "\(nasrunVersion), library \(LibraryText.digest.prefix(12))")
    return environment["NASRUN_SCRIPTS"] == nil
      ? finding : finding.advising("NASRUN_SCRIPTS is set: a folder's nas/ wins over the library that is named here")
  }

  private var system: Finding {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let machine = withUnsafeBytes(of: name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return Finding("system", "\(Machine.distribution ?? "Linux"), kernel \(release), \(machine)")
  }

  private var processor: Finding {
    let count = ProcessInfo.processInfo.activeProcessorCount
    return Finding("cpu", "\(Machine.processor ?? "unknown"), \(count) \(count == 1 ? "core" : "cores")")
  }

  private var kernels: Finding {
    let names = KernelSet.available.map(\.rawValue).joined(separator: ", ")
    let finding = Finding("kernels", "\(KernelSet.best.rawValue) (available: \(names))")
    return KernelSet.best == .base
      ? finding.advising("this CPU lacks AVX2, so training is slow and its numbers differ from those of other machines")
      : finding
  }

  private var blas: Finding {
    do {
      return Finding("blas", "OpenBLAS, core \(try BLAS.shared.coreName), 1 thread")
    } catch {
      let fault = error as? Fault
      return Finding("blas", "none").wrong(fault?.message ?? "\(error)", advice: fault?.hint ?? "")
    }
  }

  private var numerics: Finding {
    do {
      return Finding("numerics", try Compute(threads: 1).numerics.text())
    } catch {
      return Finding("numerics", "unknown").wrong("\(error)", advice: "Mend what is wrong above.")
    }
  }

  // MARK: - Numbers

  /// A few operations on small examples: gradients, the same bits with every kernel set and on two threads.
  private var selfTest: Finding {
    let names: Set = ["conv2d", "linear", "batch_norm", "softmax", "avg_pool"]
    do {
      let reports = try OpCheck(references: nil).reports(OpTable.layers.filter { names.contains($0.name) })
      let bad = reports.filter(\.isBad).map(\.op.name)
      let finding = Finding(
        "self-test", "\(reports.count) operations, \(bad.isEmpty ? "all right" : "\(bad.count) wrong")")
      return bad.isEmpty
        ? finding
        : finding.wrong(
          "wrong numbers: \(bad.joined(separator: ", "))", advice: "'nasrun ops --check' says more; please report it.")
    } catch {
      return Finding("self-test", "did not run").wrong("\(error)", advice: "Mend what is wrong above.")
    }
  }

  // MARK: - Memory and disk

  private var memory: Finding {
    guard let (total, free) = Machine.memory else { return Finding("memory", "unknown") }
    let finding = Finding("memory", "\(Self.gigabytes(total)), \(Self.gigabytes(free)) available")
    return free < 500_000_000 ? finding.advising("little memory is left: end other programs") : finding
  }

  private var disk: Finding {
    let folder = Self.nearestFolder(to: runs)
    let values = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    guard let free = (values?[.systemFreeSize] as? NSNumber)?.int64Value else { return Finding("disk", "unknown") }
    let finding = Finding("disk", "\(Self.gigabytes(Int(free))) free where runs are kept")
    return free < 200_000_000
      ? finding.wrong("the disk is almost full", advice: "Free some, or keep runs elsewhere with --runs DIR.") : finding
  }

  private var runsFolder: Finding {
    let path = runs.path(percentEncoded: false)
    guard FileManager.default.fileExists(atPath: path) else {
      return access(Self.nearestFolder(to: runs), W_OK) == 0
        ? Finding("runs", "none yet")
        : Finding("runs", "none yet").wrong(
          "their folder can't be made here", advice: "Go to a folder that you may write, or name one with --runs DIR.")
    }
    guard access(path, W_OK) == 0 else {
      return Finding("runs", "not writable").wrong(
        "the folder of the runs can't be written", advice: "Change its permissions, or name another with --runs DIR.")
    }
    do {
      let list = try RunIndex.list(runs), unreadable = list.filter { $0.problem != nil }
      let finding = Finding("runs", "\(list.count), \(unreadable.count) of them unreadable; \(Self.indexState(runs))")
      return unreadable.isEmpty
        ? finding
        : finding.wrong(
          "unreadable: " + unreadable.prefix(5).map(\.id).joined(separator: ", "),
          advice: "'nasrun show RUN' says why; move a damaged one out of the folder.")
    } catch {
      return Finding("runs", "unreadable").wrong("\(error)", advice: "'nasrun doctor --reindex' makes the index anew.")
    }
  }

  private static func indexState(_ runs: URL) -> String {
    let file = runs.appending(path: "nasrun.sqlite").path(percentEncoded: false)
    return FileManager.default.fileExists(atPath: file) ? "index there" : "no index"
  }

  /// The folder, or the nearest one above it that there is.
  private static func nearestFolder(to url: URL) -> String {
    var folder = url.standardizedFileURL
    while !FileManager.default.fileExists(atPath: folder.path(percentEncoded: false)), folder.pathComponents.count > 1 {
      folder.deleteLastPathComponent()
    }
    return folder.path(percentEncoded: false)
  }

  private static func gigabytes(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }

  // MARK: - Other programs

  /// The Debian packages that nasrun runs on, with their versions.
  private var packages: Finding {
    let names = [
      "liblua5.4-0", "libopenblas0-pthread", "libsqlite3-0", "libturbojpeg0", "libpng16-16", "zlib1g", "libssl3",
    ]
    let format = "${Package} ${Version}\\n"
    guard let text = Tool.output(of: "dpkg-query", ["-W", "-f", format] + names, ignoringStatus: true), !text.isEmpty
    else { return Finding("packages", "unknown: there is no dpkg-query") }
    return Finding("packages", text.split(separator: "\n").joined(separator: ", "))
  }

  private func figures(_ program: String) -> Finding {
    let (package, option) = program == "dot" ? ("graphviz", "-V") : (program, "--version")
    return tool(program, option, without: "figures need it: apt-get install \(package)")
  }

  private var languageServer: Finding {
    tool(
      "lua-language-server", "--version",
      without: "with it an editor completes and checks recipes (https://luals.github.io); 'nasrun new' sets them up")
  }

  private func tool(_ program: String, _ option: String, without advice: String) -> Finding {
    guard let text = Tool.output(of: program, [option], withErrors: true) else {
      return Finding(program, "not installed").advising(advice)
    }
    return Finding(program, String(text.split(separator: "\n").first ?? "there"))
  }
}
