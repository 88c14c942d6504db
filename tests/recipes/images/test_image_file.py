"""Each format read and written back, with what it says beside the values; what cannot be read names its file."""

import struct
import zlib

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from kerasmith.data import MissingDataPackage
from kerasmith.recipes.images.image_file import ImageFile, image_size, read_image, read_mask, write_image, write_mask
from kerasmith.recipes.images.orientation import upright

pytestmark = pytest.mark.host("reads and writes files with NumPy")

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (6, 9, 4), np.uint8)
WORDS = RNG.integers(0, 65536, (6, 9, 4), np.uint16)
FLOATS = RNG.normal(size=(6, 9, 3)).astype(np.float32)


def png16(path, array, kind, *, interlaced=False):
    """A PNG file of 16 bits, written by the rules of the format: no other writer is installed."""
    height, width = array.shape[:2]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows, before = b"", None
    for index, row in enumerate(array.astype(">u2")):
        line = np.frombuffer(row.tobytes(), np.uint8).astype(int)
        step = row.nbytes // width
        left = np.concatenate([np.zeros(step, int), line[:-step]])
        above = np.zeros_like(line) if before is None else before
        filtered = [line, line - left, line - above][index % 3]
        rows += bytes([index % 3]) + (filtered % 256).astype(np.uint8).tobytes()
        before = line
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, int(interlaced))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    ("name", "mode", "array"),
    [
        ("grey.png", "L", BYTES[..., 0]),
        ("grey.jpg", "L", np.full((6, 9), 77, np.uint8)),
        ("rgb.png", "RGB", BYTES[..., :3]),
        ("rgba.png", "RGBA", BYTES),
        ("grey_and_opacity.png", "LA", BYTES[..., :2]),
        ("sixteen.png", "I;16", WORDS[..., 0]),
        ("bits.png", "1", BYTES[..., 0] > 99),
        ("grey.tif", "L", BYTES[..., 0]),
        ("lzw.tif", "L", BYTES[..., 0]),
        ("lzw_rgb.tif", "RGB", BYTES[..., :3]),
        ("float.tif", "F", FLOATS[..., 0]),
    ],
)
def test_what_pillow_writes_is_read_as_stored(tmp_path, name, mode, array):
    image = Image.fromarray(array)
    assert image.mode == mode
    image.save(tmp_path / name, **({"compression": "tiff_lzw"} if "lzw" in name else {}))
    read = read_image(tmp_path / name)
    expected = (array * np.uint8(255) if mode == "1" else array).reshape(6, 9, -1)
    np.testing.assert_array_equal(read.array, expected)
    assert read.array.dtype == expected.dtype
    assert image_size(tmp_path / name) == (6, 9)


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_all_read(tmp_path, kind, channels):
    array = WORDS[..., :channels]
    png16(tmp_path / "a.png", array, kind)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").array, array)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(BYTES[..., :3]).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").array, expected)
    assert image_size(tmp_path / "a.png") == expected.shape[:2]
    np.testing.assert_array_equal(upright(BYTES[..., :3], orientation), expected)
    tifffile.imwrite(tmp_path / "a.tif", BYTES[..., :3], photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array, expected)


def test_a_palette_is_colours_in_an_image_and_ids_in_a_mask(tmp_path):
    ids = RNG.integers(0, 3, (6, 9), np.uint8)
    palette = [(0, 0, 0), (200, 10, 10), (10, 200, 10)]
    image = Image.fromarray(ids).convert("P")
    image.putdata(ids.ravel().tolist())
    image.putpalette([value for colour in palette for value in colour])
    for name in ("a.png", "a.tif"):
        image.save(tmp_path / name)
        np.testing.assert_array_equal(read_mask(tmp_path / name).array, ids)
        np.testing.assert_array_equal(read_image(tmp_path / name).array, np.array(palette)[ids])
    image.save(tmp_path / "b.png", transparency=0)
    assert read_image(tmp_path / "b.png").array.shape == (6, 9, 4)
    np.testing.assert_array_equal(read_mask(tmp_path / "b.png").array, ids)


