from goldstone.reproductions import markdown, write
from goldstone.reproductions.page import summary


def test_claim_and_measurement_stand_side_by_side(found):
    page = markdown(found)
    assert "| mean | 0.97 | 0.960 (of three) | 0.950 … 0.970 | 3 |" in page
    assert "| how | well | quite well |  |  |" in page
    assert "too large for two cores" in page
    assert "![Two lines](example-lines.svg)" in page
    assert "Numbers \\| agree" in page
    assert "python -m goldstone.reproductions example\n" in page


def test_summary_counts_outcomes(found):
    assert summary(found) == "1 reproduced, 1 not tested"


def test_files(found, tmp_path):
    write(found, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "example-lines.svg",
        "example.json",
        "example.md",
    ]
