import Synchronization
import TensorCore

/// The type of a value and the size of its batch, as one object for all values that have both: what tensors share
/// instead of each carrying its shape.
final class TensorForm: Sendable {
  private struct Key: Hashable {
    let type: ValueType
    let batch: Int
  }

  /// The forms in use, and the number of the next one.
  private static let known = Mutex<(forms: [Key: TensorForm], next: UInt64)>(([:], 0))
  /// The most forms that are kept: shapes that change at every call must not pile up.
  private static let mostKept = 4096

  let type: ValueType
  /// The size of the batch; 1 for an array.
  let batch: Int
  /// The memory of the numbers, padding lanes among them, in bytes: whole vectors.
  let byteCount: Int
  /// Two values of one number have one form. It is never used again, not even for an equal form.
  let number: UInt64

  private init(_ key: Key, number: UInt64) {
    (type, batch, self.number) = (key.type, key.batch, number)
    byteCount = AlignedBuffer.bytes(key.type.storageElements(batch: key.batch))
  }

  /// The form of a type and a batch size, which counts only for a type with a batch.
  static func of(_ type: ValueType, batch: Int) -> TensorForm {
    let key = Key(type: type, batch: type.shape.hasBatch ? batch : 1)
    return known.withLock { known in
      if let form = known.forms[key] { return form }
      let form = TensorForm(key, number: known.next)
      known.next += 1
      if known.forms.count >= mostKept { known.forms = [:] }
      known.forms[key] = form
      return form
    }
  }

  /// The numbers of the buffer, padding lanes among them.
  var storageElements: Int { type.storageElements(batch: batch) }
}
