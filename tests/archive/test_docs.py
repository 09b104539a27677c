"""The guide to archives: its examples run, and it names every column and option."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from command_line import ROOT
from maskdet.archive.inventory import schema
from maskdet.archive.options import ArchiveOptions, WorkOptions
from maskdet.archive.run import begin
from maskdet.archive.tables import faces_schema, pieces_schema, tracks_schema
from maskdet.cli.archive import archive
from maskdet.extras import missing
from square_films import OwnCrew, no_bar, write_film

PAGE = ROOT / "docs" / "archive.md"
if not PAGE.is_file():
    pytest.skip("needs the guide, no part of an installation", allow_module_level=True)
pytestmark = pytest.mark.skipif(bool(missing("archive")), reason="needs the extra archive")
GUIDE = PAGE.read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of a film, called as in the guide."""
    folder = tmp_path_factory.mktemp("guide")
    film = write_film(folder / "film.mp4", 20, start="2021-03-04T10:59:55Z")
    options = ArchiveOptions((str(film),), str(folder / "study"), WorkOptions())
    begin(options, log=print, progress=no_bar, make_crew=OwnCrew)
    return folder


@pytest.mark.parametrize("example", EXAMPLES, ids=["pandas", "polars", "duckdb"])
def test_examples_run(
    example: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each reads the tables of a study and prints what it is there for."""
    pytest.importorskip(re.findall(r"import (\w+)", example)[0])
    monkeypatch.chdir(folder)
    exec(compile(example, "docs/archive.md", "exec"), {})
    assert re.search("with_mask|film.mp4|0.5", capsys.readouterr().out)


def test_every_column_is_in_the_guide() -> None:
    """Whoever reads a table finds its columns there."""
    for columns in (faces_schema(("a", "b")), tracks_schema(), pieces_schema(), schema()):
        assert not [name for name in columns.names if f"`{name}`" not in GUIDE]


def test_the_job_for_kubernetes_has_its_form() -> None:
    """It parses, head and workers take one pod, and its command is one of maskdet's."""
    yaml = pytest.importorskip("yaml")
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    job = yaml.safe_load(text)
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    assert workers["template"] == cluster["headGroupSpec"]["template"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    (container,) = workers["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    _parse(job["spec"]["entrypoint"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_job_for_slurm_has_its_form() -> None:
    """Bash takes it, its resources stand where Slurm reads them, and it calls maskdet."""
    (text,) = re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    assert lines[1].startswith("#SBATCH --")
    _parse(lines[-1])


def _parse(line: str) -> None:
    """Makes sure that the options of a command line are there."""
    program, name, *words = shlex.split(line)
    assert (program, name) == ("maskdet", "archive")
    archive.make_context("archive", words)


def test_the_report_counts_what_the_tables_say(folder: Path) -> None:
    """People and shares by file, hour and day; the page stands alone, with blurred faces."""
    import csv

    from maskdet.archive.reporting.report import write_report

    said: list[str] = []
    written = write_report(str(folder / "study"), log=said.append)
    report = folder / "study" / "report"
    assert sorted(path.name for path in report.iterdir()) == sorted(
        name.rsplit("/", 1)[-1] for name in written
    )
    with (report / "file.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["people"], row["share of people"]) == ("2", "0.5")
    assert int(row["with_mask"]) + int(row["without_mask"]) == 40
    assert (report / "hour.csv").read_text().splitlines()[1].startswith("10,")
    assert (report / "day.csv").read_text().splitlines()[1].startswith("2021-03-04,")
    assert "faces too small" in (report / "quality.csv").read_text()
    page = (report / "index.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 4
    assert "http" not in page.replace("http-equiv", "")
    write_report(str(folder / "study"), log=said.append, show_faces=True)
    assert (report / "index.html").read_text() != page
