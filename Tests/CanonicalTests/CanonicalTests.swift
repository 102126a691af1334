import Canonical
import Foundation
import Testing

@Suite struct JSONValueTests {
  @Test func canonicalTextSortsKeysAndKeepsNumbersShort() {
    let value: JSONValue = ["b": [1, 0.1, true, nil], "a": "x\n\"\u{1}é"]
    #expect(value.text() == #"{"a":"x\n\"\u0001é","b":[1,0.1,true,null]}"#)
  }

  @Test func readsBackWhatItWrote() throws {
    let value: JSONValue = ["n": 3, "x": 1e-300, "s": "é", "list": [[], [:], nil], "big": 9_007_199_254_740_993]
    #expect(try JSONValue(parsing: Data(value.text(pretty: true).utf8), source: "test") == value)
  }

  @Test func infinitiesAndNaNSurvive() throws {
    let text = JSONValue.array([.number(.infinity), .number(-.infinity), .number(.nan)]).text()
    let back = try #require(JSONValue(parsing: Data(text.utf8), source: "test").array)
    #expect(back[0].double == .infinity && back[1].double == -.infinity && back[2].double?.isNaN == true)
  }
}

@Suite struct ContentDigestTests {
  @Test func isSHA256() {
    // FIPS 180-2, appendix B.1.
    let digest = ContentDigest()
    Array("abc".utf8).withUnsafeBytes { digest.update(bytes: $0) }
    #expect(digest.finish() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func framesTexts() {
    #expect(ContentDigest.of("ab", "c") != ContentDigest.of("a", "bc"))
  }
}
