import Canonical
import Diagnostics
import Foundation
import Testing

@Suite struct JSONReadingTests {
  @Test(arguments: ["1", "1.0", "-0.0", "1e+16", "5e-324", "-9223372036854775808", "1e+19", "[1,1.0,\"1\"]"])
  func canonicalTextReadsBackAsItself(_ text: String) throws {
    #expect(try JSONValue(parsing: text.utf8, source: "test").text() == text)
  }

  @Test func readsEscapesAndPairs() throws {
    let value = try JSONValue(parsing: #" "\u00e9\ud83d\ude00\/\b\n" "#.utf8, source: "test")
    #expect(value == "é😀/\u{8}\n")
  }

  /// The parser agrees with Foundation's on a text it didn't write.
  @Test func agreesWithFoundation() throws {
    let text = #"{"a": [1.5e3, -2, true, null, {"b": "c\td"}], "é": {}}"#
    let ours = try JSONValue(parsing: text.utf8, source: "test").text()
    let theirs = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let again = try JSONSerialization.jsonObject(with: Data(ours.utf8))
    #expect((theirs as? NSDictionary) == (again as? NSDictionary))
  }

  @Test(arguments: [
    ("", "offset 0: x is not valid JSON: expected a value, got the end"),
    ("[1,]", "offset 3: x is not valid JSON: expected a value, got ']'"),
    ("{\"a\":1,\"a\":2}", "offset 10: x is not valid JSON: expected a name that isn't there yet, after 'a', got ':2}'"),
    ("01", "offset 2: x is not valid JSON: expected a number without leading zeros, got the end"),
    ("1e999", "offset 5: x is not valid JSON: expected a number in the range of doubles, got the end"),
    ("\"\\ud800\"", "offset 7: x is not valid JSON: expected the second half of a surrogate pair, got '\"'"),
    ("truth", "offset 0: x is not valid JSON: expected true, got 'truth'"),
    ("1 2", "offset 2: x is not valid JSON: expected the end, got '2'"),
  ])
  func saysWhereAndWhat(_ text: String, _ message: String) throws {
    let fault = #expect(throws: Fault.self) { try JSONValue(parsing: text.utf8, source: "x") }
    #expect(fault?.description == message)
  }

  @Test func deepNestingIsAnErrorNotACrash() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: Fault.self) { try JSONValue(parsing: text.utf8, source: "x") }
  }
}
