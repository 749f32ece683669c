from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.dockerfile.complete import Completions, complete
from dockdesk.dockerfile.pins import known_tags
from dockdesk.dockerfile.problems import Edit, apply
from dockdesk.dockerfile.syntax import parse

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.Dockerfile"))


class Known:
    """Some files, images and tags."""

    def files(self, prefix: str) -> Sequence[str]:
        return [
            each for each in ("app.py", "apt/", "src/", "src/main.py") if each.startswith(prefix)
        ]

    def images(self, prefix: str) -> Sequence[str]:
        return [each for each in ("alpine", "nginx", "ghcr.io/a/b") if each.startswith(prefix)]

    def tags(self, image: str) -> Sequence[str]:
        return {"alpine": ["3.20", "3.19"], "localhost:5000/x": ["1"]}.get(image, [])


def at(text: str) -> Completions:
    """Completions where the text says ``‸``."""
    before, _, after = text.partition("‸")
    line = before.count("\n")
    column = len(before) - before.rfind("\n") - 1
    return complete(parse(before + after), line, column, Known())


def labels(text: str) -> list[str]:
    return [item.label for item in at(text).items]


def chosen(text: str, label: str) -> str:
    """The text after an item was chosen."""
    found = at(text)
    (item,) = [item for item in found.items if item.label == label]
    return apply(text.replace("‸", ""), [Edit(*found.place, item.insert)])


def test_images_of_docker_hub_are_known_without_asking_it() -> None:
    assert labels("FROM pyth‸") == ["python"]
    assert labels("FROM python:3.13-sl‸") == list(known_tags("python")[:1])
    assert labels("FROM alpine:‸")[:2] == ["3.20", "3.19"], "what is at hand comes first"
    assert labels("FROM ng‸") == ["nginx"], "what is at hand is not offered twice"
    assert chosen("FROM pyth‸:x", "python") == "FROM python:x"
    assert known_tags("docker.io/library/redis") == known_tags("redis") != ()


def test_only_from_and_arg_may_begin_a_file() -> None:
    assert [label for label in labels("‸") if label.isupper()] == ["FROM", "ARG"]
    assert labels("fr‸") == ["FROM"]


def test_instructions_begin_lines_and_follow_onbuild() -> None:
    found = labels("FROM a\n\n‸")
    assert {"RUN", "COPY", "FROM", "apt", "healthcheck"} <= set(found)
    assert "FROM" not in labels("FROM a\nONBUILD ‸")
    assert chosen("FROM a\n  cop‸", "COPY") == "FROM a\n  COPY "


def test_a_continued_line_is_no_new_instruction() -> None:
    assert labels("FROM a\nRUN b \\\n  co‸") == []
    assert labels("FROM a\nEXPOSE 1 \\\n‸\nUSER b")[:2] == ["80", "443"]


def test_flags_of_the_instruction_that_are_not_there_yet() -> None:
    assert labels("FROM a\nCOPY --‸") == [
        "--from",
        "--chown",
        "--chmod",
        "--link",
        "--exclude",
        "--parents",
    ]
    assert "--link" not in labels("FROM a\nCOPY --link --‸")
    assert "--mount" in labels("FROM a\nRUN --mount=type=ssh \\\n  --‸")
    assert chosen("FROM a\nCOPY --li‸ b c", "--link") == "FROM a\nCOPY --link b c"
    assert chosen("FROM a\nCOPY --fr‸ b c", "--from") == "FROM a\nCOPY --from= b c"


def test_options_of_a_mount_by_its_type() -> None:
    assert labels("FROM a\nRUN --mount=‸")[0] == "type"
    assert labels("FROM a\nRUN --mount=type=‸") == ["bind", "cache", "tmpfs", "secret", "ssh"]
    assert {"sharing", "id", "uid"} <= set(labels("FROM a\nRUN --mount=type=cache,‸"))
    assert "sharing" not in labels("FROM a\nRUN --mount=type=secret,‸")
    assert "target" not in labels("FROM a\nRUN --mount=type=cache,target=/a,‸")
    assert labels("FROM a\nRUN --mount=type=cache,sharing=‸ x") == ["shared", "private", "locked"]
    assert "/root/.cache/pip" in labels("FROM a\nRUN --mount=type=cache,target=/root/.ca‸")
    assert chosen("FROM a\nRUN --mount=type=ca‸ x", "cache") == "FROM a\nRUN --mount=type=cache x"
    assert labels("FROM a\nRUN --mount=type=bind,source=s‸ x") == ["src/", "src/main.py"]
    assert labels("FROM a\nRUN --mount=type=secret,id=tok x\nRUN --mount=type=secret,id=‸") == [
        "tok"
    ]


STAGES = "FROM a AS one\nFROM b\nFROM c AS three\n"


def test_sources_are_stages_above_numbers_and_images() -> None:
    assert labels(STAGES + "COPY --from=‸")[:2] == ["1", "one"]
    assert "nginx" in labels(STAGES + "COPY --from=‸")
    assert "three" not in labels(STAGES + "COPY --from=‸")
    found = labels(STAGES + "RUN --mount=from=‸")
    assert "one" in found
    assert "1" not in found
    assert labels(STAGES + "COPY --from=alpine:‸")[:2] == ["3.20", "3.19"]


