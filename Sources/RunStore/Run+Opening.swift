import Canonical
import Diagnostics
import Foundation
import GRDB
import Synchronization

extension Run {
  /// Makes the folder and the record of a new run and opens it for writing.
  ///
  /// - Parameters:
  ///   - runs: the folder for runs; made when missing.
  ///   - name: what people call the run; the recipe's file name without `.lua` by default.
  ///   - arguments: every argument of the recipe by name, defaults included.
  ///   - environment: versions, numerics, processor, git commit: what a reader needs to judge or repeat the run.
  ///   - parent: the run whose effects this one may take.
  ///   - date: when the run started, which also names its folder.
  /// - Throws: a fault when the folder can't be made or written.
  public static func create(
    in runs: URL, name: String? = nil, recipe: RecipeSource, arguments: JSONValue = [:], seed: UInt64,
    environment: JSONValue = [:], reuse parent: Run? = nil, at date: Date = Date()
  ) throws -> Run {
    let name = name ?? (recipe.file as NSString).deletingPathExtension
    let files = try RunFolder.make(in: runs, name: name, at: date)
    let identity = RunIdentity(
      id: files.url.lastPathComponent, name: name, recipe: recipe.file, recipeFolder: recipe.folder,
      arguments: arguments, seed: seed, environment: environment, parent: parent?.identity.id,
      created: (date.timeIntervalSince1970 * 1000).rounded() / 1000)
    let lock = try RunLock(files)
    try RunFolder.write(identity.json.text(pretty: true) + "\n", to: files.description)
    let database = try connect(files, writing: true)
    let state = State(
      end: JournalEnd(rows: 0, head: Journal.origin(identity: identity.json.text())), status: .running,
      activeSeconds: 0)
    let run = Run(identity: identity, files: files, database: database, parent: parent, lock: lock, state: state)
    try withFaults(at: files.database) { try Schema.migrator.migrate(database) }
    try run.write { db, state in
      try Meta.set(db, "identity", identity.json.text())
      try Meta.write(db, state)
    }
    try run.keep(text: recipe.text, as: "recipe.lua")
    return run
  }

  /// Opens the run in `folder`, wherever it was moved or copied, and verifies its record.
  ///
  /// - Parameter writing: takes the right to write, to resume the run; it then counts as running. A finished run can't
  ///   be written. The parent of a child run is looked for beside it; without it, its effects are computed again.
  /// - Throws: `usage` when there is no such run or another process writes it; `data` when the record is damaged, with
  ///   the row, what was expected and what came.
  public static func open(_ folder: URL, writing: Bool = false) throws -> Run {
    let files = RunFolder(url: folder)
    try files.checkRecord()
    let lock = writing ? try RunLock(files) : nil
    let database = try connect(files, writing: writing)
    let (identity, state) = try withFaults(at: files.database) {
      try database.read { db in try Meta.verified(db, file: files.database.path(percentEncoded: false)) }
    }
    if writing { try withFaults(at: files.database) { try Schema.migrator.migrate(database) } }
    if writing, state.status == .finished {
      throw Fault(
        .usage, "run \(identity.id) is finished", hint: "Start its recipe again with --reuse \(identity.id).")
    }
    let beside = identity.parent.map { folder.deletingLastPathComponent().appending(path: $0) }
    let parent = writing ? try beside.flatMap { try RunFolder(url: $0).hasRecord ? open($0) : nil } : nil
    let run = Run(identity: identity, files: files, database: database, parent: parent, lock: lock, state: state)
    guard writing else {
      run.noticeDeath()
      return run
    }
    run.note("resumed", "process \(getpid())")
    try run.set(status: .running, reason: nil, finished: nil)
    return run
  }

  /// Opens the run that `text` names: an id, the unique beginning of one, a name, a path, or `last`.
  public static func open(_ text: String, in runs: URL, writing: Bool = false) throws -> Run {
    try open(RunIndex.find(text, in: runs), writing: writing)
  }

  /// Notes how the run ended, writes what is pending, and exports `trials.csv` and `log.txt`.
  ///
  /// The right to write ends with the last reference to this object.
  public func finish(_ status: RunStatus, reason: String? = nil) throws {
    try set(status: status, reason: reason, finished: Date().timeIntervalSince1970)
    try export()
    database.writeWithoutTransaction { db in
      // One file that any medium can hold; without effect while someone reads, whom the write-ahead log serves.
      try? db.execute(sql: "PRAGMA busy_timeout = 0")
      try? db.execute(sql: "PRAGMA journal_mode = DELETE")
      try? db.execute(sql: "PRAGMA busy_timeout = 10000")
    }
  }

  private func set(status: RunStatus, reason: String?, finished: Double?) throws {
    try write { db, state in
      state.status = status
      state.reason = reason
      state.finished = finished
      try writePending(db, &state)
      try Meta.write(db, state)
    }
  }

  /// A run that says it is running but isn't written by anyone was killed.
  private func noticeDeath() {
    state.withLock { state in
      guard state.status == .running, !RunLock.isHeld(files) else { return }
      state.status = .interrupted
      state.reason = Self.deathReason
    }
  }

  /// Why a run that was killed isn't finished.
  static let deathReason = "the process ended without a word"
}

extension RunFolder {
  /// Whether the folder holds a run.
  var hasRecord: Bool { FileManager.default.fileExists(atPath: database.path(percentEncoded: false)) }
}

extension Run {
  /// Opens the database: for the one writer with every transaction on the disk when it returns, or for reading.
  static func connect(_ files: RunFolder, writing: Bool) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = !writing
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { db in
      guard writing else { return }
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    }
    return try withFaults(at: files.database) {
      try DatabaseQueue(path: files.database.path(percentEncoded: false), configuration: configuration)
    }
  }
}
