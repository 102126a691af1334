/// Where a node is, spelled as a recipe would: `blocks[2].op`, indices from 1.
///
/// A *path* leads to a value: it looks through decisions, since a value doesn't say by which option it came. A *site*
/// also says which option (`op(2).expand`), so that no two decisions of a space share one.
struct Place {
  var path = ""
  var site = ""
  /// How many decisions must be taken before this node exists.
  var depth = 0

  func key(_ key: String) -> Place {
    Place(path: path.isEmpty ? key : path + "." + key, site: site.isEmpty ? key : site + "." + key, depth: depth)
  }

  func index(_ index: Int) -> Place {
    Place(path: path + "[\(index + 1)]", site: site + "[\(index + 1)]", depth: depth)
  }

  /// Inside option `index` of a decision.
  func option(_ index: Int) -> Place { Place(path: path, site: site + "(\(index + 1))", depth: depth + 1) }

  /// Inside a slot of a choice whose order doesn't matter: the option says which, the path can't.
  func chosen(option index: Int, slot: Int?) -> Place {
    Place(path: path + "[\(slot.map { String($0 + 1) } ?? "*")]", site: site + "(\(index + 1))", depth: depth + 1)
  }

  /// One step deeper for elements that exist only when the length of their list was decided so.
  func conditional(_ isConditional: Bool) -> Place {
    Place(path: path, site: site, depth: depth + (isConditional ? 1 : 0))
  }

  /// The path as errors give it: `space.blocks[2].op`.
  static func fault(_ path: String) -> String {
    path.isEmpty || path.hasPrefix("[") ? "space" + path : "space." + path
  }
}
