"""The recipe of the image: how it is read, and that what it names is there and fits together."""

import fnmatch
from pathlib import Path

import pytest
from deploy.dockerfile import Copy, Image, Run, Stage, read

TREE = Path(__file__).resolve().parents[2]
RECIPE = read((TREE / "deploy/Dockerfile").read_text())
IMAGE = RECIPE[-1].image
CONFIGURATION = (TREE / "deploy/container/httpd.conf").read_text()


def test_instructions_become_stages() -> None:
    text = """\
# a comment
ARG V=3
FROM base:${V} AS first
WORKDIR /src
COPY a b ./
RUN one \\
 && two
FROM base:$V
COPY --from=first /made /made
ENV PATH=/made:$PATH
USER 5:6
EXPOSE 80 81
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=1s \\
    CMD ["ask", "it"]
ENTRYPOINT ["serve"]
"""
    assert read(text) == [
        Stage("base:3", "first", [Copy(("a", "b"), "./", None), Run("one && two", "/src")], Image(folder="/src")),
        Stage(
            "base:3",
            None,
            [Copy(("/made",), "/made", "first")],
            Image({"PATH": "/made:$PATH"}, "/", "5:6", ("80", "81"), "SIGQUIT", ("ask", "it"), ("serve",)),
        ),
    ]


@pytest.mark.parametrize("text", ["RUN x", "FROM a\nVOLUME /x", "FROM a\nENTRYPOINT serve it"])
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"before FROM|not known here|not a list"):
        read(text)


def copied_from_the_tree() -> list[str]:
    return [name for stage in RECIPE for step in stage.steps if isinstance(step, Copy) and step.stage is None for name in step.sources]


@pytest.mark.parametrize("name", copied_from_the_tree())
def test_what_is_copied_is_there_and_is_sent_to_the_engine(name: str) -> None:
    assert (TREE / name).exists()
    rules = (TREE / "deploy/Dockerfile.dockerignore").read_text().split("\n")
    sent = [rule[1:] for rule in rules if rule.startswith("!")]
    assert any(fnmatch.fnmatch(name, rule) or name.startswith(f"{rule}/") for rule in sent)


def test_it_runs_as_nobody_in_particular() -> None:
    uid, gid = IMAGE.user.split(":")
    assert int(uid) >= 10000 and int(gid) >= 10000


def test_it_ends_gracefully() -> None:
    assert IMAGE.stop_signal == "SIGWINCH"


def test_ports_are_listened_on() -> None:
    for port in IMAGE.ports:
        assert f"\nListen {port}\n" in CONFIGURATION


@pytest.mark.parametrize("command", [IMAGE.entrypoint, IMAGE.health])
def test_commands_read_the_configuration_that_was_copied(command: tuple[str, ...]) -> None:
    targets = {f"{step.target}{Path(name).name}" for step in RECIPE[-1].steps if isinstance(step, Copy) for name in step.sources}
    assert command[-2] == "-f" and command[-1] in targets
