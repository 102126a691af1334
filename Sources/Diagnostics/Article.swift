/// The name of a type with its article, for error texts: `a Space`, `an Architecture`, `Data`.
public func withArticle(_ name: String) -> String {
  if ["Data", "Records", "Weights"].contains(name) { return name }
  let needsN = name.first.map { "aeiouAEIOU".contains($0) } ?? false
  return (needsN ? "an " : "a ") + name
}
