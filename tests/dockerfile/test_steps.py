"""From a builder's step to the instruction behind it."""

from __future__ import annotations

from dockdesk.dockerfile.steps import step_places
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
