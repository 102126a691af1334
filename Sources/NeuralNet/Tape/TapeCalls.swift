import Diagnostics

/// A layer as it is called on tensors: an op with a number of its own.
///
/// A class, because a copy of an op's record costs a reference count for each of its functions.
public final class TapeLayer: Sendable {
  public let op: Op
  let number: UInt64

  private init(_ op: Op, number: Int) { (self.op, self.number) = (op, UInt64(number)) }

  private static let byName = Dictionary(
    uniqueKeysWithValues: OpTable.all.enumerated().map { ($1.name, TapeLayer($1, number: $0)) })

  /// The layer of an op's name, if there is one.
  public static func named(_ name: String) -> TapeLayer? { byName[name] }
}

/// What calls of layers on tensors became, by words that are equal only for equal calls: the layer, the mode, the forms
/// of the inputs and the options. A call that is known needs no check.
struct TapeCalls {
  enum Call {
    case operation(TapeOperation)
    case program(TapeProgram, batch: Int)
  }

  private struct Entry {
    let words: [UInt64]
    let call: Call
  }

  /// The most words of one call.
  private static let mostWords = 64

  /// The modes that were used, by their numbers.
  private var modes: [ExecutionMode] = [.training]
  private var modeNumber = 0
  private var entries: [Entry] = []
  /// The position of an entry, or -1, by the words' hash: at least half of the places are free.
  private var places = [Int32](repeating: -1, count: 64)

  var mode: ExecutionMode {
    get { modes[modeNumber] }
    set {
      if let known = modes.firstIndex(of: newValue) {
        modeNumber = known
      } else {
        modes.append(newValue)
        modeNumber = modes.count - 1
      }
    }
  }

  /// What a call became, if it is known.
  ///
  /// - Parameter options: writes words for the options of the call; returns how many, nil where they don't fit.
  func find(
    _ layer: TapeLayer, _ inputs: [Tensor], options: (UnsafeMutableBufferPointer<UInt64>) -> Int? = { _ in 0 }
  ) -> Call? {
    withWords(layer, inputs, options) { words in
      var place = Self.hash(words) & (places.count - 1)
      while places[place] >= 0 {
        let index = Int(places[place])
        if entries[index].words.elementsEqual(words) { return entries[index].call }
        place = (place + 1) & (places.count - 1)
      }
      return nil
    }
  }

  /// Calls `body` with the words of a call; nil where there are none.
  func withWords<Result>(
    _ layer: TapeLayer, _ inputs: [Tensor], _ options: (UnsafeMutableBufferPointer<UInt64>) -> Int?,
    _ body: (UnsafeBufferPointer<UInt64>) -> Result?
  ) -> Result? {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.mostWords) { words in
      let first = inputs.count + 3
      guard first <= words.count else { return nil }
      words[0] = layer.number
      words[1] = UInt64(modeNumber)
      words[2] = UInt64(inputs.count)
      for index in 0..<inputs.count { words[3 + index] = inputs[index].storage.form.number }
      guard let count = options(UnsafeMutableBufferPointer(rebasing: words[first...])) else { return nil }
      return body(UnsafeBufferPointer(rebasing: words[..<(first + count)]))
    }
  }

  /// Keeps what a call became.
  mutating func keep(_ call: Call, by words: [UInt64]) {
    if entries.count >= Tape.mostKept { (entries, places) = ([], [Int32](repeating: -1, count: 64)) }
    entries.append(Entry(words: words, call: call))
    if 2 * entries.count <= places.count { return place(entries.count - 1) }
    places = [Int32](repeating: -1, count: 2 * places.count)
    for index in entries.indices { place(index) }
  }

  private mutating func place(_ index: Int) {
    var place = entries[index].words.withUnsafeBufferPointer { Self.hash($0) } & (places.count - 1)
    while places[place] >= 0 { place = (place + 1) & (places.count - 1) }
    places[place] = Int32(index)
  }

  private static func hash(_ words: UnsafeBufferPointer<UInt64>) -> Int {
    var hash: UInt64 = 0
    for word in words {
      // Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4).
      hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 32
    }
    return Int(truncatingIfNeeded: hash)
  }
}

extension Tape {
  /// The first output of a layer's call, if such a call was prepared before; nil for another.
  ///
  /// - Parameter options: writes words that are equal only for equal options; returns how many, nil where they don't
  ///   fit or can't be written so.
  public func applyKnown(
    _ layer: TapeLayer, _ inputs: [Tensor], options: (UnsafeMutableBufferPointer<UInt64>) -> Int? = { _ in 0 }
  ) throws -> Tensor? {
    guard let call = calls.find(layer, inputs, options: options) else { return nil }
    do {
      switch call {
      case .operation(let operation): return try runForOne(operation, inputs)
      case .program(let program, let batch): return try program.run(inputs, batch: batch, on: self)[0]
      }
    } catch var fault as Fault where fault.code == .data && fault.path == nil {
      fault.message = "\(layer.op.name): \(fault.message)"
      throw fault
    }
  }

  /// The words by which `apply` may keep a call for `applyKnown`; nil where there are none.
  public func words(
    _ layer: TapeLayer, _ inputs: [Tensor], options: (UnsafeMutableBufferPointer<UInt64>) -> Int? = { _ in 0 }
  ) -> [UInt64]? {
    calls.withWords(layer, inputs, options) { Array($0) }
  }
}
