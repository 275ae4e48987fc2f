"""Face detectors: checked answers, a checked download, and real faces where they are at hand."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigsmall.exceptions import CheckpointError, InputError
from bigsmall.video import Box, FaceTracker, make_detector, open_video
from bigsmall.video import detectors as detectors_module
from bigsmall.video.boxes import overlap

PICTURE = np.zeros((240, 320, 3), np.uint8)


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (None, "returned NoneType"),
        ("box", "returned str"),
        ([5], "expected a list of boxes"),
        ([(1, 2, 3)], "expected .x, y, width, height."),
        ([(1, 2, 0, 4)], "above 0"),
        ([(1, 2, 3, float("nan"))], "nan"),
        ([(1, 2, 3, "wide")], "'wide'"),
    ],
)
def test_answers_of_a_detector_are_checked(answer: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        make_detector(lambda image: answer)(PICTURE)


def test_answers_are_cut_to_the_picture() -> None:
    found = make_detector(lambda image: np.array([[-10.0, 5, 30, 20], [400, 5, 10, 10]]))(PICTURE)
    assert found == [Box(0, 5, 20, 20)]


def test_haar_finds_nothing_in_noise_and_tiny_pictures() -> None:
    detector = make_detector("haar")
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    assert detector(noise) == []
    assert detector(noise[:1, :1]) == []
    assert detector(noise[:, ::2]) == []


def test_model_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only for the detector 'yunet'"):
        make_detector("haar", model_path=tmp_path / "a.onnx")
    with pytest.raises(CheckpointError, match="there is no YuNet file"):
        make_detector("yunet", model_path=tmp_path / "a.onnx")
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(CheckpointError, match="not a YuNet network"):
        make_detector("yunet", model_path=tmp_path / "a.onnx")


def test_download_is_checked_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"something else")
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda repo, name: str(path))
    with pytest.raises(CheckpointError, match="has SHA-256"):
        make_detector("yunet")
    digest = hashlib.sha256(b"something else").hexdigest()
    monkeypatch.setattr(detectors_module, "_SHA256", digest)
    assert detectors_module._fetch_yunet() == path

    def offline(repo: str, name: str) -> str:
        raise OSError("no connection\nand more")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(CheckpointError, match="cannot be fetched: no connection; give") as caught:
        make_detector("yunet")
    assert "\n" not in str(caught.value)


def test_yunet_reads_the_reference_file(shared: Path) -> None:
    path = shared / "reference" / "face_detection_yunet_2023mar.onnx"
    if not path.is_file():
        pytest.skip("the YuNet file is not there")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == detectors_module._SHA256
    clip = shared / "real" / "faces" / "single_face.mp4"
    if not clip.is_file():
        pytest.skip("the real clips are not there")
    image = next(iter(open_video(clip))).image
    (network,) = make_detector("yunet", model_path=path)(image)
    (haar,) = make_detector("haar")(image)
    assert overlap(network, haar) > 0.5


@pytest.fixture(scope="module")
def faces(shared: Path) -> Path:
    folder = shared / "real" / "faces"
    if not folder.is_dir():
        pytest.skip("the real clips are not there")
    return folder


def haar_boxes(path: Path) -> list[Box | None]:
    tracker = FaceTracker()
    return [tracker.update(frame.time, frame.image) for frame in open_video(path)]


def test_haar_on_a_real_clip_without_a_face(faces: Path) -> None:
    detector = make_detector("haar")
    assert not any(detector(frame.image) for frame in open_video(faces / "no_face.mp4"))


@pytest.mark.parametrize("name", ["single_face.mp4", "WolfgangLanger_Pexels.mp4"])
def test_haar_on_real_faces(faces: Path, name: str) -> None:
    boxes = haar_boxes(faces / name)
    assert None not in boxes
    assert len(set(boxes)) == 1


def test_haar_on_a_real_face_that_leaves_or_appears(faces: Path) -> None:
    leaves, appears = haar_boxes(faces / "face_noface.mov"), haar_boxes(faces / "noface_face.mov")
    assert leaves[0] is not None
    assert leaves[-1] is None
    assert appears[0] is None
    assert appears[-1] is not None
