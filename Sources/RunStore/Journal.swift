import Canonical
import Diagnostics
import Foundation
import GRDB

/// The rows of the journal as values in column order, and the chained checksum over them.
///
/// A checksum covers the row before (by its checksum), the row's own columns and the trials and metrics that were
/// written with it. So a changed value, a missing row or a row from another run breaks the chain at a known place.
enum Journal {
  static let columns = [
    "sequence", "entry", "search", "kind", "key", "occurrence", "label", "exact", "observed", "active_seconds",
    "reused",
  ]
  static let trialColumns = [
    "search", "number", "architecture", "decisions", "budget", "repetition", "status", "failure", "failed_at",
    "started", "finished",
  ]
  static let metricColumns = ["name", "epoch", "value", "kind", "exact"]

  /// The checksum "before the first row", which ties the journal to its run.
  static func origin(identity: String) -> String { ContentDigest.of("nasrun journal", identity) }

  static func checksum(after previous: String, _ rows: [[DatabaseValue]]) -> String {
    let digest = ContentDigest()
    digest.update(previous)
    for row in rows {
      digest.update(UInt64(row.count))
      for value in row { digest.update(value) }
    }
    return digest.finish()
  }
}

extension ContentDigest {
  /// Adds a column's value and its type.
  fileprivate func update(_ value: DatabaseValue) {
    switch value.storage {
    case .null: update("null")
    case .int64(let value): update("int \(value)")
    case .double(let value): update("real \(value.bitPattern)")
    case .string(let value): update("text \(value)")
    case .blob(let value): update("blob \(value.base64EncodedString())")
    }
  }
}

// MARK: - Values in column order

extension EffectRecord {
  func values(sequence: Int) -> [DatabaseValue] {
    let values: [(any DatabaseValueConvertible)?] = [
      sequence, "effect", search, kind, key, occurrence, label, exact.text(), observed.text(), activeSeconds + 0,
      reused,
    ]
    return values.map { $0?.databaseValue ?? .null }
  }

  init(row: Row, source: String) throws {
    let row = CheckedRow(row, source)
    self.init(
      kind: try row("kind"), key: try row("key"), occurrence: try row("occurrence"), exact: try row.json("exact"),
      observed: try row.json("observed"), search: try row.optional("search"), label: try row("label"),
      activeSeconds: try row("active_seconds"), reused: try row("reused"))
  }
}

extension DecisionRecord {
  func values(sequence: Int) -> [DatabaseValue] {
    let values: [any DatabaseValueConvertible] = [
      sequence, "decision", search, kind, "", request, "", value.text(), "null", 0.0, false,
    ]
    return values.map(\.databaseValue)
  }
}

extension TrialRecord {
  var values: [DatabaseValue] {
    let values: [(any DatabaseValueConvertible)?] = [
      search, number, architecture, decisions.text(), budget.text(), repetition, status.rawValue, failure, failedAt,
      started + 0, finished.map { $0 + 0 },
    ]
    return values.map { $0?.databaseValue ?? .null }
  }

  /// The trial without its metrics, which are in another table.
  init(row: Row, source: String, columns: [String]? = nil) throws {
    let row = CheckedRow(row, source, columns: columns)
    self.init(
      search: try row("search"), number: try row("number"), architecture: try row("architecture"),
      decisions: try row.json("decisions"), budget: try row.json("budget"), repetition: try row("repetition"),
      status: try row("status"), failure: try row.optional("failure"), failedAt: try row.optional("failed_at"),
      started: try row("started"), finished: try row.optional("finished"))
  }
}

extension TrialStatus: DatabaseValueConvertible {}

extension MetricRecord {
  var values: [DatabaseValue] {
    let kind = value.isNaN ? "nan" : value.isInfinite ? (value < 0 ? "-inf" : "inf") : "finite"
    let values: [(any DatabaseValueConvertible)?] = [name, epoch, value.isFinite ? value : nil, kind, exact]
    return values.map { $0?.databaseValue ?? .null }
  }

  init(row: Row, source: String, columns: [String]? = nil) throws {
    let row = CheckedRow(row, source, columns: columns)
    let value: Double =
      switch try row("kind") as String {
      case "nan": .nan
      case "inf": .infinity
      case "-inf": -.infinity
      default: try row("value")
      }
    self.init(try row("name"), value, epoch: try row.optional("epoch"), exact: try row("exact"))
  }
}
