"""Small pictures written by Pillow, and what Pillow reads from them: images/* and images.json.

Run with Pillow 13.0.0 and numpy 2.4.6. `pixels` are bytes in hexadecimal, rows from the top; `fitted` is the largest
centred part of the proportions of `size` (height, width), scaled by `Image.resize` with BILINEAR.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent
SIZES = [(8, 8), (5, 9), (20, 12), (3, 2), (13, 17)]


def picture(channels):
    y, x = np.mgrid[0:13, 0:17]
    planes = [128 + 100 * np.sin(0.3 * x + 0.7 * c) * np.cos(0.4 * y - c) + 20 * ((x + y) % 3 == c) for c in range(4)]
    return np.clip(np.stack(planes[:channels], -1), 0, 255).astype(np.uint8)


def fitted(image, height, width):
    rows, columns = image.height, image.width
    if rows * width > columns * height:
        rows = max(1, (2 * columns * height + width) // (2 * width))
    else:
        columns = max(1, (2 * rows * width + height) // (2 * height))
    top, left = (image.height - rows) // 2, (image.width - columns) // 2
    part = image.crop((left, top, left + columns, top + rows))
    return part.resize((width, height), Image.Resampling.BILINEAR)


def main():
    (FOLDER / "images").mkdir(exist_ok=True)
    rgb, alpha = Image.fromarray(picture(3)), Image.fromarray(picture(4))
    grey = Image.fromarray(picture(1)[..., 0])
    rotated = Image.Exif()
    rotated[0x0112] = 6
    rgb.save(FOLDER / "images/colour.jpg", quality=85)
    rgb.save(FOLDER / "images/rotated.jpg", quality=95, subsampling=0, exif=rotated)
    grey.save(FOLDER / "images/grey.jpg", quality=85)
    rgb.save(FOLDER / "images/colour.png")
    grey.save(FOLDER / "images/grey.png")
    rgb.quantize(16).save(FOLDER / "images/palette.png")
    alpha.putalpha(Image.fromarray(((np.mgrid[0:13, 0:17][1] % 2) * 255).astype(np.uint8)))
    alpha.save(FOLDER / "images/alpha.png")
    cases = []
    for path in sorted((FOLDER / "images").iterdir()):
        image = Image.open(path)
        if image.mode == "RGBA":
            image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
        image = image.convert("RGB")
        case = {"file": path.name, "height": image.height, "width": image.width, "pixels": image.tobytes().hex()}
        if path.name == "colour.png":
            case["fitted"] = [{"size": size, "pixels": fitted(image, *size).tobytes().hex()} for size in SIZES]
        cases.append(case)
    (FOLDER / "images.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


main()
