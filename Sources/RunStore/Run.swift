import Canonical
import Diagnostics
import Foundation
import GRDB
import Synchronization

/// The recipe's text and where it came from.
public struct RecipeSource: Sendable, Equatable {
  /// The file name, without folders: `quickstart.lua`.
  public var file: String
  /// The folder it was started from.
  public var folder: String
  public var text: String

  public init(file: String, folder: String, text: String) {
    self.file = file
    self.folder = folder
    self.text = text
  }
}

/// One run: its folder and its record.
///
///     runs/<id>/run.sqlite           the record: journal, trials, metrics, events
///               recipe.lua, lib/     the texts as run
///               run.json             what the run is, for people and other programs
///               run.lock             locked while a process writes the record
///               trials.csv, log.txt  the trials and the events as text, made when the run ends
///
/// A run is written by one process at a time and read by any number, also while it is written. What `record` was given
/// is on the disk when it returns; after a crash at any moment the record opens and is a prefix of what would have
/// been. A damaged record is refused when it is opened, with the row that is wrong.
public final class Run: Sendable {
  /// What changes while a run is written.
  struct State {
    var end: JournalEnd
    var status: RunStatus
    var reason: String?
    var activeSeconds: Double
    var finished: Double?
    var pendingDecisions: [DecisionRecord] = []
    var pendingEvents: [EventRecord] = []
  }

  public let identity: RunIdentity
  let files: RunFolder
  let database: DatabaseQueue
  /// The run whose effects this one may take.
  public let parent: Run?
  private let lock: RunLock?
  let state: Mutex<State>

  init(
    identity: RunIdentity, files: RunFolder, database: DatabaseQueue, parent: Run?, lock: RunLock?, state: State
  ) {
    self.identity = identity
    self.files = files
    self.database = database
    self.parent = parent
    self.lock = lock
    self.state = Mutex(state)
  }

  /// The run's folder. It may have been moved or copied since it was made, so its name need not be the id.
  public var folder: URL { files.url }
  /// The path of `run.sqlite`, for messages.
  var file: String { files.database.path(percentEncoded: false) }
  /// Whether this process may write.
  public var isWriting: Bool { lock != nil }

  public var status: RunStatus { state.withLock { $0.status } }
  /// Why the run isn't finished: the error of a failed run, the signal of an interrupted one.
  public var reason: String? { state.withLock { $0.reason } }
  /// Seconds since 1970 when the run ended; nil while it hasn't.
  public var finished: Double? { state.withLock { $0.finished } }

  /// Seconds the run has been at work, over all its processes, as of the last time it was set.
  ///
  /// It is written with the next transaction.
  public var activeSeconds: Double {
    get { state.withLock { $0.activeSeconds } }
    set { state.withLock { $0.activeSeconds = newValue } }
  }

  /// Runs `body` alone on the database in one transaction with the state, which changes only when it commits.
  func write<T: Sendable>(_ body: (Database, inout State) throws -> T) throws -> T {
    guard isWriting else {
      throw Fault(.internal, "the run is open for reading only", at: file)
    }
    return try state.withLock { state in
      var draft = state
      let result = try withFaults(at: files.database) {
        try database.writeWithoutTransaction { db in
          var result: T?
          try db.inTransaction(.immediate) {
            result = try body(db, &draft)
            return .commit
          }
          return result!
        }
      }
      state = draft
      return result
    }
  }

  /// Runs `body` on a consistent view of the database.
  func read<T>(_ body: (Database) throws -> T) throws -> T {
    try withFaults(at: files.database) { try database.read(body) }
  }
}
