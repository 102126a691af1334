import Diagnostics
import Foundation

/// The right to write a run: an advisory lock on `run.lock` that ends with the process, however it ends.
final class RunLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock, or throws a fault that names the process that has it.
  init(_ folder: RunFolder) throws {
    let path = folder.lock.path(percentEncoded: false)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Fault(
        .limit, "can't open the run's lock", at: path, hint: "Check the permissions of the run's folder.",
        cause: String(cString: strerror(errno)))
    }
    // A command that lists runs holds the lock for an instant to see whether it is free.
    var attempts = 10
    while !Self.take(descriptor, LOCK_EX) {
      attempts -= 1
      if attempts == 0 { throw Self.taken(folder, closing: descriptor) }
      usleep(20_000)
    }
    ftruncate(descriptor, 0)
    let owner = String(getpid())
    pwrite(descriptor, owner, owner.utf8.count, 0)
  }

  deinit { close(descriptor) }

  /// Whether some process is writing the run.
  static func isHeld(_ folder: RunFolder) -> Bool {
    let descriptor = open(folder.lock.path(percentEncoded: false), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return !take(descriptor, LOCK_SH)
  }

  private static func taken(_ folder: RunFolder, closing descriptor: Int32) -> Fault {
    close(descriptor)
    let owner = (try? String(contentsOf: folder.lock, encoding: .utf8)) ?? ""
    return Fault(
      .usage, "another process is writing this run", at: folder.url.path(percentEncoded: false),
      got: owner.isEmpty ? nil : "process \(owner)", hint: "Wait for it, or stop it with Ctrl-C where it runs.")
  }

  private static func take(_ descriptor: Int32, _ mode: Int32) -> Bool { flock(descriptor, mode | LOCK_NB) == 0 }
}
