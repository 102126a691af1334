import Diagnostics

/// Comma-separated values (RFC 4180): quoted fields may hold commas, line breaks and doubled quotes; lines end in LF or
/// CR LF; empty lines are skipped; the first line is the header.
struct CSV {
  /// One record and the line it begins on, from 1.
  struct Record {
    let line: Int
    let fields: [String]
  }

  let path: String
  let header: [String]
  let records: [Record]

  /// Reads a file, plain or gzip.
  ///
  /// - Throws: a `data` fault that names the file and the line.
  init(_ path: String) throws {
    let reader = try ByteReader(path)
    var bytes = try reader.read(upTo: reader.capacity)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    var parser = Parser(path: path, bytes: bytes)
    var records: [Record] = []
    while let record = try parser.next() { records.append(record) }
    guard records.count > 1 else {
      throw Fault(
        .data, "the table is empty", at: path, expected: "a line of names and at least one row",
        got: "\(records.count) \(records.count == 1 ? "line" : "lines")")
    }
    let header = records[0].fields
    if let wrong = records.first(where: { $0.fields.count != records[0].fields.count }) {
      throw Fault(
        .data, "number of fields", at: "\(path), line \(wrong.line)", expected: "\(header.count), as in the header",
        got: "\(wrong.fields.count)")
    }
    if let twice = header.first(where: { name in header.count { $0 == name } > 1 }) {
      throw Fault(
        .data, "two columns of one name", at: "\(path), line \(records[0].line)", got: "'\(twice)'",
        hint: "Rename one of them in the first line.")
    }
    self.path = path
    self.header = header
    self.records = Array(records.dropFirst())
  }

  /// Walks through the bytes of a file, record by record.
  private struct Parser {
    let path: String
    let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(path: String, bytes: [UInt8]) {
      self.path = path
      self.bytes = bytes
    }

    /// The next record that isn't an empty line; nil at the end.
    mutating func next() throws -> Record? {
      while position < bytes.count {
        let start = line
        var fields: [String] = []
        repeat { fields.append(try field()) } while take(UInt8(ascii: ","))
        _ = take(UInt8(ascii: "\r"))
        if take(UInt8(ascii: "\n")) { line += 1 }
        if fields != [""] { return Record(line: start, fields: fields) }
      }
      return nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
      guard position < bytes.count, bytes[position] == byte else { return false }
      position += 1
      return true
    }

    private mutating func field() throws -> String {
      if take(UInt8(ascii: "\"")) { return try quoted() }
      let start = position
      while position < bytes.count, !isEnd(bytes[position]) { position += 1 }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// The rest of a field after its opening quote.
    private mutating func quoted() throws -> String {
      let start = line
      var text: [UInt8] = []
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        if byte == UInt8(ascii: "\""), !take(byte) {
          guard position == bytes.count || isEnd(bytes[position]) else {
            throw Fault(
              .data, "text after a closing quote", at: "\(path), line \(line)", expected: "a comma or the end of line")
          }
          return String(decoding: text, as: UTF8.self)
        }
        if byte == UInt8(ascii: "\n") { line += 1 }
        text.append(byte)
      }
      throw Fault(
        .data, "a quote is never closed", at: "\(path), line \(start)",
        expected: "a second \" before the end of the file", hint: "A quote inside a quoted field is written twice.")
    }

    private func isEnd(_ byte: UInt8) -> Bool {
      [UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(byte)
    }
  }
}
