import Foundation

/// Errors of the system, which Foundation wraps.
package enum SystemError {
  /// The system's own words for an error, such as `No space left on device`.
  package static func words(for error: any Error) -> String {
    var error = error as NSError
    while let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError { error = inner }
    let isSystems = error.domain == NSPOSIXErrorDomain
    return isSystems ? String(cString: strerror(Int32(error.code))) : error.localizedDescription
  }
}
