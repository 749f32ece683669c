"""From a builder's step to the instruction behind it."""

from __future__ import annotations

from dockdesk.dockerfile.steps import stages_of_image, step_places
from dockdesk.dockerfile.syntax import parse

TWO_STAGES = """\
ARG BASE=alpine:3.20
FROM golang:1.22 AS build
ARG VERSION
WORKDIR /src
COPY go.mod go.sum ./
ENV CGO_ENABLED=0
RUN go build

FROM $BASE
COPY --from=build /src/app /app
COPY --from=0 /etc/x /x
RUN --mount=type=cache,target=/c true
CMD ["/app"]
"""


def test_every_counted_instruction_is_found() -> None:
    names = [
        "[build 1/4] FROM docker.io/library/golang:1.22@sha256:1",
        "[build 2/4] WORKDIR /src",
        "[build 3/4] COPY go.mod go.sum ./",
        "[build 4/4] RUN go build",
        "[stage-1 2/4] COPY --from=build /src/app /app",
        "[stage-1 3/4] COPY --from=0 /etc/x /x",
        "[stage-1 4/4] RUN --mount=type=cache,target=/c true",
        "[internal] load build context",
    ]
    places = step_places(parse(TWO_STAGES), names)
    assert [places[name].line for name in names[:-1]] == [1, 3, 4, 6, 9, 10, 11]
    assert names[-1] not in places
    assert places[names[2]].sources == ("go.mod", "go.sum")
    assert places[names[3]].args == ("VERSION",)
    assert places[names[0]].args == ("BASE",)
    assert places[names[0]].taken_from == "golang:1.22"
    assert {places[names[4]].taken_from, places[names[5]].taken_from} == {"build"}


def test_a_stage_on_a_stage_or_on_nothing_does_not_count_from() -> None:
    document = parse("FROM scratch AS a\nCOPY x /\nFROM a AS b\nRUN y\nRUN z\n")
    places = step_places(document, ["[a 1/1] COPY x /", "[b 1/2] RUN y", "[b 2/2] RUN z"])
    assert [place.line for place in places.values()] == [1, 3, 4]
    assert places["[b 1/2] RUN y"].below == "a"


def test_what_onbuild_adds_shifts_the_rest() -> None:
    document = parse("FROM base\nRUN a\nRUN b\n")
    names = ["[1/4] FROM base", "[2/4] COPY . /onbuild", "[3/4] RUN a", "[4/4] RUN b"]
    places = step_places(document, names)
    assert {name: place.line for name, place in places.items()} == {
        names[0]: 0,
        names[2]: 1,
        names[3]: 2,
    }


def test_padded_numbers_and_platforms_are_read() -> None:
    document = parse("FROM base\n" + "RUN a\n" * 11)
    places = step_places(document, ["[ 2/12] RUN a", "[linux/arm64 12/12] RUN a"])
    assert [place.line for place in places.values()] == [1, 11]


def test_nothing_is_made_up_for_what_is_not_there() -> None:
    assert step_places(parse(""), ["[1/2] RUN x", "[other 9/9] RUN x"]) == {}
    assert step_places(parse("FROM a\nRUN x\n"), ["[nope 2/2] RUN x"]) == {}


def test_what_a_step_takes_is_told_with_variables_replaced() -> None:
    document = parse(
        'FROM base AS b\nARG D=src\nCOPY --chown=1 $D/a "x y" /to/\nRUN --mount=source=conf,target=/c '
        "--mount=type=cache,target=/k <<EOF\necho\nEOF\nFROM scratch\nRUN --mount=from=b,target=/b y\n"
    )
    copy, run, other = (
        '[b 2/3] COPY --chown=1 src/a "x y" /to/',
        "[b 3/3] RUN <<EOF",
        "[stage-1 1/1] RUN y",
    )
    places = step_places(document, [copy, run, other])
    assert places[copy].sources[0] == "src/a"
    assert places[run].sources == ("conf",)
    assert (places[run].line, places[run].last) == (3, 5)
    assert places[other].taken_from == "b"


def test_a_classic_build_counts_all_instructions() -> None:
    document = parse("FROM base\nENV A=b\nRUN one\nCMD x\n")
    names = ["[1/4] FROM base", "[2/4] ENV A=b", "[3/4] RUN one", "[4/4] CMD x"]
    places = step_places(document, names)
    assert [places[name].line for name in names] == [0, 1, 2, 3]


def test_the_stages_an_image_is_made_of() -> None:
    document = parse("FROM x AS a\nRUN a\nFROM a AS b\nRUN b\nFROM b\nCMD c\nFROM scratch AS d\n")
    assert stages_of_image(document, "") == ("d",)
    assert stages_of_image(document, "b") == ("a", "b")
    assert stages_of_image(document, "2") == ("a", "b", "stage-2")
    assert stages_of_image(document, "none") == ()