def test_from_has_stages_images_and_tags() -> None:
    assert labels("FROM a AS one\nFROM ‸")[:2] == ["one", "alpine"]
    assert chosen("FROM alp‸", "alpine") == "FROM alpine"
    assert chosen("FROM alpine:3‸ AS x", "3.19") == "FROM alpine:3.19 AS x"
    assert labels("FROM localhost:5000/x:‸") == ["1"]
    assert labels("FROM alpine ‸") == ["AS"]
    assert "$BUILDPLATFORM" in labels("FROM --platform=‸ a")


def test_files_of_the_context_unless_another_source_is_named() -> None:
    assert labels("FROM a\nCOPY ap‸") == ["app.py", "apt/"]
    assert chosen("FROM a\nCOPY src/m‸ /x", "src/main.py") == "FROM a\nCOPY src/main.py /x"
    assert labels('FROM a\nCOPY ["sr‸') == ["src/", "src/main.py"]
    assert "app.py" not in labels("FROM a\nCOPY --from=x ‸")


def test_variables_that_are_set_there() -> None:
    text = "ARG V=1\nFROM a\nARG V\nENV HOME_DIR=/srv\n"
    assert {"V", "HOME_DIR"} == set(labels(text + "WORKDIR $‸"))
    assert chosen(text + "WORKDIR ${HO‸", "HOME_DIR") == text + "WORKDIR ${HOME_DIR}"
    assert chosen(text + "WORKDIR ${HO‸}", "HOME_DIR") == text + "WORKDIR ${HOME_DIR}"
    assert "TARGETARCH" in labels("ARG V\nFROM ${‸")
    assert "TARGETARCH" not in labels(text + "RUN $‸")
    assert labels("FROM a\nENV A=1\nENV B='$‸'") != ["A"]
    found = at(text + "USER $V‸").items[0]
    assert found.detail == "1"


def test_variables_in_heredocs_that_expand_them() -> None:
    text = "FROM a\nARG NAME=x\nCOPY {} /a\n$‸\nE\n"
    assert labels(text.format("<<E")) == ["NAME"]
    assert labels(text.format("<<'E'")) == []


def test_common_values() -> None:
    assert "8080" in labels("FROM a\nEXPOSE 80‸")
    assert labels("FROM a\nSTOPSIGNAL SIGQ‸") == ["SIGQUIT"]
    assert labels("FROM a\nRUN useradd --system app\nUSER ‸")[0] == "app"
    assert labels("FROM a\nHEALTHCHECK ‸")[:2] == ["CMD", "NONE"]
    assert "--interval" in labels("FROM a\nHEALTHCHECK ‸")
    assert '["/bin/bash", "-o", "pipefail", "-c"]' in labels("FROM a\nSHELL ‸")
    assert "V" in labels("ARG V=1\nFROM a\nARG ‸")
    assert labels("FROM a\nCOPY --link=‸ a b") == ["true", "false"]
    assert labels("FROM a\nRUN --network=‸ b") == ["default", "none", "host"]


def test_directives_at_the_top_alone() -> None:
    assert labels("# ‸") == ["syntax", "escape", "check"]
    assert labels("# syntax=x\n# ‸") == ["escape", "check"]
    assert labels("# syntax=‸")[0] == "docker/dockerfile:1"
    assert labels("# said\n# ‸") == []
    assert labels("FROM a\n# ‸") == []
    assert chosen("# syn‸", "syntax") == "# syntax="


def test_snippets_say_where_their_places_are() -> None:
    (item,) = [item for item in at("FROM a\nsta‸").items if item.label == "stage"]
    assert item.insert == "FROM alpine:3.20 AS build\nWORKDIR /src\n"
    assert [item.insert[start:end] for start, end in item.stops] == ["alpine:3.20", "build", "src"]


def test_snippets_continue_with_the_files_escape_character() -> None:
    (item,) = [item for item in at("# escape=`\nFROM a\nap‸").items if item.label == "apt"]
    assert " `\n" in item.insert
    assert "\\" not in item.insert


@pytest.mark.parametrize(
    "snippet", [item for item in at("FROM a\n‸").items if item.kind == "snippet"]
)
def test_snippets_are_sound(snippet: object) -> None:
    assert hasattr(snippet, "insert")
    text = "FROM a\n" + snippet.insert
    assert [each for each in parse(text).problems if each.tone == "bad"] == []


def test_instructions_and_flags_are_explained() -> None:
    for item in at("FROM a\n‸").items:
        assert item.docs
    for item in at("FROM a\nCOPY --‸").items:
        assert item.docs
        assert item.detail


PIECES = st.sampled_from(
    [
        "FROM a",
        "RUN --mount=",
        "COPY --from=",
        "ENV A=",
        "${",
        "$",
        "\\\n",
        "\n",
        " ",
        "#",
        "<<E",
        "type=",
        ",",
        '["',
        "'",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES).map("".join)), st.integers(0, 8), st.integers(0, 30))
def test_there_is_an_answer_anywhere(text: str, line: int, column: int) -> None:
    document = parse(text)
    found = complete(document, line, column, Known())
    assert found.place.line == line
    assert found.place.column <= found.place.end_column == column


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_there_is_an_answer_at_every_place_of_the_samples(path: Path) -> None:
    document = parse(path.read_text("utf-8"))
    for line, text in enumerate(document.lines):
        for column in range(len(text) + 1):
            found = complete(document, line, column, Known())
            typed = text[found.place.column : column].lower()
            assert all(typed in item.label.lower() for item in found.items)
