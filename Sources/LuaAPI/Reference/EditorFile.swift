import Canonical

/// The declarations in the form that the Lua language server reads: with it an editor completes and checks recipes.
///
/// Its form: https://luals.github.io/wiki/annotations. Classes are called `nas.<name>` there, since those names are global.
public struct EditorFile {
  /// With which the file begins, whatever the version: a file that begins so may be replaced.
  public static let mark = "---@meta nas\n"
  private let reference: Reference
  private let classNames: Set<String>

  public init(_ reference: Reference) {
    self.reference = reference
    classNames = Set(reference.classes.map(\.name))
  }

  /// The whole file, `nas.lua`.
  public var text: String {
    var parts = [
      Self.mark
        + "-- What nasrun \(nasrunVersion) offers a recipe, made from its declarations. Renewed by nasrun new.\n"
    ]
    parts += reference.classes.map(classText)
    parts.append(tables)
    parts += reference.functions.filter { !$0.isMethod && $0.name.hasPrefix("nas.") }.map {
      functionText($0, named: $0.name)
    }
    parts += reference.values.filter { $0.name.hasPrefix("nas.") }.map(valueText)
    return parts.joined(separator: "\n") + "\nreturn nas\n"
  }

  // MARK: - Classes and tables

  private func classText(_ type: ClassDeclaration) -> String {
    var lines = comment(type.doc) + ["---@class nas.\(type.name)"]
    lines += type.fields.map { field in
      let name = field.name == "[string]" ? field.name : field.name + (field.optional ? "?" : "")
      return line("---@field \(name) \(typeText(field))", field.doc)
    }
    lines += type.operators.map { "---@operator " + qualified($0) }
    lines.append("local \(type.name) = {}\n")
    let methods = reference.methods(of: type).map { functionText($0, named: "\(type.name):\($0.leaf)") }
    return ([lines.joined(separator: "\n")] + methods).joined(separator: "\n")
  }

  /// The tables of functions: `nas`, `nas.nn` and so on.
  private var tables: String {
    let functions = reference.functions.filter { !$0.isMethod }.map(\.family)
    let values = reference.values.map { Declaration.family(of: $0.name) }
    let families = Set(functions + values).subtracting(["nas"]).filter { $0.hasPrefix("nas.") }.sorted()
    let lines =
      ["---@class nas", "local nas = {}"] + families.flatMap { ["", "---@class \($0)", "\($0) = {}"] }
    return lines.joined(separator: "\n") + "\n"
  }

  private func valueText(_ value: ValueDeclaration) -> String {
    (comment(value.doc, source: value.source) + ["---@type \(qualified(value.type.text))", "\(value.name) = nil\n"])
      .joined(separator: "\n")
  }

  // MARK: - Functions

  private func functionText(_ function: Declaration, named name: String) -> String {
    let isGeneric =
      function.arguments.contains { $0.type.text == Self.either } && function.returns.hasPrefix(Self.either)
    var before: [String] = [], lines = comment(function.doc, source: function.source)
    if function.context != "recipe" { lines.append("---Called in: \(function.context).") }
    if isGeneric { lines.append("---@generic T: \(qualified(Self.either))") }
    lines += function.arguments.map { parameter in
      let name = parameter.name + (parameter.isRequired || parameter.name == "..." ? "" : "?")
      let type = isGeneric && parameter.type.text == Self.either ? "T" : typeText(parameter)
      return line("---@param \(name) \(type)", describe(parameter))
    }
    var names = function.arguments.map(\.name)
    if names.last == "..." {
      // The table of options is one of those.
    } else if let options = function.options, !options.isEmpty {
      let type = "nas." + name.replacing("nas.", with: "").replacing(":", with: ".") + ".options"
      before = ["---@class (exact) \(type)"]
      before += options.map {
        line("---@field \($0.name)\($0.isRequired ? "" : "?") \(typeText($0))", describe($0))
      }
      lines.append("---@param options\(options.contains(where: \.isRequired) ? "" : "?") \(type)")
      names.append("options")
    } else if function.options != nil {
      lines.append("---@param options? table")
      names.append("options")
    }
    lines += results(of: function, isGeneric: isGeneric)
    lines.append("function \(name)(\(names.joined(separator: ", "))) end\n")
    return (before + (before.isEmpty ? [] : [""]) + lines).joined(separator: "\n")
  }

  /// What most layers take and give: the class of the result is that of the inputs.
  private static let either = "Value|Tensor"

  private func results(of function: Declaration, isGeneric: Bool) -> [String] {
    let types = function.resultTypes.map(\.text)
    if isGeneric { return [line("---@return T", function.resultDoc)] }
    if types.last == "..." { return [line("---@return \(qualified(types[0])) ...", function.resultDoc)] }
    return types.enumerated().map { index, type in
      line("---@return \(qualified(type))", index == 0 && !function.resultDoc.isEmpty ? "# " + function.resultDoc : "")
    }
  }

  // MARK: - Texts

  private func comment(_ doc: String, source: String? = nil) -> [String] {
    let lines = doc.split(separator: "\n", omittingEmptySubsequences: false).map { "---\($0)" }
    return lines + (source.map { ["---", "---Source: " + $0.replacing("\n", with: " ")] } ?? [])
  }

  private func line(_ start: String, _ doc: String) -> String {
    doc.isEmpty ? start : start + " " + doc.replacing("\n", with: " ")
  }

  private func describe(_ parameter: Parameter) -> String {
    let standard = parameter.defaultValue.map { "(default: \($0.luaText))" }
    return [parameter.doc, standard ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// The type of a parameter, words as literal types.
  private func typeText(_ parameter: Parameter) -> String {
    guard let choices = parameter.choices else { return qualified(parameter.type.text) }
    let others = parameter.type.alternatives.filter { $0 != "string" }.map(qualified)
    return (choices.map { "\"\($0)\"" } + others).joined(separator: "|")
  }

  /// A type with the API's classes under their names there; functions among alternatives are bracketed.
  private func qualified(_ type: String) -> String {
    let alternatives = ArgumentType.split(type, at: "|")
    let bracketed = alternatives.map { alternatives.count > 1 && $0.hasPrefix("fun(") ? "(\($0))" : $0 }
    return bracketed.joined(separator: "|").replacing(#/[A-Za-z_.]+/#) { match in
      classNames.contains(String(match.output)) ? "nas." + match.output : String(match.output)
    }
  }
}
