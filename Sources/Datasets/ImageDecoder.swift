import CPNG
import CTurboJPEG
import Diagnostics
import Foundation

/// One picture: bytes `[height, width, channels]`, rows from the top.
struct Picture: Equatable {
  var height: Int
  var width: Int
  var channels: Int
  var pixels: [UInt8]
}

/// Decodes JPEG and PNG files, told apart by their first bytes, not by their names.
///
/// JPEG by libjpeg-turbo with its accurate integer transform, the same bits on every machine; orientation tags (EXIF)
/// are ignored. PNG by libpng as 8 bits of sRGB per channel; transparent parts are put on black. Anything that the
/// libraries warn of (a cut-off file, bytes that don't belong) is an error.
enum ImageDecoder {
  /// The largest height or width that is believed.
  static let largestSide = 32_768

  /// Reads a file as RGB.
  ///
  /// - Throws: a `data` fault that names the file.
  static func rgb(_ path: String) throws -> Picture {
    let reader = try PlainFile(path)
    var bytes = [UInt8](repeating: 0, count: reader.size)
    let count = try bytes.withUnsafeMutableBytes { buffer in
      var filled = 0
      while filled < buffer.count {
        let got = try reader.read(into: .init(rebasing: buffer[filled...]))
        if got == 0 { break }
        filled += got
      }
      return filled
    }
    bytes.removeLast(bytes.count - count)
    if bytes.starts(with: [0xff, 0xd8]) { return try jpeg(bytes, path) }
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) { return try png(bytes, path) }
    let head = bytes.prefix(4).map { String($0, radix: 16) }.joined(separator: " ")
    throw Fault(
      .data, "not a JPEG or PNG file", at: path, expected: "ff d8 or 89 50 4e 47 at the start",
      got: bytes.isEmpty ? "an empty file" : head)
  }

  private static func jpeg(_ bytes: [UInt8], _ path: String) throws -> Picture {
    guard let decoder = tjInitDecompress() else { throw damaged("JPEG", path, "libjpeg-turbo could not start") }
    defer { tjDestroy(decoder) }
    func check(_ status: Int32) throws {
      if status != 0 { throw damaged("JPEG", path, String(cString: tjGetErrorStr2(decoder))) }
    }
    var width: Int32 = 0, height: Int32 = 0, subsampling: Int32 = 0, colours: Int32 = 0
    let size = UInt(bytes.count)
    try check(tjDecompressHeader3(decoder, bytes, size, &width, &height, &subsampling, &colours))
    guard width > 0, height > 0 else { throw damaged("JPEG", path, "it ends before the size of the image") }
    try checkSize(Int(height), Int(width), path)
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * 3)
    try check(
      tjDecompress2(
        decoder, bytes, size, &pixels, width, 0, height, Int32(TJPF_RGB.rawValue), TJFLAG_ACCURATEDCT))
    return Picture(height: Int(height), width: Int(width), channels: 3, pixels: pixels)
  }

  private static func png(_ bytes: [UInt8], _ path: String) throws -> Picture {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    func check(_ status: Int32) throws {
      guard status == 0 || image.warning_or_error != 0 else { return }
      let text = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw damaged("PNG", path, text)
    }
    try check(png_image_begin_read_from_memory(&image, bytes, bytes.count))
    let height = Int(image.height), width = Int(image.width)
    try checkSize(height, width, path)
    image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
    var background = png_color(red: 0, green: 0, blue: 0)
    var pixels = [UInt8](repeating: 0, count: height * width * 3)
    try check(png_image_finish_read(&image, &background, &pixels, 0, nil))
    return Picture(height: height, width: width, channels: 3, pixels: pixels)
  }

  private static func checkSize(_ height: Int, _ width: Int, _ path: String) throws {
    guard 1...largestSide ~= height, 1...largestSide ~= width else {
      throw Fault(
        .data, "size of the image", at: path, expected: "at most \(largestSide)×\(largestSide)",
        got: "\(height)×\(width)")
    }
  }

  private static func damaged(_ format: String, _ path: String, _ reason: String) -> Fault {
    Fault(.data, "the \(format) file is damaged", at: path, hint: "Remove the file, or fetch it again.", cause: reason)
  }
}
