import Diagnostics
import Foundation
import GRDB

/// Runs a piece of work on a database and turns SQLite's errors into faults that say which file and what to do.
func withFaults<T>(at file: URL, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as DatabaseError {
    throw fault(error, at: file.path(percentEncoded: false))
  }
}

private func fault(_ error: DatabaseError, at path: String) -> Fault {
  let cause = error.message
  switch error.resultCode.primaryResultCode {
  case .SQLITE_NOTADB:
    return Fault(
      .data, "this is not a run's record", at: path, expected: "an SQLite database", got: "something else", cause: cause
    )
  case .SQLITE_CORRUPT:
    return Fault(.data, "the run's record is damaged", at: path, hint: copyHint, cause: cause)
  case .SQLITE_FULL:
    return Fault(
      .limit, "no space left to write the run's record", at: path,
      hint: "Free some space; everything recorded so far is safe, and 'nasrun resume' goes on.", cause: cause)
  case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
    return Fault(
      .data, "the run's record can't be opened", at: path, hint: "Look at the permissions of the file and its folder.",
      cause: cause)
  case .SQLITE_IOERR:
    return Fault(
      .limit, "the run's record can't be read or written", at: path,
      hint: "Look at the disk's free space and health; what was recorded before is safe.", cause: cause)
  case .SQLITE_BUSY, .SQLITE_LOCKED:
    return Fault(
      .usage, "another program keeps the run's record locked", at: path,
      hint: "Close what has run.sqlite open, then try again.", cause: cause)
  case .SQLITE_ERROR:
    return Fault(
      .data, "the run's record hasn't the tables it should have", at: path, hint: copyHint, cause: cause)
  default:
    return Fault(.internal, "the run's record refused an operation", at: path, cause: error.description)
  }
}

/// What to do with a record that can't be trusted.
let copyHint = "Restore the folder from a copy, or start the recipe again."