def test_masks(tmp_path):
    bits = BYTES[..., 0] > 99
    Image.fromarray(bits).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "bits.png").array, bits)

    # Pillow stretches 4 bits of grey to 255: an id of 2 would be 34.
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 1, 4, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\x00\x01\x2f"))
    (tmp_path / "four.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    assert read_mask(tmp_path / "four.png").array.tolist() == [[0, 1, 2, 15]]
    grey = np.repeat(BYTES[..., :1] // 128 * 255, 3, -1)
    for name, array in {"rgb.png": grey, "rgba.png": np.concatenate([grey, np.full_like(grey[..., :1], 255)], -1)}.items():
        Image.fromarray(array).save(tmp_path / name)
        np.testing.assert_array_equal(read_mask(tmp_path / name).array, grey[..., 0])
    np.save(tmp_path / "float.npy", np.array([[0.0, 3.0]]))
    assert read_mask(tmp_path / "float.npy").array.dtype == np.int64


@pytest.mark.parametrize(
    ("array", "options", "dimensions", "shape"),
    [
        (np.zeros((7, 6, 9), np.uint16), {"photometric": "minisblack"}, None, (7, 6, 9, 1)),
        (np.zeros((7, 6, 9), np.uint16), {"imagej": True, "metadata": {"axes": "ZYX"}}, None, (7, 6, 9, 1)),
        (np.zeros((3, 6, 9), np.uint8), {"imagej": True, "metadata": {"axes": "CYX"}}, None, (6, 9, 3)),
        (np.zeros((7, 2, 6, 9), np.uint8), {"imagej": True, "metadata": {"axes": "ZCYX"}}, None, (7, 6, 9, 2)),
        (np.zeros((2, 7, 6, 9), np.uint8), {"ome": True, "metadata": {"axes": "CZYX"}}, None, (7, 6, 9, 2)),
        (np.zeros((3, 6, 9), np.uint8), {"photometric": "rgb", "planarconfig": "separate"}, None, (6, 9, 3)),
        (np.zeros((6, 9, 3), np.float32), {"photometric": "minisblack"}, None, (6, 9, 3)),
        (np.zeros((6, 9, 5), np.float32), {"photometric": "minisblack"}, 2, (6, 9, 5)),
        (np.zeros((6, 9), bool), {}, None, (6, 9, 1)),
    ],
)
def test_the_axes_of_tiff_files(tmp_path, array, options, dimensions, shape):
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    assert read_image(tmp_path / "a.tif", dimensions=dimensions).array.shape == shape
    assert image_size(tmp_path / "a.tif", dimensions=dimensions) == shape[:-1]


@pytest.mark.parametrize(
    ("shape", "dimensions", "expected"),
    [
        ((6, 9), None, (6, 9, 1)),
        ((6, 9, 3), None, (6, 9, 3)),
        ((6, 9, 20), None, (6, 9, 20, 1)),
        ((6, 9, 20), 2, (6, 9, 20)),
        ((6, 9, 3), 3, (6, 9, 3, 1)),
        ((6, 9, 20, 2), None, (6, 9, 20, 2)),
    ],
)
def test_the_axes_of_numpy_files(tmp_path, shape, dimensions, expected):
    np.savez(tmp_path / "a.npz", RNG.normal(size=shape))
    np.save(tmp_path / "a.npy", RNG.normal(size=shape))
    for name in ("a.npy", "a.npz"):
        assert read_image(tmp_path / name, dimensions=dimensions).array.shape == expected
        assert image_size(tmp_path / name, dimensions=dimensions) == expected[:-1]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_has_spacing_and_place(tmp_path, name):
    affine = np.array([[0, -2, 0, 5], [1.5, 0, 0, -7], [0, 0, 3, 9], [0, 0, 0, 1.0]])
    volume = RNG.integers(-50, 1000, (5, 6, 7)).astype(np.int16)
    stored = nibabel.Nifti1Image(volume, affine)
    stored.header.set_xyzt_units("mm")
    stored.set_sform(affine, 4)
    nibabel.save(stored, tmp_path / name)
    image = read_image(tmp_path / name)
    np.testing.assert_array_equal(image.array[..., 0], volume)
    assert image.array.dtype == np.int16
    assert image.spacing == (1.5, 2.0, 3.0)
    assert image_size(tmp_path / name) == (5, 6, 7)

    write_mask(tmp_path / "mask.nii.gz", volume > 500, image)
    write_image(tmp_path / "p.nii", np.stack([volume / 7.0] * 2, -1), image)
    for written, dtype in (("mask.nii.gz", np.uint8), ("p.nii", np.float32)):
        again = nibabel.load(tmp_path / written)
        np.testing.assert_array_equal(again.affine, stored.affine)
        assert again.header.get_zooms()[:3] == (1.5, 2.0, 3.0)
        assert again.header.get_xyzt_units()[0] == "mm"
        assert int(again.header["sform_code"]) == 4
        assert again.header.get_data_dtype() == dtype
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.nii.gz").array, volume > 500)
    np.testing.assert_allclose(read_image(tmp_path / "p.nii").array[..., 1], volume / 7.0, rtol=1e-6)


def test_the_scale_of_a_nifti_file_and_a_single_slice(tmp_path):
    values = RNG.normal(size=(5, 6, 1))
    stored = nibabel.Nifti1Image(values, np.diag([2.0, 2.0, 5.0, 1]))
    stored.set_data_dtype(np.int16)  # nibabel then stores a slope and an intercept
    nibabel.save(stored, tmp_path / "a.nii")
    image = read_image(tmp_path / "a.nii")
    np.testing.assert_allclose(image.array, values, atol=1e-3)
    assert image.array.shape == (5, 6, 1)
    assert image.spacing == (2.0, 2.0)
    assert read_image(tmp_path / "a.nii", dimensions=3).array.shape == (5, 6, 1, 1)
    write_mask(tmp_path / "m.nii", values[..., 0] > 0, image)
    again = nibabel.load(tmp_path / "m.nii")
    assert again.shape == (5, 6, 1)
    assert again.header.get_zooms() == (2.0, 2.0, 5.0)
    np.testing.assert_array_equal(np.asarray(again.dataobj)[..., 0], values[..., 0] > 0)


def test_tiff_keeps_the_spacing_of_imagej_and_ome(tmp_path):
    volume = RNG.integers(0, 9, (4, 5, 6)).astype(np.uint16)
    metadata = {"axes": "ZYX", "spacing": 2.0, "unit": "um"}
    tifffile.imwrite(tmp_path / "j.tif", volume, imagej=True, resolution=(1 / 0.25, 1 / 0.5), metadata=metadata)
    sizes = {"axes": "ZYX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    tifffile.imwrite(tmp_path / "o.ome.tif", volume, ome=True, metadata=sizes)
    tifffile.imwrite(tmp_path / "plain.tif", volume[0], resolution=(72, 72), resolutionunit="INCH")
    assert read_image(tmp_path / "plain.tif").spacing is None
    for name in ("j.tif", "o.ome.tif"):
        image = read_image(tmp_path / name)
        assert image.spacing == pytest.approx((2.0, 0.5, 0.25))
        for mask in (volume > 3, volume.astype(np.int64) * 70_000):
            write_mask(tmp_path / "m.tif", mask, image)
            again = read_mask(tmp_path / "m.tif")
            np.testing.assert_array_equal(again.array, mask)
            assert again.spacing == pytest.approx((2.0, 0.5, 0.25))
        probabilities = np.stack([volume / 9.0, 1 - volume / 9.0], -1).astype(np.float32)
        write_image(tmp_path / "p.tif", probabilities, image)
        np.testing.assert_array_equal(read_image(tmp_path / "p.tif").array, probabilities)
        assert read_image(tmp_path / "p.tif").spacing == pytest.approx((2.0, 0.5, 0.25))


@pytest.mark.parametrize("largest", [1, 255, 256, 65535, 65536])
@pytest.mark.parametrize("shape", [(6, 9), (3, 6, 9)])
def test_masks_are_read_back_equal(tmp_path, largest, shape):
    mask = RNG.integers(0, largest + 1, shape)
    mask.flat[0] = largest
    like = ImageFile(mask[..., None], None, None, tmp_path / "x.png")
    for name in ("m.tif", "m.npy", "m.nii.gz", *(["m.png"] if len(shape) == 2 and largest < 65536 else [])):
        write_mask(tmp_path / name, mask, like)
        np.testing.assert_array_equal(read_mask(tmp_path / name, dimensions=len(shape)).array, mask)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_numbers_are_read_back_equal(tmp_path, channels):
    array = RNG.normal(size=(6, 9, channels))
    for name in ("p.tif", "p.npy"):
        write_image(tmp_path / name, array)
        np.testing.assert_array_equal(read_image(tmp_path / name, dimensions=2).array, array.astype(np.float32))
    write_image(tmp_path / "a.png", BYTES[..., :3])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").array, BYTES[..., :3])


def broken(folder):
    good = folder / "good.png"
    Image.fromarray(BYTES).save(good)
    (folder / "text.png").write_text("no picture")
    (folder / "cut.png").write_bytes(good.read_bytes()[:150])
    (folder / "empty.npy").touch()
    (folder / "text.tif").write_text("no picture")
    (folder / "text.nii.gz").write_text("no volume")
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 6, 7), np.int16), np.eye(4)), folder / "whole.nii")
    (folder / "cut.nii").write_bytes((folder / "whole.nii").read_bytes()[:400])
    np.savez(folder / "two.npz", a=np.zeros((3, 3)), b=np.zeros((3, 3)))
    np.save(folder / "words.npy", np.array([["a", "b"]]))
    np.save(folder / "objects.npy", np.array([[{}, []]], object), allow_pickle=True)
    np.save(folder / "complex.npy", np.zeros((3, 3), complex))
    np.save(folder / "line.npy", np.zeros(3))
    np.save(folder / "nothing.npy", np.zeros((0, 3)))
    np.save(folder / "nan.npy", np.array([[np.nan, 1.0]]))
    tifffile.imwrite(folder / "time.tif", np.zeros((3, 4, 6, 9), np.uint8), imagej=True, metadata={"axes": "TZYX"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *[(name, "cannot be read") for name in ("text.png", "cut.png", "empty.npy", "text.tif", "text.nii.gz", "cut.nii")],
        ("objects.npy", "cannot be read"),
        ("two.npz", "holds 2 arrays .'a', 'b'."),
        ("words.npy", "values of type <U1"),
        ("complex.npy", "values of type complex"),
        ("line.npy", r"shape \(3,\)"),
        ("nothing.npy", "empty"),
        ("nan.npy", "1 values that are NaN"),
        ("time.tif", "expected one stack"),
        ("absent.png", "There is no image"),
        ("notes.txt", r"ends in one of \.png"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, message):
    broken(tmp_path)
    with pytest.raises(ValueError, match=rf"(?s){name}.*{message}|{message}.*{name}"):
        read_image(tmp_path / name)


def test_wrong_masks_are_named(tmp_path):
    Image.fromarray(BYTES[..., :3]).save(tmp_path / "colours.png")
    Image.fromarray(BYTES[..., 0]).save(tmp_path / "lossy.jpg")
    np.save(tmp_path / "p.npy", np.array([[0.0, 0.25]]))
    np.save(tmp_path / "nan.npy", np.array([[0.0, np.nan]]))
    for name, message in {
        "colours.png": "3 channels that differ",
        "lossy.jpg": "JPEG",
        "p.npy": "such as 0.25",
        "nan.npy": "whole numbers",
    }.items():
        with pytest.raises(ValueError, match=f"{name}.*{message}"):
            read_mask(tmp_path / name)
    # The advice for colours is a program that works.
    mask = BYTES[..., :3]
    ids = np.unique(mask.reshape(-1, mask.shape[-1]), axis=0, return_inverse=True)[1].reshape(mask.shape[:2])
    assert ids.shape == (6, 9)


def test_what_a_format_cannot_hold_is_refused(tmp_path):
    like = ImageFile(BYTES, None, None, tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"m\.tif"):
        write_mask(tmp_path / "m.png", np.zeros((3, 4, 5), int), like)
    with pytest.raises(ValueError, match="from 0 up"):
        write_mask(tmp_path / "m.png", np.full((3, 4), -1), like)
    with pytest.raises(ValueError, match=r"p\.tif"):
        write_image(tmp_path / "p.png", FLOATS, like)
    with pytest.raises(ValueError, match=r"ends in \.png"):
        write_image(tmp_path / "p.jpg", BYTES, like)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "package"), [("a.nii.gz", "nibabel"), ("a.tif", "tifffile")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, name, package):
    (tmp_path / name).touch()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDataPackage, match=rf"{name}.*pip install {package}"):
        read_image(tmp_path / name)
    with pytest.raises(MissingDataPackage, match=rf"pip install {package}"):
        write_mask(tmp_path / name, np.zeros((3, 4), int), ImageFile(BYTES, None, None, tmp_path / "x.png"))
