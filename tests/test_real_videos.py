"""`measure` on real recordings; skipped where the folder that holds them is not there."""

import numpy as np
import pytest

import bigsmall
from bigsmall.exceptions import NoFaceError


@pytest.mark.parametrize("file", ["face2.mp4", "face2_mpeg4_reencode.mp4"])
@pytest.mark.parametrize("model", ["pos", "bigsmall-synthetic"])
def test_the_pulse_of_a_real_face(file, model, shared):
    m = bigsmall.measure(shared / "real" / "face2" / file, model=model)
    assert m.heart_rate.value == pytest.approx(53.5, abs=4)
    assert m.used["seconds"] == pytest.approx(10, abs=0.3)
    assert m.used["fps"] == pytest.approx(30, abs=0.1)


def test_no_face_is_an_error(shared):
    with pytest.raises(NoFaceError, match=r"no face in any of the \d+ frames .* crop"):
        bigsmall.measure(shared / "real" / "faces" / "no_face.mp4")


@pytest.mark.parametrize(
    ("kind", "task"),
    [("Big_AU", "action_units"), ("Small_Heart", "heart_rate"), ("Small_Resp", "respiratory_rate")],
)
def test_published_checkpoints_measure_their_own_task(kind, task, shared):
    weights = shared / "reference" / "checkpoints" / f"BP4D_{kind}_Clip3_Split1_Epoch4.pth"
    video = shared / "real" / "face2" / "face2.mp4"
    seconds = 5 if kind == "Big_AU" else None
    m = bigsmall.measure(video, model=weights, crop=(200, 250, 180, 180), duration=seconds)
    tasks = ("action_units", "heart_rate", "respiratory_rate")
    assert [name for name in tasks if getattr(m, name) is not None] == [task]
    if task == "action_units":
        assert ((m.action_units.probabilities > 0) & (m.action_units.probabilities < 1)).all()
        assert m.action_units.note == ""
    else:
        wave = m.bvp if m.resp is None else m.resp
        assert np.isfinite(getattr(m, task).value)
        assert wave.values.std() == pytest.approx(1)
