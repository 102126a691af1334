import CCrypto

/// SHA-256 of content: what makes two effects, architectures, graphs or data sets "the same".
///
/// Text and numbers are framed by their length, so that `["ab", "c"]` and `["a", "bc"]` differ.
public struct ContentDigest {
  /// SHA-256, looked up once: by name it takes longer than the digest of a short text.
  private struct Algorithm: @unchecked Sendable {
    let pointer = EVP_MD_fetch(nil, "SHA256", nil)
  }

  private final class Context {
    private static let algorithm = Algorithm()
    let pointer: OpaquePointer
    init() {
      guard let pointer = EVP_MD_CTX_new(), EVP_DigestInit_ex(pointer, Self.algorithm.pointer, nil) == 1 else {
        fatalError("libcrypto has no SHA-256")
      }
      self.pointer = pointer
    }
    deinit { EVP_MD_CTX_free(pointer) }
  }

  private let context = Context()

  public init() {}

  /// Adds raw bytes, unframed.
  public func update(bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context.pointer, bytes.baseAddress, bytes.count)
  }

  /// Adds a text, framed by its length in bytes.
  public func update(_ text: String) {
    update(UInt64(text.utf8.count))
    var text = text
    text.withUTF8 { update(bytes: UnsafeRawBufferPointer($0)) }
  }

  /// Adds a number, as eight little-endian bytes.
  public func update(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { update(bytes: $0) }
  }

  /// The digest as 64 hexadecimal digits. The digest must not be updated afterwards.
  public func finish() -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: finishBytes().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The digest as 32 bytes. The digest must not be updated afterwards.
  public func finishBytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context.pointer, &bytes, nil)
    return bytes
  }

  /// The digest of some texts in order.
  public static func of(_ texts: String...) -> String {
    let digest = ContentDigest()
    for text in texts { digest.update(text) }
    return digest.finish()
  }

  /// The digest of a canonical JSON text.
  public static func of(_ value: JSONValue) -> String { of(value.text()) }
}
