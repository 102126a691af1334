import GRDB

/// The tables of `run.sqlite`, as named migrations that are only ever added to.
///
/// - `meta`: `identity` (JSON; never changes), `status`, `reason`, `active_seconds`, `finished`, `journal_rows`,
///   `journal_head` (the checksum of the last journal row).
/// - `journal`: the record in order, one row per effect, decision or group of trials, each with a checksum chained over
///   the row before. The views `effect` and `decision` show its two main kinds.
/// - `trial`, `metric`: what searches tried and measured; `trial.entry` is the journal row that covers the trial, NULL
///   while it runs. `metric.kind` is `finite`, `nan`, `inf` or `-inf`; `value` is NULL unless finite.
/// - `search`, `event`, `source` (digest of each recipe text in the folder).
/// - `mark`: what people note about the run (`RunMarks`); outside the journal.
enum Schema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("v1: journal, trials, searches") { db in
      for statement in version1 { try db.execute(sql: statement) }
    }
    migrator.registerMigration("v2: tags, notes, stars") { db in try db.execute(sql: version2) }
    return migrator
  }

  private static let version1 = [
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL)",
    """
    CREATE TABLE journal (
      sequence INTEGER PRIMARY KEY, entry TEXT NOT NULL CHECK (entry IN ('effect', 'decision', 'trials')),
      search TEXT, kind TEXT NOT NULL, key TEXT NOT NULL, occurrence INTEGER NOT NULL, label TEXT NOT NULL,
      exact TEXT NOT NULL, observed TEXT NOT NULL, active_seconds REAL NOT NULL, reused INTEGER NOT NULL,
      checksum TEXT NOT NULL)
    """,
    "CREATE UNIQUE INDEX effect_content ON journal (kind, key, occurrence) WHERE entry = 'effect'",
    "CREATE UNIQUE INDEX decision_request ON journal (search, kind, occurrence) WHERE entry = 'decision'",
    """
    CREATE VIEW effect AS SELECT sequence, search, kind, key, occurrence, label, exact, observed, active_seconds, reused
      FROM journal WHERE entry = 'effect'
    """,
    """
    CREATE VIEW decision AS SELECT sequence, search, kind, occurrence AS request, exact AS value
      FROM journal WHERE entry = 'decision'
    """,
    """
    CREATE TABLE search (
      number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, objectives TEXT NOT NULL, planned INTEGER,
      stop_reason TEXT, details TEXT NOT NULL)
    """,
    """
    CREATE TABLE trial (
      id INTEGER PRIMARY KEY, entry INTEGER, search TEXT NOT NULL, number INTEGER NOT NULL,
      architecture TEXT NOT NULL, decisions TEXT NOT NULL, budget TEXT NOT NULL, repetition INTEGER NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('running', 'ok', 'failed')), failure TEXT, failed_at TEXT,
      started REAL NOT NULL, finished REAL, UNIQUE (search, number))
    """,
    "CREATE INDEX trial_entry ON trial (entry)",
    """
    CREATE TABLE metric (
      id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial (id) ON DELETE CASCADE, name TEXT NOT NULL,
      epoch INTEGER, value REAL, kind TEXT NOT NULL CHECK (kind IN ('finite', 'nan', 'inf', '-inf')),
      exact INTEGER NOT NULL)
    """,
    "CREATE INDEX metric_trial ON metric (trial)",
    "CREATE INDEX metric_final ON metric (name, value, trial) WHERE epoch IS NULL",
    "CREATE TABLE event (id INTEGER PRIMARY KEY, time REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL)",
    "CREATE TABLE source (path TEXT PRIMARY KEY, digest TEXT NOT NULL)",
  ]
  private static let version2 = """
    CREATE TABLE mark (
      kind TEXT NOT NULL CHECK (kind IN ('tag', 'note', 'star')), text TEXT NOT NULL, PRIMARY KEY (kind, text))
    """
}
