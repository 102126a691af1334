/// The name of a type with its article, for error texts: `a Space`, `an Architecture`.
public func withArticle(_ name: String) -> String {
  let needsN = name.first.map { "aeiouAEIOU".contains($0) } ?? false
  return (needsN ? "an " : "a ") + name
}
