"""`coachwhip bench`: what is printed around a run."""

from coachwhip.bench import plots
from coachwhip.cli import bench
from coachwhip.cli.main import main


def test_what_is_to_be_installed_for_charts_is_said_in_full(capsys, tmp_path, monkeypatch):
    def draw(*_):
        raise plots.NoPlots("pip install 'coachwhip[bench]'")

    monkeypatch.setattr(plots, "draw", draw)
    bench._plot(bench._console(), None, tmp_path)
    assert capsys.readouterr().out.strip() == "pip install 'coachwhip[bench]'"


def test_what_is_no_saved_run_is_said_in_a_line(capsys, tmp_path):
    (tmp_path / "result.json").write_text("[1]")
    for verb in ("show", "report", "plot"):
        assert main(["bench", verb, str(tmp_path / "result.json")]) == 1
        assert capsys.readouterr().err.endswith("result.json: expected the JSON that `coachwhip bench` saves\n")
