import CCrypto

/// SHA-256 of content: what makes two effects, architectures, graphs or data sets "the same".
///
/// Text and numbers are framed by their length, so that `["ab", "c"]` and `["a", "bc"]` differ.
public struct ContentDigest {
  private final class Context {
    let pointer: OpaquePointer
    init() {
      guard let pointer = EVP_MD_CTX_new(), EVP_DigestInit_ex(pointer, EVP_sha256(), nil) == 1 else {
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
    var bytes = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context.pointer, &bytes, nil)
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
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
