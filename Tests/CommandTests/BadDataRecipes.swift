extension BadRecipe {
  /// Options of data, and batches.
  static let data = [
    BadRecipe(
      "a table without a task", dataStart + "nas.data.open(\"kinds.csv\", { target = \"kind\" })",
      "r.lua:4: a table needs the options target and task: expected { target = \"column\", task = "
        + "\"classification\" or \"regression\" }"),
    BadRecipe(
      "task of a table", dataStart + "nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"clasification\" })",
      "r.lua:4: nas.data.open: wrong option 'task': expected one of classification, regression, got the "
        + "text \"clasification\". Did you mean 'classification'?"),
    BadRecipe(
      "target of a table", dataStart + "nas.data.open(\"kinds.csv\", { target = \"knd\", task = \"classification\" })",
      "r.lua:4: PLACE/kinds.csv: the table has no column 'knd': expected size, kind. Did you mean 'kind'?"),
    BadRecipe(
      "a target without numbers",
      dataStart + "nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"regression\" })",
      "r.lua:4: PLACE/kinds.csv, line 2: kind: the target of a regression is no number: expected a number, got 'a'",
      status: 66),
    BadRecipe(
      "option of images for a table",
      dataStart + "nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"classification\", size = { 8, 8 } })",
      "r.lua:4: a table has no option 'size': expected test, got size"),
    BadRecipe(
      "option of a table for images", dataStart + "nas.data.open(\"shapes\", { target = \"kind\" })",
      "r.lua:4: only a table has the option 'target': expected the path of a .csv file, got shapes"),
    BadRecipe(
      "columns that are no names",
      dataStart + "nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"classification\", texts = { 3 } })",
      "r.lua:4: wrong option 'texts': expected names of columns, got 3"),
    BadRecipe(
      "a column of texts that is not there",
      dataStart
        + "nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"classification\", texts = { \"sise\" } })",
      "r.lua:4: PLACE/kinds.csv: the table has no column 'sise': expected size, kind. Did you mean 'size'?"),
    BadRecipe(
      "a table that is not there",
      dataStart + "nas.data.open(\"kindes.csv\", { target = \"kind\", task = \"classification\" })",
      "r.lua:4: kindes.csv: doesn't exist: expected 'kindes.csv' in PLACE. Did you mean 'kinds.csv'?", status: 66),
    BadRecipe(
      "a part of all rows",
      dataStart + "nas.data.open(\"kinds.csv\", { target = \"kind\", task = \"classification\", test = 1 })",
      "r.lua:4: test part: expected a number between 0 and 1, both excluded, got 1.0"),
    BadRecipe(
      "a validation part of NaN", dataStart + "nas.data.open(\"shapes\", { valid = 0 / 0 })",
      "r.lua:4: nas.data.open: wrong option 'valid': expected a number, got NaN"),
    BadRecipe(
      "a validation part without an end", dataStart + "nas.data.open(\"shapes\", { valid = 2 ^ 70 })",
      "r.lua:4: nas.data.open: wrong option 'valid': expected a fraction below 1 or a whole number, got "
        + "1.1805916207174113e+21"),
    BadRecipe(
      "half an image for validation", dataStart + "nas.data.open(\"shapes\", { valid = 2.5 })",
      "r.lua:4: nas.data.open: wrong option 'valid': expected a fraction below 1 or a whole number, got 2.5"),
    BadRecipe(
      "a negative seed", dataStart + "nas.data.open(\"shapes\", { seed = -1 })",
      "r.lua:4: nas.data.open: wrong option 'seed': expected at least 0, got -1"),
    BadRecipe(
      "a cache that is a number", dataStart + "nas.data.open(\"shapes\", { cache = 3 })",
      "r.lua:4: nas.data.open: wrong option 'cache': expected a boolean or a string, got 3"),
    BadRecipe(
      "a file that is no data", dataStart + "nas.data.open(\"./r.lua\")",
      "r.lua:4: PLACE/r.lua: no data that nasrun can read: expected a folder of IDX files, of CIFAR files "
        + "or of a folder of JPEG or PNG files for each class, or a table whose name ends in .csv, got a file",
      status: 66),
    BadRecipe(
      "batches of more than all", dataStart + "for _ in shapes:batches { size = 2 ^ 62 } do end",
      "r.lua:4: batch size: expected 1…60, the number of training images, got 4611686018427387904"),
    BadRecipe(
      "epochs without an end",
      dataStart
        + "for _ in shapes:batches { size = 8, first_epoch = math.maxinteger, epochs = math.maxinteger } do end",
      "r.lua:4: data:batches: wrong option 'epochs': expected at most 1000000000, got 9.223372036854776e+18"),
    BadRecipe(
      "split of batches", dataStart + "for _ in shapes:batches { size = 8, split = \"trian\" } do end",
      "r.lua:4: unknown split 'trian'. Did you mean 'train'?"),
    BadRecipe(
      "augmentation of a table", dataStart + "for _ in kinds:batches { size = 8, augment = { flip = true } } do end",
      "r.lua:4: augmentation: expected none for a table. Leave augment out."),
    BadRecipe(
      "a crop without an end", dataStart + "for _ in shapes:batches { size = 8, augment = { crop = 2 ^ 62 } } do end",
      "r.lua:4: augmentation: expected crop of 0 to 16 and cutout of 0 to 32 pixels, got crop "
        + "4611686018427387904, cutout 0"),
    BadRecipe(
      "name of an augmentation", dataStart + "for _ in shapes:batches { size = 8, augment = { cutof = 2 } } do end",
      "r.lua:4: wrong augmentation 'cutof': expected { flip = true, crop = pixels, cutout = pixels }, got 2"),
    BadRecipe(
      "field of data", dataStart + "local _ = shapes.clases",
      "r.lua:4: data have no 'clases'. Did you mean 'classes'?"),
    BadRecipe(
      "a label of 2^62", dataStart + "nas.data.batch(nas.tensor { { 1, 2 } }, { 2 ^ 62 })",
      "r.lua:4: nas.data.batch: wrong label 1: expected a class from 1, got 4.611686018427388e+18"),
    BadRecipe(
      "labels that are too many", dataStart + "nas.data.batch(nas.tensor { { 1, 2 } }, { 1, 2 })",
      "r.lua:4: nas.data.batch: a label for each image is needed: expected { n, … } and n labels, got [1, "
        + "2] and 2"),
  ]

  /// A case's own text follows on line 4.
  private static let dataStart = """
    local nas = require "nas"
    local shapes = nas.data.open("shapes", { limit = 60, test_limit = 20 })
    local kinds = nas.data.open("kinds.csv", { target = "kind", task = "classification" })

    """
}
